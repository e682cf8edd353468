//! Jobs: commands and pipelines, taken in, shown, changed and canceled. What they do is brought about elsewhere.

mod batch;
mod command;
mod component;
mod expression;
mod given;
mod pipeline;
mod references;
mod settings;
mod shown;
mod step;
mod submission;

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

pub(super) use self::batch::{answer as answer_batch, check_component};
use self::shown::shown;
use super::{
    assets::{has_words, view},
    call::Call,
    operations::{Service, begin},
    pages,
    reply::{Answer, Refusal, Reply},
    workspaces::Workspace,
};
use crate::store::{Effect, Order, Resource, RunStatus, Runs};

pub(super) const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/jobs";

/// By this property a job is known to be a step of a pipeline.
pub(super) const PIPELINE: &str = "azureml.pipelinerunid";

/// By these a job is known to be one that a batch endpoint was asked for.
const BATCH_ENDPOINT: &str = "azureml.batchendpointname";
const BATCH_DEPLOYMENT: &str = "azureml.batchdeploymentname";

/// How long it takes to take in that a job is to be canceled.
const TAKES: Duration = Duration::from_secs(1);

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    let collection = format!("{}/jobs", workspace.id);
    match (call.method, rest) {
        (&Method::GET, []) => list(call, &collection),
        (&Method::GET, [name]) => {
            let job = find(call, &collection, name)?;
            Ok(Reply::ok(shown(call, &job)).etag(&job))
        }
        (&Method::PUT, [_]) => submission::put(call, workspace),
        (&Method::DELETE, [name]) => delete(call, &format!("{collection}/{name}")),
        (&Method::POST, [name, "cancel"]) => cancel(call, &find(call, &collection, name)?),
        (&Method::POST, [_, _]) => Err(call.not_implemented().into()),
        _ => Err(call.wrong_method().into()),
    }
}

fn find(call: &Call<'_>, collection: &str, name: &str) -> Answer<Resource> {
    call.resources()
        .get(&format!("{collection}/{name}"))?
        .ok_or_else(|| Refusal::not_found(format!("there is no job {}", call.segment(9))).into())
}

/// The jobs that were submitted, the newest first: steps are seen from their pipelines.
fn list(call: &Call<'_>, collection: &str) -> Answer {
    let is_in_view = view(call)?;
    let kind = call.parameter("jobtype").filter(|kind| !kind.is_empty());
    for name in ["scheduled", "scheduleid"] {
        if call.parameter(name).is_some_and(|value| !value.is_empty() && value != "false") {
            return Err(Refusal::not_implemented("jobs of schedules").into());
        }
    }
    let tags = call.parameter("tag").unwrap_or_default();
    let words = call.parameter("properties").unwrap_or_default();
    let is_wanted = |job: &Resource| {
        let properties = &job.body["properties"];
        let job_kind = properties["jobType"].as_str().unwrap_or_default();
        is_in_view(job)
            && properties["properties"][PIPELINE].is_null()
            && kind.is_none_or(|kind| kind.eq_ignore_ascii_case(job_kind))
            && has_words(&properties["tags"], tags)
            && has_words(&properties["properties"], words)
    };
    let order = Order::Created { newest_first: true };
    pages::list(call, collection, order, is_wanted, |job| Ok(shown(call, job)))
}

/// Has a job canceled that has not ended; to ask again changes nothing.
fn cancel(call: &Call<'_>, job: &Resource) -> Answer {
    let runs = Runs(call.connection);
    let mut takes = Duration::ZERO;
    if let Some(run) = runs.get(job.id())?
        && !run.status.is_terminal()
        && !run.cancel_requested
    {
        runs.request_cancel(job.id())?;
        runs.set_status(job.id(), RunStatus::CancelRequested, call.now, None)?;
        takes = TAKES;
    }
    begin(call, Reply::empty(202), Service::Assets, job.id(), &Effect::Nothing, takes)
}

/// Removes a job that has ended, with its steps. What it wrote stays.
fn delete(call: &Call<'_>, id: &str) -> Answer {
    let runs = Runs(call.connection);
    let Some(job) = call.resources().get(id)? else {
        return Ok(Reply::empty(204));
    };
    if runs.get(id)?.is_some_and(|run| !run.status.is_terminal()) {
        let message = format!("the job {} has not ended: cancel it first", job.name());
        return Err(Refusal::conflict(message).into());
    }
    for step in runs.children(id)? {
        call.resources().remove(&step.key)?;
    }
    call.resources().remove(id)?;
    let reply = Reply::empty(202);
    begin(call, reply, Service::Assets, id, &Effect::Nothing, Duration::ZERO)
}

/// What may be changed of a job that was submitted: how it is called, and what is noted about it.
fn update(call: &Call<'_>, mut job: Resource) -> Answer {
    call.check_etag(Some(&job))?;
    let new = &call.body["properties"];
    let kind =
        |properties: &Value| properties["jobType"].as_str().unwrap_or_default().to_lowercase();
    if kind(&job.body["properties"]) != kind(new) {
        let message = format!("there is a job {} already, of another type", job.name());
        return Err(Refusal::conflict(message).into());
    }
    let known = job.body["properties"]["properties"].clone();
    for (name, value) in given::entries(&new["properties"]) {
        match known.get(name) {
            None => job.body["properties"]["properties"][name] = value.clone(),
            Some(known) if known == value => {}
            Some(known) => {
                let message = format!(
                    "the property {name} of a job cannot be changed: it is {known}, and is asked to be {value}"
                );
                return Err(Refusal::user_error(message).into());
            }
        }
    }
    for name in ["displayName", "description", "tags", "isArchived"] {
        if let Some(value) = new.get(name) {
            let is_cleared = value.is_null() && name != "description";
            if !is_cleared {
                job.body["properties"][name] = value.clone();
            }
        }
    }
    job.body["systemData"] = call.system_data(Some(&job));
    let job = call.resources().update(&job.body)?;
    Ok(Reply::ok(shown(call, &job)).etag(&job))
}

/// What every job has beside what it does.
fn complete(properties: &mut Value, name: &str) {
    for (field, value) in [
        ("displayName", json!(name)),
        ("experimentName", json!("Default")),
        ("tags", json!({})),
        ("properties", json!({})),
        ("isArchived", json!(false)),
        ("inputs", json!({})),
        ("outputs", json!({})),
    ] {
        if properties[field].is_null() {
            properties[field] = value;
        }
    }
}
