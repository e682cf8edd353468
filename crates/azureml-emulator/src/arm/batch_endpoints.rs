use axum::http::Method;
use serde_json::{Value, json};

use super::{
    batch_deployments,
    call::Call,
    endpoints, field, jobs, name_rules,
    operations::{self, Service, begin},
    pages,
    plane::Plane,
    reply::{Answer, Refusal, Reply},
    resource_groups,
    workspaces::Workspace,
};
use crate::store::{Effect, Order, Resource};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/batchEndpoints";
pub(crate) const KIND: &str = "batchEndpoints";

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    let collection = format!("{}/{KIND}", workspace.id);
    let find = |name: &str| endpoints::find(call, &collection, name, "Batch");
    match (call.method, rest) {
        (_, [name, "jobs", rest @ ..]) if call.plane == Plane::Learning => {
            jobs::answer_batch(call, workspace, &find(name)?, None, rest)
        }
        (_, [name, "deployments", deployment, "jobs"]) if call.plane == Plane::Learning => {
            jobs::answer_batch(call, workspace, &find(name)?, Some(deployment), &[])
        }
        (_, [_, "jobs", ..] | [_, "deployments", _, "jobs", ..]) => {
            let message = "Azure Resource Manager does not know the jobs of batch endpoints: ask at the endpoint's scoringUri";
            Err(Refusal::not_found(message).into())
        }
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: false };
            pages::list(call, &collection, order, |_| true, |endpoint| Ok(shown(call, endpoint)))
        }
        (&Method::GET, [name]) => {
            let endpoint = find(name)?;
            Ok(Reply::ok(shown(call, &endpoint)).etag(&endpoint))
        }
        (&Method::PUT, [_]) => put(call, &collection),
        (&Method::PATCH, [name]) => patch(call, &find(name)?),
        (&Method::DELETE, [name]) => endpoints::delete(call, &collection, name),
        (_, [name, "deployments", rest @ ..]) => {
            batch_deployments::answer(call, workspace, &find(name)?, rest)
        }
        _ => Err(call.not_implemented().into()),
    }
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
    let name = call.segment(9);
    let id = format!("{collection}/{name}");
    name_rules::check_endpoint(name)?;
    let location = field::location(call.body)?;
    field::is_object(call.body, "/properties")?;
    let mode = field::one_of(call.body, "/properties/authMode", &["AADToken"])?;
    field::optional_object(call.body, "/identity")?;
    field::optional_words(call.body, "/tags")?;
    field::optional_object(call.body, "/properties/defaults")?;
    if let Some(name) = field::optional_text(call.body, "/properties/defaults/deploymentName")? {
        check_default(call, &id, name)?;
    }
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    match &existing {
        Some(existing) => resource_groups::check_location(existing, location)?,
        None => endpoints::check_is_free(call, name)?,
    }
    let is_new = existing.is_none();
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    let properties = &mut body["properties"];
    properties["authMode"] = json!(mode);
    properties["provisioningState"] = json!(if is_new { "Creating" } else { "Updating" });
    if properties["properties"].is_null() {
        properties["properties"] = json!({});
    }
    // There even if it says nothing: with the SDK it is set on what was read.
    if properties["defaults"]["deploymentName"].is_null() {
        properties["defaults"]["deploymentName"] = Value::Null;
    }
    if body["tags"].is_null() {
        body["tags"] = json!({});
    }
    let endpoint = call.resources().put(KIND, body)?;
    let reply = Reply::stored(shown(call, &endpoint), is_new).etag(&endpoint);
    begin(call, reply, Service::Assets, &id, &Effect::Provisioned, endpoints::TAKES)
}

/// The deployment for calls that name none must be there.
fn check_default(call: &Call<'_>, id: &str, name: &str) -> Answer<()> {
    let deployment = call.resources().get(&format!("{id}/deployments/{name}"))?;
    let is_there =
        deployment.is_some_and(|found| found.body["properties"]["provisioningState"] != "Deleting");
    if is_there {
        return Ok(());
    }
    let message = format!("the endpoint has no deployment {name} that could be its default");
    Err(Refusal::user_error(message).into())
}

/// Changes tags and identity.
fn patch(call: &Call<'_>, endpoint: &Resource) -> Answer {
    call.check_etag(Some(endpoint))?;
    operations::check_idle(call, endpoint.id())?;
    field::optional_words(call.body, "/tags")?;
    field::optional_object(call.body, "/identity")?;
    if !call.body["properties"].is_null() {
        let message =
            "PATCH changes tags and identity: put the endpoint whole to change its properties";
        return Err(Refusal::user_error(message).into());
    }
    let mut body = endpoint.body.clone();
    body["systemData"] = call.system_data(Some(endpoint));
    for (name, value) in call.body["tags"].as_object().into_iter().flatten() {
        body["tags"][name] = value.clone();
    }
    if call.body["identity"].is_object() {
        body["identity"] = call.body["identity"].clone();
    }
    let endpoint = call.resources().update(&body)?;
    Ok(Reply::ok(shown(call, &endpoint)).etag(&endpoint))
}
