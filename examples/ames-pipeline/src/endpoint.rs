use std::net::SocketAddr;

use anyhow::ensure;
use reqwest::Client;
use serde_json::Value;
use spinney_artifact::ModelBundle;
use spinney_scoring::{BundleScorer, Key, Server, ServerOptions, Stopped};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A server for a bundle on this machine, with a key of its own.
pub(crate) struct Endpoint {
    address: SocketAddr,
    key: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<Stopped>>,
}

impl Endpoint {
    pub(crate) async fn start(bundle: ModelBundle) -> anyhow::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let options = ServerOptions::default().key(Key::new(&key));
        let server = Server::of(BundleScorer::new(bundle), options);
        let (stop, stopped) = oneshot::channel();
        let signal = async move { drop(stopped.await) };
        Ok(Self { address, key, stop, server: tokio::spawn(server.serve(listener, signal)) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/score", self.address)
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Sends a body and returns the answer's status and JSON.
    pub(crate) async fn score(&self, key: &str, body: &str) -> anyhow::Result<(u16, Value)> {
        let request = Client::new().post(self.url()).bearer_auth(key);
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_slice(&response.bytes().await?)?))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        ensure!(self.stop.send(()).is_ok(), "the server ended early");
        self.server.await??;
        Ok(())
    }
}
