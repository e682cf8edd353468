//! Serves a model that is no bundle: `AZUREML_MODEL_DIR=models cargo run -p custom-scorer`, with `models/linear.json` as
//! `{"intercept": 1000, "coefficients": {"GrLivArea": 110}}`
#![allow(clippy::print_stdout, reason = "a program talks")]

mod linear_model;

use anyhow::Context;
use spinney_scoring::{Deployment, Endpoint, Server, ServerOptions, shutdown_signal};
use tokio::net::TcpListener;

use crate::linear_model::LinearModel;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variable = |name: &str| std::env::var(name).ok();
    let model_dir =
        ServerOptions::model_dir(variable).context("AZUREML_MODEL_DIR names no folder")?;
    let deployment = Deployment::of_model_dir::<LinearModel>("linear", model_dir);
    let options = ServerOptions::default().environment(variable)?;
    let server = Server::new(Endpoint::new([(deployment, 100)])?, options);
    server.reload().await?;
    let port = std::env::args().nth(1).unwrap_or_else(|| "5001".to_owned());
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("serving on http://{}", listener.local_addr()?);
    server.serve(listener, shutdown_signal()).await?;
    Ok(())
}
