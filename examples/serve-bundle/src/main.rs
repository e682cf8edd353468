//! Serves a bundle over HTTP: `cargo run --release -p serve-bundle -- ames.bundle --port 5001 --key secret`
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use anyhow::Context;
use clap::Parser;
use spinney_artifact::ModelBundle;
use spinney_scoring::{
    AnswerStyle, BundleScorer, Key, ServerOptions, router, serve, shutdown_signal,
};
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
    /// Form of answers: native, or as the workshop's scripts answer (and guess): list, json-string.
    #[arg(long, default_value_t)]
    answer_style: AnswerStyle,
    /// Answer what cannot be scored with 200 and {"error"} in a JSON string, as the workshop's first script does.
    #[arg(long)]
    errors_in_answers: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let bundle = ModelBundle::load(&args.bundle)?;
    let mut options = ServerOptions::default()
        .answer_style(args.answer_style)
        .errors_in_answers(args.errors_in_answers);
    if let Some(key) = &args.key {
        options = options.key(Key::new(key));
    }
    let address = (args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address:?}"))?;
    println!("serving {} on http://{}", args.bundle.display(), listener.local_addr()?);
    serve(listener, router(Arc::new(BundleScorer::new(bundle)), options), shutdown_signal())
        .await?;
    Ok(())
}
