//! How training grows with rows, features and threads: `cargo run --release -p benches --bin scaling`.
//!
//! Friedman #1 with noise, and with targets rounded to 1/1024, so that sums are exact; wall seconds, minimum of three rounds
//! that are taken in turn.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{num::NonZeroUsize, time::Instant};

use anyhow::Result;
use ndarray::{Array1, Array2, s};
use spinney_forest::RandomForest;
use spinney_numpy_random::RandomState;

const ROUNDS: usize = 3;

struct Case {
    n_rows: usize,
    n_features: usize,
    n_threads: usize,
    n_trees: usize,
}

fn main() -> Result<()> {
    let case = |n_rows, n_features| Case { n_rows, n_features, n_threads: 1, n_trees: 4 };
    let rows = [10_000, 100_000, 1_000_000].map(|n_rows| case(n_rows, 20));
    let features = [5, 10, 20, 40].map(|n_features| case(50_000, n_features));
    let threads = [1, 2].map(|n_threads| Case { n_threads, n_trees: 20, ..case(50_000, 20) });
    let cases: Vec<Case> = rows.into_iter().chain(features).chain(threads).collect();

    let (x, y) = friedman(1_000_000, 40);
    let rounded = y.mapv(|y| (y * 1024.0).round() / 1024.0);
    let targets = [("real", y), ("rounded", rounded)];
    let mut fastest = vec![[f64::INFINITY; 2]; cases.len()];
    for _ in 0..ROUNDS {
        for (case, fastest) in cases.iter().zip(&mut fastest) {
            let x = x.slice(s![..case.n_rows, ..case.n_features]);
            let params = RandomForest::params().n_estimators(case.n_trees).seed(42);
            let params = params.n_threads(NonZeroUsize::new(case.n_threads));
            for ((_, y), fastest) in targets.iter().zip(fastest) {
                let start = Instant::now();
                params.fit_arrays(x, y.slice(s![..case.n_rows]))?;
                *fastest = fastest.min(start.elapsed().as_secs_f64());
            }
        }
    }
    println!(
        "| targets | rows | features | trees | threads | seconds | ns for rows x log2(rows) x features x trees |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (i, (name, _)) in targets.iter().enumerate() {
        for (Case { n_rows, n_features, n_threads, n_trees }, seconds) in cases.iter().zip(&fastest)
        {
            let (rows, seconds) = (*n_rows as f64, seconds[i]);
            let each = seconds * 1e9 / (rows * rows.log2() * (n_features * n_trees) as f64);
            println!(
                "| {name} | {n_rows} | {n_features} | {n_trees} | {n_threads} | {seconds:.3} | {each:.3} |"
            );
        }
    }
    Ok(())
}

/// Friedman #1: five features matter, the others are noise.
fn friedman(n_rows: usize, n_features: usize) -> (Array2<f32>, Array1<f64>) {
    let mut random = RandomState::new(0);
    let x = Array2::from_shape_simple_fn((n_rows, n_features), || random.random_sample() as f32);
    let y = x.rows().into_iter().map(|row| {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|column| f64::from(row[column]));
        let signal = 10.0 * (std::f64::consts::PI * a * b).sin() + 20.0 * (c - 0.5).powi(2);
        let noise = random.random_sample() * 3.0 - 1.5;
        signal + 10.0 * d + 5.0 * e + noise
    });
    let y = y.collect();
    (x, y)
}
