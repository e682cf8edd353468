use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    call::Call,
    field, name_rules,
    operations::{self, Service, begin},
    pages,
    reply::{Answer, Refusal, Reply},
    resource_groups,
    workspaces::Workspace,
};
use crate::store::{Effect, Order, Resource};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/batchEndpoints";
const KIND: &str = "batchEndpoints";
const TAKES: Duration = Duration::from_secs(2);

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    let collection = format!("{}/{KIND}", workspace.id);
    match (call.method, rest) {
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: false };
            pages::list(call, &collection, order, |_| true, |endpoint| Ok(shown(call, endpoint)))
        }
        (&Method::GET, [name]) => {
            let endpoint = find(call, &collection, name)?;
            Ok(Reply::ok(shown(call, &endpoint)).etag(&endpoint))
        }
        (&Method::PUT, [_]) => put(call, &collection),
        (&Method::DELETE, [name]) => {
            let Some(mut endpoint) = call.resources().get(&format!("{collection}/{name}"))? else {
                return Ok(Reply::empty(204));
            };
            operations::check_idle(call, endpoint.id())?;
            endpoint.body["properties"]["provisioningState"] = json!("Deleting");
            call.resources().update(&endpoint.body)?;
            begin(call, Reply::empty(202), Service::Assets, endpoint.id(), &Effect::Removed, TAKES)
        }
        (_, [name, "deployments", rest @ ..]) => {
            find(call, &collection, name)?;
            deployments(call, rest)
        }
        (_, [_, "jobs", ..]) => Err(Refusal::not_implemented("running jobs").into()),
        _ => Err(call.not_implemented().into()),
    }
}

/// There are none, and none can be made.
fn deployments(call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, []) => Ok(Reply::ok(json!({"value": []}))),
        (&Method::GET, [name]) | (&Method::POST, [name, ..]) => {
            Err(Refusal::not_found(format!("there is no deployment {name}")).into())
        }
        (&Method::DELETE, [_]) => Ok(Reply::empty(204)),
        _ => Err(Refusal::not_implemented("running batch deployments").into()),
    }
}

fn find(call: &Call<'_>, collection: &str, name: &str) -> Answer<Resource> {
    call.resources().get(&format!("{collection}/{name}"))?.ok_or_else(|| {
        Refusal::not_found(format!("Batch endpoint {} was not found.", call.segment(9))).into()
    })
}

fn shown(call: &Call<'_>, endpoint: &Resource) -> Value {
    let mut body = endpoint.body.clone();
    let location = body["location"].as_str().unwrap_or_default();
    let base = call.door.endpoint(location, endpoint.name());
    body["properties"]["scoringUri"] = json!(format!("{base}/jobs"));
    body["properties"]["swaggerUri"] = Value::Null;
    body
}

fn put(call: &Call<'_>, collection: &str) -> Answer {
    let id = format!("{collection}/{}", call.segment(9));
    name_rules::check_endpoint(call.segment(9))?;
    let location = field::location(call.body)?;
    field::is_object(call.body, "/properties")?;
    let mode = field::one_of(call.body, "/properties/authMode", &["AADToken"])?;
    field::optional_object(call.body, "/identity")?;
    field::optional_words(call.body, "/tags")?;
    if let Some(name) = field::optional_text(call.body, "/properties/defaults/deploymentName")? {
        let message = format!("the endpoint has no deployment {name} that could be its default");
        return Err(Refusal::user_error(message).into());
    }
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    if let Some(existing) = &existing {
        resource_groups::check_location(existing, location)?;
    }
    let is_new = existing.is_none();
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    let properties = &mut body["properties"];
    properties["authMode"] = json!(mode);
    properties["provisioningState"] = json!(if is_new { "Creating" } else { "Updating" });
    if properties["properties"].is_null() {
        properties["properties"] = json!({});
    }
    if body["tags"].is_null() {
        body["tags"] = json!({});
    }
    let endpoint = call.resources().put(KIND, body)?;
    let reply = Reply::stored(shown(call, &endpoint), is_new).etag(&endpoint);
    begin(call, reply, Service::Assets, &id, &Effect::Provisioned, TAKES)
}
