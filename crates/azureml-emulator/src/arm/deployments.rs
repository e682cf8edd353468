//! Deployments of online endpoints: what is to run. What runs is the business of `serving`.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    call::Call,
    deployment_rules, deployment_spec,
    endpoints::{self, find_deployment},
    field, name_rules,
    operations::{self, Service, begin_open, begin_surely},
    pages,
    reply::{Answer, Refusal, Reply},
    resource_groups, vm_sizes,
    workspaces::Workspace,
};
use crate::{
    serving::{self, Rows},
    store::{Effect, Order, Resource},
};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments";
const KIND: &str = "onlineEndpoints/deployments";
/// What the ids of deployments have behind that of their endpoint.
pub(crate) const COLLECTION: &str = "deployments";
const TAKES: Duration = Duration::from_secs(1);

/// The most lines of a log that are shown, and how many if the client does not say.
const MAX_LINES: u64 = 10_000;

pub(super) fn answer(
    call: &Call<'_>,
    workspace: &Workspace,
    endpoint: &Resource,
    rest: &[&str],
) -> Answer {
    let collection = format!("{}/{COLLECTION}", endpoint.id());
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
        (&Method::PATCH, [name]) => {
            patch(call, workspace, &find_deployment(call, &collection, name)?)
        }
        (&Method::DELETE, [name]) => delete(call, endpoint, &collection, name),
        (&Method::POST, [name, "getlogs"]) => {
            logs(call, &find_deployment(call, &collection, name)?)
        }
        (&Method::GET, [name, "skus"]) => Ok(skus(&find_deployment(call, &collection, name)?)),
        _ => Err(call.not_implemented().into()),
    }
}

fn put(call: &Call<'_>, workspace: &Workspace, endpoint: &Resource, collection: &str) -> Answer {
    let id = format!("{collection}/{}", call.segment(11));
    name_rules::check_deployment(call.segment(11))?;
    deployment_rules::check(call.body)?;
    resource_groups::check_location(endpoint, field::location(call.body)?)?;
    endpoints::check_takes_deployments(endpoint)?;
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    if let Some(existing) = &existing {
        let [old, new] = [&existing.body, call.body].map(|body| {
            body["properties"]["instanceType"].as_str().unwrap_or_default().to_lowercase()
        });
        if old != new {
            let message = "the instanceType of a deployment cannot be changed: make another one";
            return Err(Refusal::user_error(message).into());
        }
    }
    let body = call.resource(&id, TYPE, existing.as_ref());
    store(call, workspace, body, existing.is_none())
}

/// Writes a deployment, and begins to make it so.
fn store(call: &Call<'_>, workspace: &Workspace, mut body: Value, is_new: bool) -> Answer {
    deployment_rules::complete(&mut body);
    let spec = deployment_spec::resolve(call, workspace, &body)?;
    let properties = &mut body["properties"];
    properties["provisioningState"] = json!(if is_new { "Creating" } else { "Updating" });
    let size = properties["instanceType"].as_str().unwrap_or_default();
    let beyond = vm_sizes::beyond_deployment_quota(size, spec.capacity);
    let deployment = call.resources().put(KIND, body)?;
    let reply = Reply::stored(deployment.body.clone(), is_new).etag(&deployment);
    // As in Azure: what is beyond the quota is accepted, and fails later.
    let beyond = beyond.map(|refusal| Effect::Failed { error: refusal.error() });
    if let Some(failure) = beyond.or_else(|| operations::failure(call)) {
        return begin_surely(call, reply, Service::Assets, deployment.id(), &failure, TAKES);
    }
    Rows(call.connection).put(deployment.id(), &spec)?;
    begin_open(call, reply, Service::Assets, deployment.id())
}

/// Changes tags and the number of instances.
fn patch(call: &Call<'_>, workspace: &Workspace, deployment: &Resource) -> Answer {
    call.check_etag(Some(deployment))?;
    operations::check_idle(call, deployment.id())?;
    field::optional_words(call.body, "/tags")?;
    field::optional_object(call.body, "/sku")?;
    if !call.body["properties"].is_null() {
        let message =
            "PATCH changes tags and sku: put the deployment whole to change its properties";
        return Err(Refusal::user_error(message).into());
    }
    let mut body = deployment.body.clone();
    body["systemData"] = call.system_data(Some(deployment));
    for (name, value) in call.body["tags"].as_object().into_iter().flatten() {
        body["tags"][name] = value.clone();
    }
    for (name, value) in call.body["sku"].as_object().into_iter().flatten() {
        body["sku"][name] = value.clone();
    }
    if body["sku"] != deployment.body["sku"] {
        return store(call, workspace, body, false);
    }
    let deployment = call.resources().update(&body)?;
    Ok(Reply::ok(body).etag(&deployment))
}

fn delete(call: &Call<'_>, endpoint: &Resource, collection: &str, name: &str) -> Answer {
    let Some(deployment) = call.resources().get(&format!("{collection}/{name}"))? else {
        return Ok(Reply::empty(204));
    };
    if deployment.body["properties"]["provisioningState"] == "Deleting" {
        return Err(Refusal::conflict("the deployment is being deleted").into());
    }
    let mut endpoint = endpoint.body.clone();
    for field in ["traffic", "mirrorTraffic"] {
        let percents = endpoint["properties"][field].as_object_mut();
        let Some(percents) = percents else { continue };
        let own = percents.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        let Some((own, percent)) = own.map(|(own, percent)| (own.clone(), percent.clone())) else {
            continue;
        };
        if percent.as_u64() != Some(0) {
            let message = format!("Cannot delete deployment {own} with {field} {percent}");
            return Err(Refusal::new(400, "BadRequest", message).into());
        }
        percents.remove(&own);
    }
    call.resources().update(&endpoint)?;
    // What is still being started is given up.
    Rows(call.connection).remove(deployment.id())?;
    let gone = Refusal::new(409, "Canceled", "the deployment is being deleted").error();
    call.events().give_up(deployment.id(), call.now, &gone)?;
    endpoints::remove(call, deployment, TAKES)
}

fn logs(call: &Call<'_>, deployment: &Resource) -> Answer {
    let tail = field::optional_whole(call.body, "/tail")?.unwrap_or(MAX_LINES).clamp(1, MAX_LINES);
    let tail = usize::try_from(tail).unwrap_or(usize::MAX);
    let kind = if call.body["containerType"].is_null() {
        "InferenceServer"
    } else {
        field::one_of(
            call.body,
            "/containerType",
            &["InferenceServer", "StorageInitializer", "ModelDataCollector"],
        )?
    };
    let wanted = Rows(call.connection).get(deployment.id())?;
    let content = match (wanted, kind) {
        (None, _) | (_, "ModelDataCollector") => String::new(),
        (Some(wanted), "StorageInitializer") => {
            serving::initializer_log(&call.world.folder, &wanted, tail)?
        }
        (Some(wanted), _) => serving::container_log(&call.world.folder, &wanted, tail)?,
    };
    Ok(Reply::ok(json!({"content": content})))
}

fn skus(deployment: &Resource) -> Reply {
    let size = deployment.body["properties"]["instanceType"].as_str().unwrap_or_default();
    let capacity = json!({
        "minimum": 1,
        "maximum": vm_sizes::most_instances(size),
        "default": 1,
        "scaleType": "Manual",
    });
    let sku = json!({"name": "Default", "tier": "Standard"});
    Reply::ok(json!({"value": [{"resourceType": TYPE, "sku": sku, "capacity": capacity}]}))
}
