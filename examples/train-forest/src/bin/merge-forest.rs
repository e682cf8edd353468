//! Joins the shards of a forest:
//! `cargo run --release -p train-forest --bin merge-forest -- 0.shard 1.shard --dump forest.bin`
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use spinney_forest::{ForestShard, RandomForest};

/// Joins the shards that train-forest --trees has written, in any order, and writes the forest's canonical bytes.
#[derive(Parser)]
struct Args {
    /// The shards: all trees, each once.
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    /// Writes the forest's canonical bytes.
    #[arg(long)]
    dump: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let read = |path: &PathBuf| {
        let bytes = fs::read(path).with_context(|| format!("{}", path.display()))?;
        ForestShard::from_bytes(&bytes).with_context(|| format!("{}", path.display()))
    };
    let shards = args.shards.iter().map(read).collect::<Result<_>>()?;
    let forest = RandomForest::from_shards(shards)?;
    let n_nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
    println!("{} trees, {n_nodes} nodes", forest.trees().len());
    if let Some(out_of_bag) = forest.out_of_bag() {
        println!("out of bag: R² {}", out_of_bag.r2());
    }
    if let Some(path) = args.dump {
        fs::write(&path, forest.to_canonical_bytes())
            .with_context(|| format!("{}", path.display()))?;
    }
    Ok(())
}
