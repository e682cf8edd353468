//! Trains a forest on any matrix: `cargo run --release -p train-forest -- --x X.npy --y Y.npy --seed 42 --dump forest.bin`
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{fs, num::NonZeroUsize, ops::Range, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ndarray::{Array, Dimension};
use ndarray_npy::{ReadNpyError, read_npy, write_npy};
use spinney_forest::{
    Criterion, Fidelity, MaxFeatures, RandomForest, RowCount, Splitter, metrics::RegressionReport,
};

/// Trains a random forest on .npy arrays of f32 or f64 and writes its canonical bytes and predictions.
#[derive(Parser)]
#[command(allow_negative_numbers = true)]
struct Args {
    /// Features, rows x columns; NaN is missing.
    #[arg(long)]
    x: PathBuf,
    /// Targets, one for each row.
    #[arg(long)]
    y: PathBuf,
    /// Number of trees.
    #[arg(long, default_value_t = 100)]
    n_estimators: usize,
    /// Seed of all random choices.
    #[arg(long, alias = "random-state", default_value_t = 0)]
    seed: u32,
    /// What splits decrease: squared_error, friedman_mse (the same), absolute_error or poisson.
    #[arg(long, default_value = "squared_error")]
    criterion: Criterion,
    /// Whether splits are searched on targets that may be rounded, for speed; the forest is then not scikit-learn's.
    #[arg(long)]
    fast: bool,
    /// How a feature is split: best, or random (extremely randomised trees).
    #[arg(long, default_value = "best")]
    splitter: Splitter,
    /// Features a split looks at: all, sqrt, log2, a count or a fraction.
    #[arg(long, default_value = "all")]
    max_features: MaxFeatures,
    /// Splits between the root and a leaf at most [default: no limit].
    #[arg(long)]
    max_depth: Option<usize>,
    /// Rows below which a node is not split: a count or a fraction.
    #[arg(long, default_value = "2")]
    min_samples_split: RowCount,
    /// Rows each side of a split keeps: a count or a fraction.
    #[arg(long, default_value = "1")]
    min_samples_leaf: RowCount,
    /// Share of all weight that each side of a split keeps.
    #[arg(long, default_value_t = 0.0)]
    min_weight_fraction_leaf: f64,
    /// Leaves at most; the best split comes first [default: no limit].
    #[arg(long)]
    max_leaf_nodes: Option<usize>,
    /// Impurity decrease for each leaf more that a subtree must bring to be kept.
    #[arg(long, default_value_t = 0.0)]
    ccp_alpha: f64,
    /// For each feature 1 if predictions may only rise with it, -1 if they may only fall, or 0.
    #[arg(long, value_delimiter = ',')]
    monotonic_cst: Vec<i8>,
    /// Weight of each row, one for each row of x.
    #[arg(long)]
    sample_weight: Option<PathBuf>,
    /// Impurity decrease below which a split is not made.
    #[arg(long, default_value_t = 0.0)]
    min_impurity_decrease: f64,
    /// Whether each tree sees rows drawn with replacement.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    bootstrap: bool,
    /// Rows drawn for each tree: a count or a fraction [default: as many as there are].
    #[arg(long)]
    max_samples: Option<RowCount>,
    /// Also predict each row by the trees that did not see it.
    #[arg(long)]
    oob_score: bool,
    /// Threads [default: one for each core].
    #[arg(long)]
    n_threads: Option<NonZeroUsize>,
    /// Fits only these trees, of 0..n_estimators, as a shard for merge-forest: 25..50, say.
    #[arg(long, requires = "shard", value_parser = range, conflicts_with_all = ["dump", "predict"])]
    trees: Option<Range<usize>>,
    /// Writes the shard.
    #[arg(long, requires = "trees")]
    shard: Option<PathBuf>,
    /// Writes the forest's canonical bytes.
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Rows to predict.
    #[arg(long, requires = "out")]
    predict: Option<PathBuf>,
    /// Writes the predictions as f64.
    #[arg(long, requires = "predict")]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let x = read::<ndarray::Ix2>(&args.x)?;
    let y = read::<ndarray::Ix1>(&args.y)?;
    let mut params = RandomForest::params()
        .n_estimators(args.n_estimators)
        .criterion(args.criterion)
        .splitter(args.splitter)
        .fidelity(if args.fast { Fidelity::Fast } else { Fidelity::Exact })
        .seed(args.seed)
        .max_features(args.max_features)
        .max_depth(args.max_depth)
        .min_samples_split(args.min_samples_split)
        .min_samples_leaf(args.min_samples_leaf)
        .min_weight_fraction_leaf(args.min_weight_fraction_leaf)
        .max_leaf_nodes(args.max_leaf_nodes)
        .min_impurity_decrease(args.min_impurity_decrease)
        .ccp_alpha(args.ccp_alpha)
        .monotonic_cst(args.monotonic_cst)
        .bootstrap(args.bootstrap)
        .oob_score(args.oob_score)
        .n_threads(args.n_threads);
    if let Some(max_samples) = args.max_samples {
        params = params.max_samples(max_samples);
    }
    let weight = args.sample_weight.as_ref().map(read::<ndarray::Ix1>).transpose()?;
    if let (Some(trees), Some(path)) = (args.trees, args.shard) {
        let shard = match weight {
            None => params.fit_shard(trees, x.view(), y.view())?,
            Some(weight) => params.fit_shard_weighted(trees, x.view(), y.view(), weight.view())?,
        };
        let (trees, n_estimators) = (shard.trees(), shard.n_estimators());
        println!("trees {}..{} of {n_estimators}", trees.start, trees.end);
        return fs::write(&path, shard.to_bytes()).with_context(|| format!("{}", path.display()));
    }
    let forest = match weight {
        None => params.fit_arrays(x.view(), y.view())?,
        Some(weight) => params.fit_weighted(x.view(), y.view(), weight.view())?,
    };

    let n_nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
    let fitted = forest.try_predict(x.view())?;
    println!("{} trees, {n_nodes} nodes", forest.trees().len());
    println!("on the training rows: {}", RegressionReport::new(y.view(), fitted.view())?);
    if let Some(out_of_bag) = forest.out_of_bag() {
        println!("out of bag: R² {}", out_of_bag.r2());
    }
    if let Some(path) = args.dump {
        fs::write(&path, forest.to_canonical_bytes())
            .with_context(|| format!("{}", path.display()))?;
    }
    if let (Some(rows), Some(out)) = (args.predict, args.out) {
        let prediction = forest.try_predict(read::<ndarray::Ix2>(&rows)?.view())?;
        write_npy(&out, &prediction).with_context(|| format!("{}", out.display()))?;
    }
    Ok(())
}

/// Numbers of trees, the end not among them: `25..50`.
fn range(text: &str) -> Result<Range<usize>, &'static str> {
    let ends = text.split_once("..").map(|(start, end)| (start.parse(), end.parse()));
    match ends {
        Some((Ok(start), Ok(end))) => Ok(start..end),
        _ => Err("give a range such as 25..50"),
    }
}

/// Reads an array of `f64` or `f32`, in any memory layout.
fn read<D: Dimension>(path: &PathBuf) -> Result<Array<f64, D>> {
    let array = match read_npy::<_, Array<f64, D>>(path) {
        Err(ReadNpyError::WrongDescriptor(_)) => {
            read_npy::<_, Array<f32, D>>(path).map(|array| array.mapv(f64::from))
        }
        other => other,
    };
    let array =
        array.with_context(|| format!("{} is not a .npy array of f32 or f64", path.display()))?;
    ensure!(!array.is_empty(), "{} is empty", path.display());
    Ok(array)
}
