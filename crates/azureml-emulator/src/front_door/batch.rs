use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{Method, Response},
};

use crate::{
    arm::{self, Plane},
    door::Door,
    front::{broken, read},
    world::World,
};

/// Answers a request to a batch endpoint's own address, whose paths are those behind the endpoint's id.
pub(super) async fn answer(
    world: &Arc<World>,
    door: Door,
    id: &str,
    path: &str,
    request: Request,
) -> Response<Body> {
    let whole = format!("{id}{path}");
    let parts = whole.split('/').filter(|part| !part.is_empty());
    let segments: Vec<String> = parts.map(str::to_owned).collect();
    ask(world, door, segments, request).await
}

/// Has the machine-learning service answer a request, by the path that it has there.
pub(crate) async fn ask(
    world: &Arc<World>,
    door: Door,
    path: Vec<String>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let world = Arc::clone(world);
    // The database makes a thread wait for the disk.
    let answered = tokio::task::spawn_blocking(move || {
        let response = arm::answer_on(Plane::Learning, &world, door, &parts, &path, &body);
        if parts.method != Method::GET {
            world.wake();
        }
        response
    });
    answered.await.unwrap_or_else(|_| broken())
}
