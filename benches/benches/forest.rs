//! Fitting and predicting by size: `cargo bench -p benches --bench forest`.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]
#![allow(missing_docs, reason = "criterion's macro makes public items")]

use std::{hint::black_box, num::NonZeroUsize};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array1, Array2, Axis};
use spinney_forest::{Fidelity, RandomForest};
use spinney_numpy_random::RandomState;

const N_FEATURES: usize = 20;

/// Uniform features, of which two matter, and noise.
fn data(n_rows: usize) -> (Array2<f32>, Array1<f64>) {
    let mut random = RandomState::new(0);
    let x = Array2::from_shape_simple_fn((n_rows, N_FEATURES), || random.random_sample() as f32);
    let target = |row: &[f32]| (f64::from(row[0]) * 5.0).sin() + f64::from(row[1]);
    let y = x.rows().into_iter().map(|row| target(&row.to_vec()) + random.random_sample());
    let y = y.collect();
    (x, y)
}

fn params(n_trees: usize) -> spinney_forest::RandomForestParams {
    RandomForest::params().n_estimators(n_trees).seed(42).n_threads(NonZeroUsize::new(1))
}

fn fit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fit 10 trees");
    group.sample_size(10);
    for n_rows in [100, 1_000, 10_000] {
        let (x, y) = data(n_rows);
        let whole = y.mapv(|y| (y * 1000.0).round());
        group.throughput(Throughput::Elements(n_rows as u64));
        for (name, y, fidelity) in [
            ("real targets", &y, Fidelity::Exact),
            ("real targets, fast", &y, Fidelity::Fast),
            ("whole targets", &whole, Fidelity::Exact),
        ] {
            let params = params(10).fidelity(fidelity);
            group.bench_function(BenchmarkId::new(name, n_rows), |bencher| {
                bencher.iter(|| params.fit_arrays(black_box(x.view()), y.view()).unwrap());
            });
        }
    }
    group.finish();
}

fn predict(criterion: &mut Criterion) {
    let (x, y) = data(5_000);
    let forest = params(100).fit_arrays(x.view(), y.view()).unwrap();
    let predictor = forest.compile();
    let mut group = criterion.benchmark_group("predict, 100 trees of 5,000 rows");
    for n_rows in [1, 100, 5_000] {
        let rows = x.slice_axis(Axis(0), (0..n_rows).into());
        group.throughput(Throughput::Elements(n_rows as u64));
        group.bench_function(BenchmarkId::new("compiled", n_rows), |bencher| {
            bencher.iter(|| predictor.predict(black_box(rows)).unwrap());
        });
        group.bench_function(BenchmarkId::new("not compiled", n_rows), |bencher| {
            bencher.iter(|| forest.try_predict(black_box(rows)).unwrap());
        });
    }
    group.finish();
    criterion.bench_function("compile", |bencher| bencher.iter(|| black_box(&forest).compile()));
}

criterion_group!(forest, fit, predict);
criterion_main!(forest);
