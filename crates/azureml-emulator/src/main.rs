//! A local Azure Machine Learning: `spinney-azureml-emulator --state DIR`.
#![allow(clippy::print_stdout, reason = "a program talks")]
#![allow(clippy::print_stderr, reason = "a program complains")]

mod args;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use spinney_azureml_emulator::{Clock, Emulator, Environment, Shell, Way};
use tracing_subscriber::{EnvFilter, fmt};

use crate::args::{Args, Command};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(Command::Env { shell, way }) = args.command {
        let environment = Environment::read(&args.state).with_context(|| {
            format!("no emulator has been started with {}", args.state.display())
        })?;
        print!("{}", environment.script(way.into(), shell.into()));
        return Ok(());
    }
    let filter = EnvFilter::builder().parse(&args.log).context("--log")?;
    fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();

    let mut builder = Emulator::builder(&args.state)
        .port(args.port)
        .proxy_port(args.proxy_port)
        .clock(Clock::scaled(args.time_scale)?);
    if let Some(id) = args.subscription {
        builder = builder.subscription(id);
    }
    if let Some(id) = args.tenant {
        builder = builder.tenant(id);
    }
    if let Some(name) = args.resource_group {
        builder = builder.resource_group(name);
    }
    if let Some(name) = args.workspace {
        builder = builder.workspace(name);
    }
    if let Some(location) = args.location {
        builder = builder.location(location);
    }
    if let Some(path) = args.python {
        builder = builder.python(path);
    }
    let emulator = builder.start().await?;
    announce(&emulator);
    stop_signal().await;
    emulator.shutdown().await;
    Ok(())
}

/// Says where the emulator is and how programs get there, in the words of this system's shell.
fn announce(emulator: &Emulator) {
    let shell = if cfg!(windows) { Shell::PowerShell } else { Shell::Posix };
    let environment = emulator.environment();
    println!("emulator at https://localhost:{}", emulator.address().port());
    println!("proxy at http://{}", emulator.proxy_address());
    println!("certificate authority in {}", emulator.ca_path().display());
    println!("\nWhoever has what follows may do everything here.\n");
    println!("By Azure's own names, through the proxy:\n{}", environment.script(Way::Proxy, shell));
    println!(
        "Or without a proxy, as a cloud of its own:\n{}",
        environment.script(Way::CloudMetadata, shell)
    );
    println!(
        "For the metadata service of virtual machines instead of MSI_ENDPOINT:\nAZURE_POD_IDENTITY_AUTHORITY_HOST={}",
        environment.imds_url()
    );
    println!("\nready");
}

/// Completes when the process is told to stop: by Ctrl-C, and on Unix by SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
