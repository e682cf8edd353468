//! Deployments of batch endpoints: what jobs are made of that an endpoint is asked for. Nothing runs for them before.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    asset_reference::find,
    batch_deployment_rules::{self as rules, Kind},
    call::Call,
    deployment_spec,
    endpoints::{self, find_deployment},
    field, jobs, name_rules,
    operations::{self, Service, begin},
    pages,
    reply::{Answer, Refusal, Reply},
    resource_groups,
    workspaces::Workspace,
};
use crate::store::{Effect, Order, Resource};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments";
const KIND: &str = "batchEndpoints/deployments";
const TAKES: Duration = Duration::from_secs(1);

pub(super) fn answer(
    call: &Call<'_>,
    workspace: &Workspace,
    endpoint: &Resource,
    rest: &[&str],
) -> Answer {
    let collection = format!("{}/deployments", endpoint.id());
    match (call.method, rest) {
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: false };
            pages::list(call, &collection, order, |_| true, |one| Ok(one.body.clone()))
        }
        (&Method::GET, [name]) => {
            let deployment = find_deployment(call, &collection, name)?;
            Ok(Reply::ok(deployment.body.clone()).etag(&deployment))
        }
        (&Method::PUT, [_]) => put(call, workspace, endpoint, &collection),
        (&Method::PATCH, [name]) => patch(call, &find_deployment(call, &collection, name)?),
        (&Method::DELETE, [name]) => delete(call, endpoint, &collection, name),
        _ => Err(call.not_implemented().into()),
    }
}

fn put(call: &Call<'_>, workspace: &Workspace, endpoint: &Resource, collection: &str) -> Answer {
    let id = format!("{collection}/{}", call.segment(11));
    name_rules::check_deployment(call.segment(11))?;
    let kind = rules::check(call.body)?;
    resource_groups::check_location(endpoint, field::location(call.body)?)?;
    endpoints::check_takes_deployments(endpoint)?;
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    match kind {
        Kind::Model => check_model(call, workspace)?,
        Kind::PipelineComponent => jobs::check_component(call, workspace, call.body)?,
    }
    let is_new = existing.is_none();
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    rules::complete(&mut body, kind);
    body["properties"]["provisioningState"] = json!(if is_new { "Creating" } else { "Updating" });
    let deployment = call.resources().put(KIND, body)?;
    let reply = Reply::stored(deployment.body.clone(), is_new).etag(&deployment);
    begin(call, reply, Service::Assets, &id, &Effect::Provisioned, TAKES)
}

/// All that a model's deployment names must be there.
fn check_model(call: &Call<'_>, workspace: &Workspace) -> Answer<()> {
    let body = call.body;
    let refused = |what: &str| Err(Refusal::not_implemented(what).into());
    let model = field::text(body, "/properties/model/assetId")?;
    if find(call, workspace, "models", model)?.is_none() {
        return refused("models of a registry");
    }
    if body["properties"]["codeConfiguration"].is_null() {
        return refused("batch deployments without a scoring script, of MLflow models,");
    }
    let (code, _) = deployment_spec::code_configuration(body)?;
    if find(call, workspace, "codes", code)?.is_none() {
        return refused("code of a registry");
    }
    // What a registry has is known by its name alone.
    find(call, workspace, "environments", field::text(body, "/properties/environmentId")?)?;
    deployment_spec::variables(body)?;
    let compute = field::text(body, "/properties/compute")?;
    let name = compute.strip_prefix("azureml:").unwrap_or(compute);
    let computes = format!("{}/computes/", workspace.id);
    let id = if name.starts_with('/') { name.to_owned() } else { format!("{computes}{name}") };
    let is_here = id.to_lowercase().starts_with(&computes.to_lowercase());
    let found = call.resources().get(&id)?.filter(|_| is_here);
    match found.map(|found| found.body["properties"]["computeType"].clone()) {
        Some(Value::String(kind)) if kind == "AmlCompute" => Ok(()),
        Some(_) => {
            let message =
                format!("the compute {compute} is no cluster, which batch deployments run on");
            Err(Refusal::user_error(message).into())
        }
        None => Err(Refusal::user_error(format!("the compute {compute} was not found")).into()),
    }
}

/// Changes tags and the description.
fn patch(call: &Call<'_>, deployment: &Resource) -> Answer {
    call.check_etag(Some(deployment))?;
    operations::check_idle(call, deployment.id())?;
    field::optional_words(call.body, "/tags")?;
    field::optional_object(call.body, "/properties")?;
    let description = field::optional_text(call.body, "/properties/description")?;
    let mut properties = call.body["properties"].as_object().into_iter().flatten();
    if let Some((name, _)) = properties.find(|(name, _)| *name != "description") {
        let message = format!(
            "PATCH changes tags and the description: put the deployment whole to change {name}"
        );
        return Err(Refusal::user_error(message).into());
    }
    let mut body = deployment.body.clone();
    body["systemData"] = call.system_data(Some(deployment));
    for (name, value) in call.body["tags"].as_object().into_iter().flatten() {
        body["tags"][name] = value.clone();
    }
    if let Some(description) = description {
        body["properties"]["description"] = json!(description);
    }
    let deployment = call.resources().update(&body)?;
    Ok(Reply::ok(body).etag(&deployment))
}

/// Deletes a deployment; an endpoint whose default it was has none then.
fn delete(call: &Call<'_>, endpoint: &Resource, collection: &str, name: &str) -> Answer {
    let Some(deployment) = call.resources().get(&format!("{collection}/{name}"))? else {
        return Ok(Reply::empty(204));
    };
    operations::check_idle(call, deployment.id())?;
    let mut endpoint = endpoint.body.clone();
    let defaults = endpoint["properties"]["defaults"].as_object_mut();
    if let Some(defaults) = defaults
        && defaults
            .get("deploymentName")
            .and_then(Value::as_str)
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
    {
        defaults.insert("deploymentName".to_owned(), Value::Null);
        call.resources().update(&endpoint)?;
    }
    endpoints::remove(call, deployment, TAKES)
}
