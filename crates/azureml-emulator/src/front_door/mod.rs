//! Where online endpoints are asked for predictions, and batch endpoints for jobs.
//!
//! Nothing here waits for the database: who is asked and who may ask is in a table, which is made anew after something was written.

mod access;
mod batch;
mod forward;
mod headers;
mod mirror;
mod reply_body;
mod table;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Response, StatusCode, header},
};

use self::table::{Deployment, Endpoint};
pub(crate) use self::{batch::ask as ask_service, table::Tables};
use crate::{door::Door, front::problem, serving::Fleet, world::World};

/// By this header a client names the deployment, and a reply the one that has answered.
const DEPLOYMENT: HeaderName = HeaderName::from_static("azureml-model-deployment");
const STATUS: HeaderName = HeaderName::from_static("ms-azureml-model-error-statuscode");
const REASON: HeaderName = HeaderName::from_static("ms-azureml-model-error-reason");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request to an endpoint's own address; `path` is the path there.
pub(crate) async fn answer(
    world: &Arc<World>,
    door: Door,
    location: &str,
    name: &str,
    path: &str,
    mut request: Request,
) -> Response<Body> {
    let id = headers::request_id(request.headers_mut());
    let mut response = match route(world, door, location, name, path, request).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    };
    response.headers_mut().entry(REQUEST_ID).or_insert(id);
    response
}

/// An answer of the front door itself.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    reason: Option<&'static str>,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reason: None }
    }

    /// With the reason that concerns the model's container.
    fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    fn into_response(self) -> Response<Body> {
        let mut response = problem(self.status, self.code, &self.message);
        if let Some(reason) = self.reason {
            response.headers_mut().insert(REASON, HeaderValue::from_static(reason));
        }
        response
    }
}

async fn route(
    world: &Arc<World>,
    door: Door,
    location: &str,
    name: &str,
    path: &str,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let table = world.tables.current(world).await.map_err(|error| {
        tracing::error!(error, "no answer");
        let message = "the emulator failed to answer; its log says why";
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
    })?;
    if let Some(endpoint) = table.batch_endpoint(location, name) {
        return Ok(batch::answer(world, door, &endpoint.id, path, request).await);
    }
    let endpoint = table.endpoint(location, name).ok_or_else(|| {
        Refused::new(StatusCode::NOT_FOUND, "NotFound", "there is no such endpoint")
    })?;
    if !access::is_allowed(world, endpoint, request.headers().get(header::AUTHORIZATION)) {
        let message = "the key or token is wrong";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, "Unauthorized", message));
    }
    if ![Method::GET, Method::POST].contains(request.method()) {
        let message = "an endpoint is asked by POST, and for its description by GET";
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message));
    }
    let deployment = choose(endpoint, request.headers().get(DEPLOYMENT))?;
    let fleet = deployment.live.fleet().ok_or_else(|| not_ready(deployment))?;
    let path = path_inside(&fleet, path)?;
    let request = mirror::copy(world, endpoint, deployment, &path, request).await?;
    let timeout = fleet.spec.timeout;
    let forwarded = forward::ask(world, fleet, deployment, &path, request);
    let mut response = match tokio::time::timeout(timeout, forwarded).await {
        Ok(response) => response?,
        Err(_) => return Err(too_late(timeout)),
    };
    response.headers_mut().insert(DEPLOYMENT, deployment.header.clone());
    Ok(response)
}

/// The deployment that the request names, or one by the shares of traffic.
fn choose<'a>(
    endpoint: &'a Endpoint,
    named: Option<&HeaderValue>,
) -> Result<&'a Arc<Deployment>, Refused> {
    if let Some(named) = named {
        let name = named.to_str().unwrap_or_default();
        return endpoint.deployment(name).ok_or_else(|| {
            let message = format!("the endpoint has no deployment {name:?}");
            Refused::new(StatusCode::NOT_FOUND, "NoDeployment", message)
        });
    }
    endpoint.by_traffic().ok_or_else(|| {
        let message = "the endpoint has no deployment with traffic";
        Refused::new(StatusCode::NOT_FOUND, "NoDeployment", message)
    })
}

/// The path of the container: what clients call `/score` may have another name there.
fn path_inside(fleet: &Fleet, path: &str) -> Result<String, Refused> {
    let scoring = &fleet.spec.routes.scoring;
    match path {
        "/score" => Ok(scoring.clone()),
        "/swagger.json" => Ok(path.to_owned()),
        path if path == scoring => Ok(path.to_owned()),
        path => {
            let message = format!("the deployment is asked at /score, not at {path}");
            Err(Refused::new(StatusCode::NOT_FOUND, "NotFound", message))
        }
    }
}

fn not_ready(deployment: &Deployment) -> Refused {
    let message = format!("the container of deployment {} is not ready", deployment.name);
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "ModelNotReady", message)
        .reason("model_not_ready")
}

fn too_late(timeout: Duration) -> Refused {
    let message =
        format!("the model did not answer within the requestTimeout of {} ms", timeout.as_millis());
    Refused::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", message)
}
