//! How much memory fitting takes, counted at the allocator.
#![allow(clippy::print_stdout, reason = "the figures are what is measured")]

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2, Axis};
use spinney_forest::{RandomForest, Result};
use spinney_numpy_random::RandomState;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const N_FEATURES: usize = 20;

/// The one test here, as everything that runs beside it would be counted.
#[test]
fn fitting_takes_three_times_the_matrix_and_the_forest_at_most() {
    for (n_rows, limits) in [(200_000, [3.0, 4.3]), (20_000, [3.0, 4.3])] {
        let mut random = RandomState::new(1);
        let shape = (n_rows, N_FEATURES);
        let x = Array2::from_shape_simple_fn(shape, || random.random_sample() as f32);
        let real = x.map_axis(Axis(1), |row| f64::from(row[0] * row[1]).sin() + f64::from(row[2]));
        let whole: Array1<f64> = real.mapv(|y| (y * 1e5).round());
        for (n_threads, most) in (1..).zip(limits) {
            for (name, y) in [("real", &real), ("whole", &whole)] {
                let taken = taken(&x, y, n_threads).unwrap();
                let case = format!("{n_rows} rows, {name} targets, {n_threads} threads");
                println!("{case}: {taken:.2} times the matrix");
                assert!(taken <= most, "{case}: {taken}");
            }
        }
    }
}

/// What fitting takes at the most, the forest not counted, in matrices of `f32`.
fn taken(x: &Array2<f32>, y: &Array1<f64>, n_threads: usize) -> Result<f64> {
    let profiler = dhat::Profiler::builder().testing().build();
    let params = RandomForest::params().n_estimators(4).n_threads(NonZeroUsize::new(n_threads));
    let forest = params.fit_arrays(x.view(), y.view())?;
    let stats = dhat::HeapStats::get();
    drop(profiler);
    assert!(forest.trees().iter().all(|tree| tree.nodes().len() > x.nrows()));
    Ok((stats.max_bytes - stats.curr_bytes) as f64 / (x.len() * size_of::<f32>()) as f64)
}
