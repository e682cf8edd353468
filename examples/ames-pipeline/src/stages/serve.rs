use std::{env, net::IpAddr};

use anyhow::{Context, Result};
use clap::Args;
use spinney_scoring::{BundleScorer, Server, ServerOptions, shutdown_signal};
use tokio::net::TcpListener;

use crate::workshop;

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1", env = "SPINNEY_HOST")]
    host: IpAddr,
    /// The port.
    #[arg(long, default_value_t = workshop::SERVING_PORT, env = "SPINNEY_PORT")]
    port: u16,
}

pub(super) async fn run(args: &ServeArgs) -> Result<()> {
    let variable = |name: &str| env::var(name).ok();
    let folder = ServerOptions::model_dir(variable)
        .context("AZUREML_MODEL_DIR does not say where the model is")?;
    let scorer = BundleScorer::load(&folder)
        .map_err(anyhow::Error::from_boxed)
        .with_context(|| folder.display().to_string())?;
    let options = ServerOptions::default().environment(variable)?;
    let address = (args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address:?}"))?;
    println!("serving {} on http://{}", folder.display(), listener.local_addr()?);
    Server::of(scorer, options).serve(listener, shutdown_signal()).await?;
    Ok(())
}
