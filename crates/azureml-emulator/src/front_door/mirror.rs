use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
};
use http_body_util::{BodyExt, Limited};

use super::{
    Refused, forward,
    table::{Deployment, Endpoint},
};
use crate::world::World;

/// The longest body that is copied; of longer ones, and of those that do not say how long they are, there is no copy.
const MAX_COPY: u64 = 4 << 20;

/// Sends a copy to the deployment that mirrors, if there is one and it is its turn. What that answers nobody learns.
pub(super) async fn copy(
    world: &Arc<World>,
    endpoint: &Endpoint,
    original: &Deployment,
    path: &str,
    request: Request,
) -> Result<Request, Refused> {
    let Some(deployment) = endpoint.by_mirror().filter(|mirror| mirror.name != original.name)
    else {
        return Ok(request);
    };
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let is_short =
        length.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length <= MAX_COPY);
    let (true, Some(fleet)) = (is_short, deployment.live.fleet()) else { return Ok(request) };
    let (parts, body) = request.into_parts();
    let limit = usize::try_from(MAX_COPY).unwrap_or(usize::MAX);
    let collected = Limited::new(body, limit)
        .collect()
        .await
        .map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "InvalidBody", "the body broke off"))?;
    let bytes = collected.to_bytes();
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let (world, deployment, path) = (Arc::clone(world), Arc::clone(deployment), path.to_owned());
    tokio::spawn(async move {
        let timeout = fleet.spec.timeout;
        let asked = async {
            // It may be too busy, or broken: that is for its log.
            if let Ok(response) = forward::ask(&world, fleet, &deployment, &path, copy).await {
                let _ = Limited::new(response.into_body(), limit).collect().await;
            }
        };
        let _ = tokio::time::timeout(timeout, asked).await;
    });
    Ok(Request::from_parts(parts, Body::from(bytes)))
}
