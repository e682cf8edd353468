//! Serves a bundle over HTTP: `cargo run --release -p serve-bundle -- ames.bundle --port 5001 --key secret`
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use anyhow::Context;
use clap::Parser;
use spinney_artifact::ModelBundle;
use spinney_scoring::{BundleScorer, Key, ServerOptions, router, serve, shutdown_signal};
use tokio::net::TcpListener;

/// Serves a bundle: GET / for liveness, POST /score for predictions.
#[derive(Parser)]
struct Args {
    /// The file that a training run saved.
    bundle: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 5001)]
    port: u16,
    /// Key that clients have to send [default: none, anybody may score].
    #[arg(long)]
    key: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let bundle = ModelBundle::load(&args.bundle)?;
    let options = match &args.key {
        Some(key) => ServerOptions::default().key(Key::new(key)),
        None => ServerOptions::default(),
    };
    let address = (args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address:?}"))?;
    println!("serving {} on http://{}", args.bundle.display(), listener.local_addr()?);
    serve(listener, router(Arc::new(BundleScorer::new(bundle)), options), shutdown_signal())
        .await?;
    Ok(())
}
