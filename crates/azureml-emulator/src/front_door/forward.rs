use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Response, StatusCode, Uri, header},
};
use tokio::time::Instant;

use super::{
    REASON, Refused, STATUS, headers, not_ready, reply_body::ReplyBody, table::Deployment,
};
use crate::{serving::Fleet, world::World};

/// Asks a deployment's program, and makes of its answer what clients of Azure ML see.
pub(super) async fn ask(
    world: &World,
    fleet: Arc<Fleet>,
    deployment: &Deployment,
    path: &str,
    mut request: Request,
) -> Result<Response<Body>, Refused> {
    let end = Instant::now() + fleet.spec.timeout;
    let ticket = fleet.enter().ok_or_else(|| {
        let limit = fleet.spec.n_under_way();
        let message = format!("deployment {} has {limit} requests already", deployment.name);
        Refused::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
            .reason("too_many_pending_request")
    })?;
    let seat = ticket.take_seat().await.ok_or_else(|| not_ready(deployment))?;
    let query = request.uri().query().map_or(String::new(), |query| format!("?{query}"));
    let uri = format!("http://127.0.0.1:{}{path}{query}", seat.port());
    *request.uri_mut() = uri.parse::<Uri>().map_err(|_| {
        Refused::new(StatusCode::BAD_REQUEST, "InvalidUri", "the query is no part of an address")
    })?;
    *request.version_mut() = axum::http::Version::HTTP_11;
    headers::remove_hop_by_hop(request.headers_mut());
    // The key opens this door, and is not for who is behind it.
    request.headers_mut().remove(header::AUTHORIZATION);
    request.headers_mut().remove(header::HOST);
    let answered = world.serving.client.request(request).await.map_err(|error| {
        tracing::debug!(%error, deployment = deployment.name, "no answer of a program");
        let message = format!("the container of deployment {} broke off", deployment.name);
        Refused::new(StatusCode::BAD_GATEWAY, "BadGateway", message).reason("model_error")
    })?;
    let (mut parts, body) = answered.into_parts();
    headers::remove_hop_by_hop(&mut parts.headers);
    if parts.status != StatusCode::OK {
        parts.headers.insert(STATUS, HeaderValue::from(parts.status.as_u16()));
        parts.headers.insert(REASON, HeaderValue::from_static("model_error"));
        parts.status = StatusCode::FAILED_DEPENDENCY;
    }
    Ok(Response::from_parts(parts, Body::new(ReplyBody::new(body, seat, end))))
}
