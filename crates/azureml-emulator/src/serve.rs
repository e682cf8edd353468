//! The scoring runtime, which the emulator starts for deployments without a scoring script.

use std::{net::IpAddr, process::ExitCode};

use anyhow::Context;
use clap::Args;
use spinney_scoring::{AnswerStyle, BundleScorer, Server, ServerOptions, Stopped, shutdown_signal};
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1", env = "SPINNEY_HOST")]
    host: IpAddr,
    /// Port to listen on.
    #[arg(long, env = "SPINNEY_PORT")]
    port: u16,
    /// Form of answers: native, list, json-string.
    #[arg(long, default_value_t, env = "SPINNEY_ANSWER_STYLE")]
    answer_style: AnswerStyle,
}

/// Serves the bundle in `AZUREML_MODEL_DIR`, with the exit codes of Azure ML's server: 3 if there is nothing to serve.
pub(crate) async fn serve(args: &ServeArgs) -> ExitCode {
    let (server, listener) = match set_up(args).await {
        Ok(parts) => parts,
        Err(error) => {
            eprintln!("Configuration Error: {error:#}");
            return ExitCode::from(3);
        }
    };
    match server.serve(listener, shutdown_signal()).await {
        Ok(Stopped { n_cut_off: 0, .. }) => ExitCode::SUCCESS,
        Ok(Stopped { n_cut_off, .. }) => {
            eprintln!("{n_cut_off} connections were cut off with a request under way");
            ExitCode::from(4)
        }
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn set_up(args: &ServeArgs) -> anyhow::Result<(Server, TcpListener)> {
    let variable = |name: &str| std::env::var(name).ok();
    let options = ServerOptions::default().environment(variable)?.answer_style(args.answer_style);
    let folder = ServerOptions::model_dir(variable);
    let folder = folder.context("there is no model: AZUREML_MODEL_DIR is not set")?;
    let scorer = tokio::task::spawn_blocking(move || {
        // Its errors are no `anyhow` ones.
        BundleScorer::load(&folder).map_err(|error| anyhow::anyhow!(error.to_string()))
    });
    let scorer = scorer.await?.context("the model")?;
    let address = (args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address:?}"))?;
    println!("serving on http://{}", listener.local_addr()?);
    Ok((Server::of(scorer, options), listener))
}
