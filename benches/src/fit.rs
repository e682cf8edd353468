//! Seconds of CPU time for one fit, reading and writing not counted: `benches/peers/train.py` runs it beside scikit-learn.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{fs, num::NonZeroUsize, path::PathBuf};

use anyhow::Result;
use clap::Parser;
use cpu_time::ProcessTime;
use ndarray::{Array1, Array2};
use ndarray_npy::read_npy;
use spinney_forest::{MaxFeatures, RandomForest};

/// Fits a random forest to .npy arrays and prints the CPU seconds that took.
#[derive(Parser)]
struct Args {
    /// Features, f32, rows x columns.
    #[arg(long)]
    x: PathBuf,
    /// Targets, f64.
    #[arg(long)]
    y: PathBuf,
    /// Number of trees.
    #[arg(long, default_value_t = 100)]
    n_estimators: usize,
    /// Features a split looks at: all, sqrt, log2, a count or a fraction.
    #[arg(long, default_value = "all")]
    max_features: MaxFeatures,
    /// Threads.
    #[arg(long, default_value = "1")]
    n_threads: NonZeroUsize,
    /// Writes the forest's canonical bytes.
    #[arg(long)]
    dump: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let x: Array2<f32> = read_npy(&args.x)?;
    let y: Array1<f64> = read_npy(&args.y)?;
    let params = RandomForest::params()
        .n_estimators(args.n_estimators)
        .seed(42)
        .max_features(args.max_features)
        .n_threads(args.n_threads);
    let start = ProcessTime::now();
    let forest = params.fit_arrays(x.view(), y.view())?;
    println!("{}", start.elapsed().as_secs_f64());
    if let Some(path) = args.dump {
        fs::write(path, forest.to_canonical_bytes())?;
    }
    Ok(())
}
