//! What holds for any data.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use linfa::{
    Dataset, DatasetBase,
    traits::{Fit, Predict},
};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use spinney_forest::{
    Error, Fidelity, OutOfBag, RandomForest, RandomForestParams, RandomForestValidParams, Tree,
    metrics,
};

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn public_types_can_cross_threads() {
    assert_send_sync::<RandomForest>();
    assert_send_sync::<RandomForestParams>();
    assert_send_sync::<RandomForestValidParams>();
    assert_send_sync::<OutOfBag>();
    assert_send_sync::<Tree>();
    assert_send_sync::<Error>();
}

#[test]
fn a_batch_equals_single_rows() {
    let (x, y) = fixture::ames_train();
    let forest = RandomForest::params().n_estimators(10).fit_arrays(x.view(), y.view()).unwrap();
    let batch = forest.try_predict(x.view()).unwrap();
    for (row, expected) in x.axis_chunks_iter(Axis(0), 1).zip(&batch) {
        assert_eq!(forest.try_predict(row).unwrap()[0].to_bits(), expected.to_bits());
    }
}

#[test]
fn rows_that_every_tree_saw_are_listed() {
    let (x, y) = (array![[0.0], [1.0], [2.0]], array![1.0, 2.0, 3.0]);
    let forest = RandomForest::params().n_estimators(1).oob_score(true).seed(3);
    let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
    let out_of_bag = forest.out_of_bag().unwrap();
    assert!(!out_of_bag.rows_without_vote().is_empty());
    for &row in out_of_bag.rows_without_vote() {
        assert_eq!(out_of_bag.prediction()[row], 0.0);
    }
}

/// Whole prices: nothing has to be rounded.
#[test]
fn a_fast_forest_of_whole_targets_is_the_exact_one() {
    let (x, y) = fixture::ames_train();
    let params = RandomForest::params().n_estimators(5);
    let exact = params.fit_arrays(x.view(), y.view()).unwrap();
    let fast = params.fidelity(Fidelity::Fast).fit_arrays(x.view(), y.view()).unwrap();
    assert_eq!(fast, exact);
}

#[test]
fn a_fast_forest_predicts_as_well() {
    let ((x, y), (x_test, y_test)) = (fixture::ames_train(), fixture::ames_test());
    let (y, y_test) = (y.ln(), y_test.ln());
    let r2 = [Fidelity::Exact, Fidelity::Fast].map(|fidelity| {
        let params = RandomForest::params().seed(42).fidelity(fidelity);
        let forest = params.fit_arrays(x.view(), y.view()).unwrap();
        let prediction = forest.try_predict(x_test.view()).unwrap();
        metrics::r2_score(y_test.view(), prediction.view()).unwrap()
    });
    assert!((r2[0] - r2[1]).abs() < 0.005, "{r2:?}");
}

#[test]
fn linfa_and_arrays_give_the_same_forest() {
    let (x, y) = fixture::friedman_train();
    let x = x.mapv(f64::from);
    let params = RandomForest::params().n_estimators(5).seed(1);
    let expected = params.fit_arrays(x.view(), y.view()).unwrap();
    let owned = Dataset::new(x.clone(), y.clone());
    assert_eq!(params.fit(&owned).unwrap(), expected);
    assert_eq!(params.fit(&owned.view()).unwrap(), expected);
    let prediction: Array1<f64> = expected.predict(&x);
    assert_eq!(prediction, expected.try_predict(x.view()).unwrap());
    let predicted: DatasetBase<_, Array1<f64>> = expected.predict(x);
    assert_eq!(predicted.targets, prediction);
}

#[test]
fn linfa_works_with_f32() {
    let (x, y) = fixture::friedman_train();
    let dataset = Dataset::new(x.clone(), y.mapv(|y| y as f32));
    let forest = RandomForest::params().n_estimators(5).fit(&dataset).unwrap();
    let prediction = forest.predict(&x);
    let exact = forest.try_predict(x.view()).unwrap();
    assert_eq!(prediction, exact.mapv(|value| value as f32));
}

#[test]
fn linfa_cross_validates() {
    let (x, y) = fixture::friedman_train();
    let mut dataset = Dataset::new(x.mapv(f64::from), y);
    let params = [RandomForest::params().n_estimators(5), RandomForest::params().n_estimators(20)];
    let r2 = dataset
        .cross_validate_single(4, &params, |prediction, truth| {
            Ok(metrics::r2_score(truth.view(), prediction.view()).unwrap())
        })
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert!(r2[0] > 0.6 && r2[1] > r2[0], "{r2}");
}

#[test]
fn linfa_weights_count() {
    let (x, y) = fixture::friedman_train();
    let weight = y.mapv(|y| (y as f32).abs());
    let dataset = Dataset::new(x.mapv(f64::from), y.clone()).with_weights(weight.clone());
    let params = RandomForest::params().n_estimators(5);
    let expected = params.fit_weighted(x.view(), y.view(), weight.mapv(f64::from).view()).unwrap();
    assert_eq!(params.fit(&dataset).unwrap(), expected);
    assert_ne!(params.fit_arrays(x.view(), y.view()).unwrap(), expected);
}

fn data() -> impl Strategy<Value = (Array2<f64>, Array1<f64>)> {
    // Few distinct values: ties, constants and missing values are the rule.
    let cell =
        prop_oneof![4 => (-3_i32..4).prop_map(f64::from), 1 => Just(f64::NAN), 1 => -1.0..1.0];
    (1_usize..40, 1_usize..6).prop_flat_map(move |(n_rows, n_features)| {
        let x = prop::collection::vec(cell.clone(), n_rows * n_features);
        let y = prop::collection::vec(-100.0..100.0, n_rows);
        (x, y).prop_map(move |(x, y)| {
            (Array2::from_shape_vec((n_rows, n_features), x).unwrap(), y.into())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn predictions_stay_within_the_targets((x, y) in data(), seed: u32) {
        let forest = RandomForest::params().n_estimators(7).seed(seed);
        let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
        let low = y.fold(f64::INFINITY, |a, &b| a.min(b));
        let high = y.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        for value in forest.try_predict(x.view()).unwrap() {
            prop_assert!(value >= low - 1e-9 && value <= high + 1e-9);
        }
    }

    #[test]
    fn leaves_of_a_fast_forest_hold_means_of_true_targets((x, y) in data(), seed: u32) {
        let params = RandomForest::params().n_estimators(3).bootstrap(false).seed(seed);
        let params = params.fidelity(Fidelity::Fast).min_samples_leaf(2);
        let forest = params.fit_arrays(x.view(), y.view()).unwrap();
        let leaves = forest.apply(x.view()).unwrap();
        for (tree, leaf_of) in forest.trees().iter().zip(leaves.columns()) {
            for (number, node) in tree.nodes().iter().enumerate() {
                let rows = leaf_of.iter().zip(&y).filter(|(leaf, _)| **leaf as usize == number);
                let members: Vec<f64> = rows.map(|(_, y)| *y).collect();
                if node.split.is_none() {
                    let mean = members.iter().sum::<f64>() / members.len() as f64;
                    prop_assert!((node.value - mean).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn limits_are_kept((x, y) in data(), seed: u32, depth in 1_usize..5, fewest in 1_usize..6) {
        let params = RandomForest::params().n_estimators(5).seed(seed);
        let params = params.max_depth(depth).min_samples_leaf(fewest);
        for tree in params.fit_arrays(x.view(), y.view()).unwrap().trees() {
            prop_assert!(tree.depth() <= depth);
            for node in &tree.nodes()[1..] {
                prop_assert!(node.n_node_samples as usize >= fewest);
            }
        }
    }

    #[test]
    fn children_share_out_their_parents_rows((x, y) in data(), seed: u32) {
        let forest = RandomForest::params().n_estimators(5).seed(seed);
        for tree in forest.fit_arrays(x.view(), y.view()).unwrap().trees() {
            for node in tree.nodes() {
                let Some(split) = node.split else { continue };
                let [left, right] = [split.left, split.right].map(|id| tree.nodes()[id as usize]);
                prop_assert_eq!(left.n_node_samples + right.n_node_samples, node.n_node_samples);
                let weight = left.weighted_n_node_samples + right.weighted_n_node_samples;
                prop_assert_eq!(weight, node.weighted_n_node_samples);
            }
        }
    }

    #[test]
    fn trees_taken_apart_make_the_same_forest((x, y) in data(), seed: u32) {
        let forest = RandomForest::params().n_estimators(5).seed(seed);
        let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
        let trees = forest.trees().iter().map(|tree| {
            Tree::from_nodes(tree.nodes().to_vec(), forest.n_features()).unwrap()
        });
        let again = RandomForest::from_trees(trees.collect(), forest.n_features()).unwrap();
        prop_assert_eq!(again, forest);
    }

    #[test]
    fn a_forest_grows_as_if_planted_at_once((x, y) in data(), seed: u32, few in 1_usize..4) {
        let params = RandomForest::params().n_estimators(5).seed(seed).oob_score(true);
        let at_once = params.fit_arrays(x.view(), y.view()).unwrap();
        let young = params.clone().n_estimators(few).fit_arrays(x.view(), y.view()).unwrap();
        let grown = params.grow(&young, x.view(), y.view()).unwrap();
        prop_assert_eq!(grown.to_canonical_bytes(), at_once.to_canonical_bytes());
        let votes = [grown, at_once].map(|forest| forest.out_of_bag().unwrap().prediction().to_vec());
        prop_assert_eq!(&votes[0], &votes[1]);
    }

    #[test]
    fn monotonic_constraints_are_kept((x, y) in data(), seed: u32) {
        let x = x.mapv(|value| if value.is_nan() { 0.0 } else { value });
        let mut constraints = vec![0; x.ncols()];
        constraints[0] = 1;
        let params = RandomForest::params().n_estimators(5).seed(seed).monotonic_cst(constraints);
        let forest = params.fit_arrays(x.view(), y.view()).unwrap();
        let mut more = x.clone();
        more.column_mut(0).mapv_inplace(|value| value + 1.5);
        let (less, more) = (forest.try_predict(x.view()), forest.try_predict(more.view()));
        for (less, more) in less.unwrap().iter().zip(more.unwrap()) {
            prop_assert!(*less <= more + 1e-9);
        }
    }

    #[test]
    fn leaves_are_limited((x, y) in data(), seed: u32, most in 2_usize..8) {
        let params = RandomForest::params().n_estimators(5).seed(seed).max_leaf_nodes(most);
        for tree in params.fit_arrays(x.view(), y.view()).unwrap().trees() {
            prop_assert!(tree.nodes().iter().filter(|node| node.split.is_none()).count() <= most);
        }
    }

    #[test]
    fn importances_sum_to_one_or_are_all_zero((x, y) in data(), seed: u32) {
        let forest = RandomForest::params().n_estimators(5).seed(seed);
        let importances = forest.fit_arrays(x.view(), y.view()).unwrap().feature_importances();
        let sum = importances.sum();
        prop_assert!((sum - 1.0).abs() < 1e-12 || importances.iter().all(|share| *share == 0.0));
    }

    #[test]
    fn unlimited_trees_without_bootstrap_learn_distinct_rows_by_heart(seed: u32, y in prop::collection::vec(-100_i32..100, 1..50)) {
        let x = Array2::from_shape_fn((y.len(), 1), |(row, _)| row as f64);
        let y: Array1<f64> = y.into_iter().map(f64::from).collect();
        let forest = RandomForest::params().n_estimators(1).bootstrap(false).seed(seed);
        let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
        prop_assert_eq!(forest.try_predict(x.view()).unwrap(), y);
    }
}
