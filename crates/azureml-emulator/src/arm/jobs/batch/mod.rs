//! Jobs that batch endpoints are asked for.

mod component;
mod model;
mod request;

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

pub(in crate::arm) use self::component::check as check_component;
use self::request::Request;
use super::{
    super::{
        batch_deployment_rules::{self as rules, Kind},
        call::Call,
        name_rules, pages,
        reply::{Answer, Refusal, Reply},
        workspaces::Workspace,
    },
    BATCH_DEPLOYMENT, BATCH_ENDPOINT, TYPE, complete,
    pipeline::{self, Pipeline},
    shown::shown,
    submission::{Submission, new_run},
};
use crate::store::{Order, Resource};

/// Answers `jobs` of an endpoint, or of one of its deployments.
pub(in crate::arm) fn answer(
    call: &Call<'_>,
    workspace: &Workspace,
    endpoint: &Resource,
    deployment: Option<&str>,
    rest: &[&str],
) -> Answer {
    let collection = format!("{}/jobs", workspace.id);
    let is_wanted = |job: &Resource| {
        let noted = &job.body["properties"]["properties"];
        let is = |name: &str, wanted: &str| {
            noted[name].as_str().is_some_and(|noted| noted.eq_ignore_ascii_case(wanted))
        };
        is(BATCH_ENDPOINT, endpoint.name())
            && deployment.is_none_or(|deployment| is(BATCH_DEPLOYMENT, deployment))
    };
    match (call.method, rest) {
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: true };
            pages::list(call, &collection, order, is_wanted, |job| Ok(shown(call, job)))
        }
        (&Method::GET, [name]) => {
            let job = call.resources().get(&format!("{collection}/{name}"))?.filter(is_wanted);
            let job = job.ok_or_else(|| {
                Refusal::not_found(format!("the endpoint was not asked for a job {name}"))
            })?;
            Ok(Reply::ok(shown(call, &job)).etag(&job))
        }
        (&Method::POST, []) if deployment.is_none() => invoke(call, workspace, endpoint),
        _ => Err(call.wrong_method().into()),
    }
}

/// Makes a job of what a deployment says, and of what is asked.
fn invoke(call: &Call<'_>, workspace: &Workspace, endpoint: &Resource) -> Answer {
    let request = Request::read(call.body)?;
    let deployment = deployment(call, endpoint)?;
    let name = match &request.name {
        Some(name) => name.clone(),
        None => format!("batchjob-{}", Uuid::new_v4()),
    };
    name_rules::check_job(&name)?;
    let id = format!("{}/jobs/{name}", workspace.id);
    if call.resources().get(&id)?.is_some() {
        return Err(Refusal::conflict(format!("there is a job {name} already")).into());
    }
    let mut properties = json!({
        "jobType": "Pipeline",
        "displayName": name,
        "description": request.description,
        "experimentName": request.experiment.as_deref().unwrap_or(endpoint.name()),
        "tags": request.tags,
        "inputs": request.inputs,
        "properties": request.properties,
    });
    properties["properties"][BATCH_ENDPOINT] = json!(endpoint.name());
    properties["properties"][BATCH_DEPLOYMENT] = json!(deployment.name());
    let of_deployment = &deployment.body["properties"];
    let pipeline: Pipeline = match rules::kind(of_deployment)? {
        Kind::Model => {
            properties["outputs"] = json!({"score": {
                "jobOutputType": "uri_folder", "mode": "ReadWriteMount",
            }});
            properties["settings"] = json!({"default_compute": of_deployment["compute"]});
            model::pipeline(call, &workspace.id, of_deployment, &request)?
        }
        Kind::PipelineComponent => {
            let whole = component::job(call, &workspace.id, of_deployment, &request)?;
            let read = pipeline::read(call, &workspace.id, &whole, new_run)?;
            for name in ["outputs", "settings", "jobs"] {
                properties[name] = whole[name].clone();
            }
            component::describe(of_deployment, &mut properties);
            read
        }
    };
    complete(&mut properties, &name);
    let experiment = properties["experimentName"].as_str().unwrap_or_default().to_owned();
    let body = json!({
        "id": id,
        "name": name,
        "type": TYPE,
        "systemData": call.system_data(None),
        "properties": properties,
    });
    let submission = Submission { call, workspace: &workspace.id, name: &name, experiment };
    let job = submission.insert(body, &pipeline)?;
    Ok(Reply::created(shown(call, &job)).etag(&job))
}

/// The deployment that the request names, or the endpoint's default.
fn deployment(call: &Call<'_>, endpoint: &Resource) -> Answer<Resource> {
    let named = call.headers.get("azureml-model-deployment");
    let named = named.map(|name| name.to_str().unwrap_or_default());
    let assumed = endpoint.body.pointer("/properties/defaults/deploymentName");
    let Some(name) = named.or_else(|| assumed.and_then(Value::as_str)) else {
        let message = format!(
            "the endpoint {} has no default deployment: name one in the header azureml-model-deployment",
            endpoint.name()
        );
        return Err(Refusal::user_error(message).into());
    };
    let found = call.resources().get(&format!("{}/deployments/{name}", endpoint.id()))?;
    let Some(found) = found else {
        let message = format!("the endpoint {} has no deployment {name}", endpoint.name());
        return Err(Refusal::not_found(message).into());
    };
    match found.body["properties"]["provisioningState"].as_str() {
        Some("Succeeded" | "Updating") => Ok(found),
        state => {
            let message = format!(
                "the deployment {name} is {}, and cannot be asked for jobs",
                state.unwrap_or("not ready")
            );
            Err(Refusal::conflict(message).into())
        }
    }
}
