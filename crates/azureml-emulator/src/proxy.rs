use std::{io, sync::Arc};

use axum::{
    body::Body,
    http::{Method, Response, StatusCode},
};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{
    connections::{Connections, Ending, speak},
    faults::Reset,
    front::problem,
};

impl Connections {
    /// HTTP/1.1 without TLS: `CONNECT` to one of Azure's names, behind which the emulator itself speaks TLS. There is no way
    /// through to anything else.
    pub(crate) async fn speak_proxy(
        self: Arc<Self>,
        stream: TcpStream,
        ending: Ending,
    ) -> io::Result<()> {
        let tunnels = ending.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (connections, ending) = (Arc::clone(&self), tunnels.clone());
            async move { connections.relay(request, ending).await }
        });
        speak(stream, service, ending).await
    }

    async fn relay(
        self: Arc<Self>,
        request: Request<Incoming>,
        ending: Ending,
    ) -> Result<Response<Body>, Reset> {
        if request.method() != Method::CONNECT {
            return self.front.receive_plain(request.map(Body::new)).await;
        }
        let host = request.uri().authority().map(|authority| authority.host().to_lowercase());
        let host = host.unwrap_or_default();
        if !is_ours(&host) {
            tracing::warn!(host, "a client wanted to leave this machine");
            let text =
                format!("the emulator does not stand for {host}, and its proxy leads nowhere else");
            return Ok(problem(StatusCode::FORBIDDEN, "NoWayOut", &text));
        }
        tokio::spawn(async move {
            let upgraded = match hyper::upgrade::on(request).await {
                Ok(upgraded) => TokioIo::new(upgraded),
                Err(error) => return tracing::debug!(%error, "a tunnel was not taken"),
            };
            if let Err(error) = self.speak_tls(upgraded, ending).await {
                tracing::debug!(%error, host, "a connection broke off");
            }
        });
        Ok(Response::new(Body::empty()))
    }
}

fn is_ours(host: &str) -> bool {
    matches!(host, "management.azure.com" | "login.microsoftonline.com" | "localhost" | "127.0.0.1")
        || [".blob.core.windows.net", ".api.azureml.ms", ".inference.ml.azure.com"]
            .iter()
            .any(|suffix| host.ends_with(suffix))
}
