//! Run history, and of the services beside it what says where the outputs of runs are: read by those who stream and download jobs.

mod change;
mod outputs;
mod run;

use axum::{
    body::Body,
    http::{Method, Response, StatusCode, request::Parts},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use self::run::Known;
use crate::{
    arm::{self, Answer, Refusal},
    door::Door,
    front::{json_response, query},
    moment::Moment,
    store::{Resource, Resources, Run, Runs, run_key},
    token::Claims,
    world::World,
};

/// How many steps are said at once, unless asked otherwise, and at most.
const PAGE: usize = 100;
const MAX_PAGE: usize = 500;

/// A request, with the transaction that it is answered in.
struct Call<'a> {
    world: &'a World,
    connection: &'a Connection,
    door: Door,
    claims: &'a Claims,
    now: Moment,
    parts: &'a Parts,
    query: &'a [(String, String)],
    body: &'a Value,
    workspace: Resource,
}

/// Answers one request.
pub(crate) fn answer(
    world: &World,
    door: Door,
    parts: &Parts,
    path: &[String],
    body: &[u8],
) -> Response<Body> {
    match try_answer(world, door, parts, path, body) {
        Ok(body) => json_response(StatusCode::OK, &body),
        Err(failure) => failure.into_response(parts),
    }
}

fn try_answer(
    world: &World,
    door: Door,
    parts: &Parts,
    path: &[String],
    body: &[u8],
) -> Answer<Value> {
    let now = world.clock.now();
    let claims = arm::authenticate(world, parts, now, |audience| {
        arm::LEARNING_AUDIENCES.contains(&audience)
            || arm::audiences(door).iter().any(|known| known == audience)
    })?;
    let body: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body)
            .map_err(|error| Refusal::user_error(format!("The body is no JSON: {error}")))?
    };
    let query = query(&parts.uri);
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let not_there = || Refusal::not_implemented(format!("{} {}", parts.method, parts.uri.path()));
    let [service, version, scope @ ..] = words.as_slice() else { return Err(not_there().into()) };
    let Some((workspace, rest)) = scope.split_at_checked(8) else { return Err(not_there().into()) };
    if !version.eq_ignore_ascii_case("v1.0") {
        return Err(not_there().into());
    }
    world.store.transaction(|connection| {
        let id = format!("/{}", workspace.join("/"));
        let workspace = Resources(connection)
            .get(&id)?
            .filter(|found| found.body["type"].as_str() == Some(WORKSPACE))
            .ok_or_else(|| Refusal::not_found(format!("Workspace not found: {id}")))?;
        let call = Call {
            world,
            connection,
            door,
            claims: &claims,
            now,
            parts,
            query: &query,
            body: &body,
            workspace,
        };
        call.route(service, rest)?.ok_or_else(|| not_there().into())
    })
}

const WORKSPACE: &str = "Microsoft.MachineLearningServices/workspaces";

impl Call<'_> {
    fn route(&self, service: &str, rest: &[&str]) -> Answer<Option<Value>> {
        let lower: Vec<String> = rest.iter().map(|word| word.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let answer = match (service, &self.parts.method, lower.as_slice(), rest) {
            ("data", &Method::POST, ["dataversion", "batchgetresolveduris"], _) => {
                outputs::resolve(self, outputs::Registry::Data)?
            }
            ("modelregistry", &Method::POST, ["models", "batchgetresolveduris"], _) => {
                outputs::resolve(self, outputs::Registry::Models)?
            }
            ("history", &Method::POST, ["rundata"], _) => {
                let run = self.body["runId"].as_str();
                let run = run.ok_or_else(|| Refusal::user_error("the body has no runId"))?;
                let known = self.find(run)?;
                json!({"runMetadata": known.shown(), "runDefinition": null, "jobSpecification": null})
            }
            // By the run alone, or by its experiment, too.
            ("history", method, ["runs", _, more @ ..], [_, run, ..]) => {
                return self.of_run(method, run, None, more);
            }
            (
                "history",
                method,
                ["experiments" | "experimentids", _, "runs", _, more @ ..],
                [_, experiment, _, run, ..],
            ) => return self.of_run(method, run, Some(experiment), more),
            _ => return Ok(None),
        };
        Ok(Some(answer))
    }

    fn of_run(
        &self,
        method: &Method,
        run: &str,
        experiment: Option<&str>,
        more: &[&str],
    ) -> Answer<Option<Value>> {
        let known = self.find(run)?;
        if experiment.is_some_and(|experiment| experiment != known.run.experiment) {
            return Err(missing(run).into());
        }
        let answer = match (method, more) {
            (&Method::GET, []) => known.shown(),
            (&Method::GET, ["details"]) => known.details()?,
            (&Method::GET, ["children"]) => self.children(&known)?,
            (&Method::PATCH, []) => change::change(known)?,
            // Jobs here have no services to be reached on their nodes.
            (&Method::GET, ["serviceinstances", _]) => json!({"instances": {}}),
            _ => return Ok(None),
        };
        Ok(Some(answer))
    }

    fn find(&self, run: &str) -> Answer<Known<'_>> {
        let id = run_key(self.workspace.id(), run);
        let (row, job) = (Runs(self.connection).get(&id)?, Resources(self.connection).get(&id)?);
        let (Some(run), Some(job)) = (row, job) else { return Err(missing(run).into()) };
        Ok(Known { call: self, run, job })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The steps of a pipeline, a page at a time.
    fn children(&self, parent: &Known<'_>) -> Answer<Value> {
        for name in ["$filter", "$orderby"] {
            if self.parameter(name).is_some() {
                return Err(Refusal::not_implemented(format!("{name} of children")).into());
            }
        }
        let number = |name: &str| -> Answer<Option<usize>> {
            let value = self.parameter(name).map(str::parse).transpose();
            Ok(value.map_err(|_| Refusal::user_error(format!("{name} must be a number")))?)
        };
        let n_wanted = number("$top")?.unwrap_or(PAGE).clamp(1, MAX_PAGE);
        let start = number("$continuationtoken")?.unwrap_or(0);
        let children: Vec<Run> = Runs(self.connection).children(&parent.run.key)?;
        let next = start.saturating_add(n_wanted);
        let mut page = Vec::new();
        for run in children.iter().skip(start).take(n_wanted) {
            page.push(self.find(&run.name)?.shown());
        }
        let mut answer = json!({"value": page});
        if next < children.len() {
            let base = self.door.api(&self.world.settings.location);
            let path = self.parts.uri.path();
            answer["continuationToken"] = json!(next.to_string());
            answer["nextLink"] = json!(format!(
                "{base}{path}?api-version=v1.0&$top={n_wanted}&$continuationtoken={next}"
            ));
        }
        Ok(answer)
    }
}

fn missing(run: &str) -> Refusal {
    Refusal::not_found(format!("Run with id {run} was not found"))
}
