use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, header},
};

use super::{NEWEST_VERSION, Storage, remove_hop_by_hop};
use crate::{
    blob::{
        access,
        refusal::{Answer, Refusal},
        target::Target,
    },
    door::Door,
    world::World,
};

impl Storage {
    /// Has Azurite answer a request, body by body as they come.
    pub(in crate::blob) async fn forward(
        &self,
        world: &Arc<World>,
        door: Door,
        target: Target,
        body: Body,
    ) -> Answer {
        let is_signed = target.parameter("sig").is_some();
        if !is_signed {
            access::authorise(world, door, &target, world.clock.now())?;
        }
        let unreachable = |error: std::io::Error| {
            tracing::error!(%error, "Azurite");
            Refusal::new(502, "AzuriteUnreachable", error.to_string())
        };
        self.make_known_container(world, &target.container).await.map_err(unreachable)?;
        let path = target.uri.path().trim_start_matches('/');
        let path = match door {
            Door::Azure => path,
            Door::Local { .. } => path.split_once('/').map_or("", |(_, rest)| rest),
        };
        let mut request = Request::new(body);
        *request.method_mut() = target.method.clone();
        *request.uri_mut() = self.uri(path, target.uri.query()).map_err(unreachable)?;
        let headers = request.headers_mut();
        headers.clone_from(&target.headers);
        remove_hop_by_hop(headers);
        let version = target.header("x-ms-version").unwrap_or_default();
        if version > NEWEST_VERSION || version.is_empty() {
            headers.insert("x-ms-version", HeaderValue::from_static(NEWEST_VERSION));
        }
        let sent = if is_signed {
            headers.remove(header::AUTHORIZATION);
            self.send(request).await
        } else {
            self.send_signed(request).await
        };
        let mut response = sent.map_err(unreachable)?;
        let code = response.headers().get("x-ms-error-code");
        if response.status() == StatusCode::NOT_FOUND
            && code.is_some_and(|code| code == "ContainerNotFound")
        {
            self.forget_container(&target.container);
        }
        remove_hop_by_hop(response.headers_mut());
        Ok(Response::map(response, Body::new))
    }
}
