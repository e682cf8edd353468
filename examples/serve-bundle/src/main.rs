//! Serves a bundle over HTTP: `cargo run --release -p serve-bundle -- ames.bundle --port 5001 --key secret`
#![allow(clippy::print_stdout, reason = "a program talks")]
#![allow(clippy::print_stderr, reason = "a program complains")]

mod args;
mod logging;

use std::{convert::Infallible, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use spinney_scoring::{FileWatch, Keys, Server, Stopped, shutdown_signal};
use tokio::{net::TcpListener, sync::oneshot};

use crate::args::Args;

/// How often the file with the keys is looked at.
const KEY_INTERVAL: Duration = Duration::from_secs(1);

// Connections have threads of their own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    // As the original: one code for all that is wrong before the first request.
    let (spans, server, listener, keys) = match set_up(&args).await {
        Ok(parts) => parts,
        Err(error) => {
            eprintln!("Configuration Error: {error:#}");
            return ExitCode::from(3);
        }
    };
    let result = run(&args, server, listener, keys).await;
    if let Some(Err(error)) = spans.map(|spans| spans.shutdown()) {
        eprintln!("the last spans were not exported: {error}");
    }
    match result {
        Ok(Ok(Stopped { n_cut_off: 0, .. })) => ExitCode::SUCCESS,
        Ok(Ok(Stopped { n_cut_off, .. })) => {
            eprintln!("{n_cut_off} connections were cut off with a request under way");
            ExitCode::from(4)
        }
        Ok(Err(error)) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("Configuration Error: {error:#}");
            ExitCode::from(3)
        }
    }
}

type Parts =
    (Option<opentelemetry_sdk::trace::SdkTracerProvider>, Server, TcpListener, Option<Keys>);

async fn set_up(args: &Args) -> anyhow::Result<Parts> {
    let spans = logging::set_up(args)?;
    let keys = args.keys()?;
    let server = Server::new(args.endpoint()?, args.options(keys.clone())?);
    let address = (args.host, args.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address:?}"))?;
    Ok((spans, server, listener, keys))
}

/// Serves while the models are loaded, so that who asks is told to come again, and ends if that fails: the outer error.
async fn run(
    args: &Args,
    server: Server,
    listener: TcpListener,
    keys: Option<Keys>,
) -> anyhow::Result<anyhow::Result<Stopped>> {
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let end = async {
        tokio::select! {
            () = shutdown_signal() => {}
            _ = stopped => {}
        }
    };
    let serving = server.clone().serve(listener, end);
    let loading = async {
        if let Err(error) = server.reload().await {
            // The receiver lives as long as the server.
            let _ = stop.send(());
            return Err::<Infallible, _>(error);
        }
        let names = server.endpoint().deployments().iter().map(|deployment| deployment.name());
        let names: Vec<&str> = names.collect();
        println!("serving {} on {}://{address}", names.join(", "), args.scheme());
        watch(args, &server, keys).await;
        std::future::pending().await
    };
    tokio::pin!(serving, loading);
    tokio::select! {
        served = &mut serving => Ok(served.map_err(Into::into)),
        Err(error) = &mut loading => {
            serving.await?;
            Err(error.into())
        }
    }
}

/// Loads what has changed, again and again.
async fn watch(args: &Args, server: &Server, keys: Option<Keys>) {
    let bundles = args.bundles().unwrap_or_default().into_iter().map(|(_, path)| path);
    tokio::join!(
        watch_bundles(args, server, bundles.collect()),
        watch_keys(args.key_file.clone(), keys.clone()),
        reload_on_signal(args, server, keys),
    );
}

async fn watch_bundles(args: &Args, server: &Server, bundles: Vec<PathBuf>) {
    let Some(seconds) = args.watch else { return };
    let interval = Duration::from_secs(seconds.get() as u64);
    let mut watches: Vec<FileWatch> = bundles.into_iter().map(FileWatch::new).collect();
    loop {
        tokio::time::sleep(interval).await;
        let changed = watches.iter_mut().fold(false, |any, watch| watch.has_changed() | any);
        if changed {
            // What went wrong is in the log.
            let _ = server.reload().await;
        }
    }
}

async fn watch_keys(file: Option<PathBuf>, keys: Option<Keys>) {
    let (Some(file), Some(keys)) = (file, keys) else { return };
    let mut watch = FileWatch::new(&file);
    loop {
        watch.changed(KEY_INTERVAL).await;
        reload_keys(&keys, &file);
    }
}

fn reload_keys(keys: &Keys, file: &PathBuf) {
    match keys.reload(file) {
        Ok(()) => tracing::info!("the keys are loaded"),
        Err(error) => tracing::error!(%error, "the keys stay as they are"),
    }
}

#[cfg(unix)]
async fn reload_on_signal(args: &Args, server: &Server, keys: Option<Keys>) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        if let (Some(file), Some(keys)) = (&args.key_file, &keys) {
            reload_keys(keys, file);
        }
        // What went wrong is in the log.
        let _ = server.reload().await;
    }
}

#[cfg(not(unix))]
async fn reload_on_signal(_: &Args, _: &Server, _: Option<Keys>) {
    std::future::pending().await
}
