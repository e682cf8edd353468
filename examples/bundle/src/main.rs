//! Looks into bundles, and moves models in and out of them: `cargo run -p bundle -- inspect ames.bundle`
#![allow(clippy::print_stdout, reason = "a program talks")]

mod card;

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use spinney_artifact::{BundleInfo, BundleMetadata, ModelBundle, ScikitLearnExport};

use crate::card::Card;

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the model card of a bundle
    Inspect {
        /// The bundle
        bundle: PathBuf,
        /// As JSON, for machines
        #[arg(long)]
        json: bool,
        /// Only what the header says: takes no time, however large the forest is, and checks the header only
        #[arg(long)]
        header_only: bool,
        /// How many features to name, the most important first
        #[arg(long, default_value_t = 10)]
        top: usize,
    },
    /// Write a bundle as an ONNX model, for runtimes in which there is no Rust
    Onnx {
        /// The bundle
        bundle: PathBuf,
        /// Where the model goes
        model: PathBuf,
    },
    /// Make a bundle of what export_scikit_learn.py wrote
    Import {
        /// The export
        export: PathBuf,
        /// Where the bundle goes
        bundle: PathBuf,
        /// Name of the model
        #[arg(long)]
        name: String,
        /// Version of the model
        #[arg(long, default_value = "1")]
        version: String,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Inspect { bundle, json, header_only, top } => {
            let info = BundleInfo::read(&bundle)?;
            let forest = if header_only { None } else { Some(ModelBundle::load(&bundle)?) };
            let card = Card::new(&info, forest.as_ref().map(ModelBundle::forest), top);
            if json {
                println!("{}", serde_json::to_string_pretty(&card.to_json())?);
            } else {
                print!("{card}");
            }
        }
        Command::Onnx { bundle, model } => {
            let bytes = ModelBundle::load(&bundle)?.to_onnx()?;
            fs::write(&model, &bytes).with_context(|| model.display().to_string())?;
            println!("{}: {} bytes", model.display(), bytes.len());
        }
        Command::Import { export, bundle, name, version } => {
            let json = fs::read_to_string(&export).with_context(|| export.display().to_string())?;
            let export = ScikitLearnExport::from_json(&json)?;
            let made = export.into_bundle(BundleMetadata::new(name, version))?;
            made.save(&bundle)?;
            println!("{}: {}", bundle.display(), made.fingerprint());
        }
    }
    Ok(())
}
