//! How much memory fitting takes, counted at the allocator.
#![allow(clippy::print_stdout, reason = "the figures are what is measured")]

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2, Axis};
use spinney_forest::RandomForest;
use spinney_numpy_random::RandomState;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const N_ROWS: usize = 200_000;
const N_FEATURES: usize = 20;

/// The one test here, as everything that runs beside it would be counted.
#[test]
fn fitting_takes_three_times_the_matrix_and_the_forest_at_most() {
    let mut random = RandomState::new(1);
    let x = Array2::from_shape_simple_fn((N_ROWS, N_FEATURES), || random.random_sample() as f32);
    let real = x.map_axis(Axis(1), |row| f64::from(row[0] * row[1]).sin() + f64::from(row[2]));
    let whole: Array1<f64> = real.mapv(|y| (y * 1e5).round());
    let matrix = (N_ROWS * N_FEATURES * size_of::<f32>()) as f64;
    for (n_threads, most) in [(1, 3.0), (2, 4.3)] {
        for (name, y) in [("real", &real), ("whole", &whole)] {
            let profiler = dhat::Profiler::builder().testing().build();
            let threads = NonZeroUsize::new(n_threads);
            let params = RandomForest::params().n_estimators(4).n_threads(threads);
            let forest = params.fit_arrays(x.view(), y.view()).unwrap();
            let stats = dhat::HeapStats::get();
            drop(profiler);
            assert!(forest.trees().iter().all(|tree| tree.nodes().len() > N_ROWS));
            let taken = (stats.max_bytes - stats.curr_bytes) as f64 / matrix;
            println!("{name} targets, {n_threads} threads: {taken:.2} times the matrix");
            assert!(taken <= most, "{name} targets, {n_threads} threads: {taken}");
        }
    }
}
