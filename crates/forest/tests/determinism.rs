//! Same data, parameters and version: same bytes, whatever runs it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use std::num::NonZeroUsize;

use ndarray::{Axis, ShapeBuilder, concatenate};
use spinney_forest::{Fidelity, RandomForest, RandomForestParams};

fn params() -> RandomForestParams {
    RandomForest::params().n_estimators(20).seed(42).oob_score(true)
}

#[test]
fn the_forest_does_not_depend_on_the_number_of_threads() {
    let (x, y) = fixture::ames_train();
    let log_y = y.ln();
    let mut forests = [1, 2, 8].map(|n| {
        let params = params().n_threads(NonZeroUsize::new(n));
        params.fit_arrays(x.view(), log_y.view()).unwrap()
    });
    forests.sort_by_key(RandomForest::to_canonical_bytes);
    assert!(forests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_fast_forest_does_not_depend_on_the_number_of_threads() {
    let (x, y) = fixture::ames_train();
    let log_y = y.ln();
    let forests = [1, 2, 8].map(|n| {
        let params = params().fidelity(Fidelity::Fast).n_threads(NonZeroUsize::new(n));
        params.fit_arrays(x.view(), log_y.view()).unwrap()
    });
    assert!(forests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn predictions_do_not_depend_on_the_number_of_threads() {
    let (x, y) = fixture::ames_train();
    let forest = params().fit_arrays(x.view(), y.view()).unwrap();
    let expected = forest.try_predict(x.view()).unwrap();
    for n in [1, 2, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        assert_eq!(pool.install(|| forest.try_predict(x.view())).unwrap(), expected);
    }
}

#[test]
fn the_forest_does_not_depend_on_the_memory_layout() {
    let (x, y) = fixture::friedman_train();
    let forest = params().fit_arrays(x.view(), y.view()).unwrap();
    let mut by_column = ndarray::Array2::zeros(x.raw_dim().f());
    by_column.assign(&x);
    assert!(!by_column.is_standard_layout());
    assert_eq!(params().fit_arrays(by_column.view(), y.view()).unwrap(), forest);
    let as_f64 = x.mapv(f64::from);
    assert_eq!(params().fit_arrays(as_f64.view(), y.view()).unwrap(), forest);
    let twice = concatenate![Axis(0), x, x];
    let odd_rows = twice.slice(ndarray::s![..2000, ..]);
    assert_eq!(params().fit_arrays(odd_rows, y.view()).unwrap(), forest);
}

#[test]
fn each_tree_has_a_stream_of_its_own() {
    let (x, y) = fixture::friedman_train();
    let forest = params().max_features(1).bootstrap(false).oob_score(false);
    let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
    let roots = forest.trees().iter().filter_map(|tree| tree.nodes()[0].split);
    let features: std::collections::BTreeSet<u32> = roots.map(|split| split.feature).collect();
    assert!(features.len() > 3, "all roots look at the same features: {features:?}");
}

#[test]
fn progress_names_each_tree_once() {
    let (x, y) = fixture::friedman_train();
    let seen = std::sync::Mutex::new(Vec::new());
    let on_tree = |tree| seen.lock().unwrap().push(tree);
    params().fit_arrays_with(x.view(), y.view(), on_tree).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..20));
}
