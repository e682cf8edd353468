//! Scores files with a bundle: `score-batch ames.bundle houses.csv more/ --output predictions`.
#![allow(clippy::print_stdout, reason = "a program talks")]

mod args;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use args::{Command, ExecutorArgs, Program, SchedulerArgs, ScoreArgs};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use spinney_scale::{
    Batch, Engine, EngineOptions, Executor, Location, Model, Scheduler, inputs_in,
};
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match Program::parse() {
        Program { command: Some(Command::Scheduler(args)), .. } => {
            Runtime::new()?.block_on(scheduler(args))
        }
        Program { command: Some(Command::Executor(args)), .. } => {
            Runtime::new()?.block_on(executor(args))
        }
        Program { score: Some(args), .. } if args.cluster.is_some() => {
            Runtime::new()?.block_on(score(args))
        }
        Program { score: Some(args), .. } => Engine::runtime()?.block_on(score(args)),
        Program { .. } => Ok(()),
    }
}

async fn score(args: ScoreArgs) -> Result<()> {
    let mut options = EngineOptions::default().partitions(args.partitions);
    if let Some(megabytes) = args.memory_limit {
        options = options.memory_limit(megabytes << 20);
    }
    let engine = match &args.cluster {
        Some(scheduler) => Engine::cluster(scheduler, &options).await?,
        None => Engine::embedded(&options)?,
    };
    let model = Model::load(&Location::parse(&args.bundle)?, engine.stores()).await?;
    let mut inputs = Vec::new();
    for input in &args.inputs {
        inputs.extend(inputs_in(&Location::parse(input)?, engine.stores()).await?);
    }

    let bar = ProgressBar::new(inputs.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} files, {msg}")?);
    let mut batch = Batch::new(model, inputs, Location::parse(&args.output)?)
        .attempts(args.attempts)
        .prediction_column(&args.column);
    if let Some(files) = args.in_flight {
        batch = batch.in_flight(files);
    }
    let (mut rows, mut skipped) = (0, 0);
    let manifest = batch
        .run(&engine, |done| {
            rows += done.file.rows;
            skipped += usize::from(done.skipped);
            bar.set_message(format!("{rows} rows"));
            bar.set_position(done.n_done as u64);
        })
        .await;
    bar.finish_and_clear();
    let manifest = manifest?;
    let (files, rows) = (manifest.files.len(), manifest.rows);
    println!("{rows} rows in {files} files, {skipped} of them done before: {}", args.output);
    Ok(())
}

async fn scheduler(args: SchedulerArgs) -> Result<()> {
    let address = SocketAddr::new(args.host, args.port);
    Ok(Scheduler::new(address).executor_timeout(args.executor_timeout.into()).run().await?)
}

async fn executor(args: ExecutorArgs) -> Result<()> {
    let url = args.scheduler.strip_prefix("df://").unwrap_or(&args.scheduler);
    let (host, port) = url.rsplit_once(':').context("the scheduler is df://HOST:PORT")?;
    let port = port.trim_end_matches('/').parse().context("the scheduler's port")?;
    let address = SocketAddr::new(args.host, args.port);
    let mut executor = Executor::new(address, host, port).heartbeat(args.heartbeat.into());
    if let Some(port) = args.control_port {
        executor = executor.control_port(port);
    }
    if let Some(cores) = args.cores {
        executor = executor.cores(cores.get());
    }
    if let Some(megabytes) = args.memory_limit {
        executor = executor.memory_limit(megabytes << 20);
    }
    Ok(executor.run().await?)
}
