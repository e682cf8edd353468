//! The whole road: from the Ames CSV to a live Azure Machine Learning endpoint, on this machine or in Azure.
//!
//! `cargo run --release -p ames-pipeline` walks it against an emulator, at no cost; `--help` lists what can be changed. `run` stays within
//! one process: no pipeline, no endpoint but its own. The other subcommands are the pipeline's stages.
#![allow(clippy::print_stdout, reason = "a program talks")]

mod endpoint;
mod fit;
mod html;
mod report;
mod road;
mod run;
mod stage;
mod stages;
mod workshop;

use clap::{Parser, Subcommand};

/// Walks the whole road in Azure Machine Learning, or in an emulator of it within this process: data, cluster, pipeline, model, endpoint,
/// answer, clean-up.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    road: road::RoadArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Trains, writes a bundle, serves it and scores the workshop's request, all in this process.
    Run(run::RunArgs),
    #[command(flatten)]
    Stage(stages::Stage),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Stage(stage)) => stage.run(),
        None => tokio::runtime::Runtime::new()?.block_on(road::walk(&cli.road)),
    }
}
