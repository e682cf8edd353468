//! The whole road: from the Ames CSV to a live Azure Machine Learning endpoint, on this machine or in Azure.
//!
//! `cargo run --release -p ames-pipeline` walks it against an emulator, at no cost; `--help` lists what can be changed. `run` stays within
//! one process: no pipeline, no endpoint but its own. The other subcommands are the pipeline's stages.
#![allow(clippy::print_stdout, reason = "a program talks")]

mod endpoint;
mod fit;
mod html;
mod report;
mod run;
mod stage;
mod stages;
mod workshop;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains, writes a bundle, serves it and scores the workshop's request, all in this process.
    Run(run::RunArgs),
    #[command(flatten)]
    Stage(stages::Stage),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Stage(stage) => stage.run(),
    }
}
