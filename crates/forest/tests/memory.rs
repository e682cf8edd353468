//! How much memory fitting takes, counted at the allocator.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2};
use spinney_forest::RandomForest;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const N_ROWS: usize = 50_000;
const N_FEATURES: usize = 20;

/// The one test here, as everything that runs beside it would be counted.
#[test]
fn fitting_takes_three_times_the_matrix_and_the_forest_at_most() {
    let mut state = 1_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let x = Array2::from_shape_simple_fn((N_ROWS, N_FEATURES), &mut random);
    let real = x.map_axis(ndarray::Axis(1), |row| f64::from((row[0] * row[1]).sin() + row[2]));
    let whole: Array1<f64> = real.mapv(|y| (y * 1000.0).round());
    for y in [real, whole] {
        let profiler = dhat::Profiler::builder().testing().build();
        let params = RandomForest::params().n_estimators(2).n_threads(NonZeroUsize::new(1));
        let forest = params.fit_arrays(x.view(), y.view()).unwrap();
        let stats = dhat::HeapStats::get();
        drop(profiler);
        let n_nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
        assert!(n_nodes > N_ROWS, "{n_nodes}");
        let matrix = N_ROWS * N_FEATURES * size_of::<f32>();
        let taken = stats.max_bytes - stats.curr_bytes;
        assert!(taken <= 3 * matrix, "{taken} bytes for a matrix of {matrix}");
    }
}
