//! The whole road on one machine: from the Ames CSV to a scored request.
//!
//! `cargo run --release -p ames-pipeline` takes the workshop's defaults; `run --help` lists what can be changed.
#![allow(clippy::print_stdout, reason = "a program talks")]

mod endpoint;
mod report;
mod run;
mod stage;
mod workshop;

use clap::{Parser, Subcommand};

use crate::run::RunArgs;

/// Trains on Ames housing, writes a bundle, serves it and scores the workshop's request.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs all stages (the default).
    Run(RunArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Some(Command::Run(args)) => run::run(&args),
        None => run::run(&RunArgs::default()),
    }
}
