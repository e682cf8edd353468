//! Bad data and bad parameters: an error that names the place, never a panic, never a silent default.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use spinney_forest::{
    Criterion, Error, MaxFeatures, Node, RandomForest, RandomForestParams, RowCount, Split,
    Splitter, Tree, metrics,
};

fn fit(x: &Array2<f64>, y: &Array1<f64>) -> Result<RandomForest, Error> {
    RandomForest::params().n_estimators(3).fit_arrays(x.view(), y.view())
}

fn message(params: &RandomForestParams) -> String {
    let (x, y) = (array![[0.0], [1.0]], array![0.0, 1.0]);
    params.fit_arrays(x.view(), y.view()).unwrap_err().to_string()
}

#[test]
fn refuses_parameters_out_of_range_by_name() {
    let p = RandomForest::params;
    for (params, expected) in [
        (p().n_estimators(0), "n_estimators is 0, allowed is 1 or more"),
        (p().max_features(0), "max_features is 0, allowed is 1 or more"),
        (p().max_features(0.0), "max_features is 0, allowed is a fraction in (0, 1]"),
        (p().max_features(1.5), "max_features is 1.5, allowed is a fraction in (0, 1]"),
        (p().max_features(f64::NAN), "max_features is NaN, allowed is a fraction in (0, 1]"),
        (p().max_depth(0), "max_depth is 0, allowed is 1 or more, or none"),
        (p().min_samples_split(1), "min_samples_split is 1, allowed is 2 or more"),
        (p().min_samples_split(1.1), "min_samples_split is 1.1, allowed is a fraction in (0, 1]"),
        (p().min_samples_leaf(0), "min_samples_leaf is 0, allowed is 1 or more"),
        (p().min_samples_leaf(1.0), "min_samples_leaf is 1, allowed is a fraction in (0, 1)"),
        (
            p().min_impurity_decrease(-1.0),
            "min_impurity_decrease is -1, allowed is 0 or more, finite",
        ),
        (p().max_samples(0), "max_samples is 0, allowed is 1 to 4294967295"),
        (
            p().max_samples(usize::MAX),
            "max_samples is 18446744073709551615, allowed is 1 to 4294967295",
        ),
        (p().max_leaf_nodes(1), "max_leaf_nodes is 1, allowed is 2 or more, or none"),
        (
            p().min_weight_fraction_leaf(0.6),
            "min_weight_fraction_leaf is 0.6, allowed is a fraction in [0, 0.5]",
        ),
        (p().ccp_alpha(-0.1), "ccp_alpha is -0.1, allowed is 0 or more, finite"),
        (p().monotonic_cst([2]), "monotonic_cst is 2, allowed is -1, 0 or 1 for each feature"),
        (p().monotonic_cst([1, 0]), "monotonic_cst has 2 values, but x has 1 columns"),
        (p().max_samples(-0.5), "max_samples is -0.5, allowed is a fraction above 0"),
        (p().bootstrap(false).max_samples(1), "max_samples needs bootstrap"),
        (p().bootstrap(false).oob_score(true), "oob_score needs bootstrap"),
    ] {
        assert_eq!(message(&params), expected);
    }
}

#[test]
fn refuses_an_empty_matrix() {
    assert_eq!(fit(&Array2::zeros((0, 2)), &array![]), Err(Error::NoRows));
    assert_eq!(fit(&Array2::zeros((2, 0)), &array![1.0, 2.0]), Err(Error::NoFeatures));
}

#[test]
fn refuses_targets_of_another_length() {
    let error = fit(&array![[1.0], [2.0]], &array![1.0]).unwrap_err();
    assert_eq!(error.to_string(), "x has 2 rows, but y has 1");
}

#[test]
fn refuses_targets_that_are_not_finite() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = fit(&array![[1.0], [2.0]], &array![1.0, value]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("row 1 of y is {value}, but a target must be finite")
        );
    }
}

#[test]
fn refuses_targets_whose_sum_overflows() {
    let error = fit(&array![[1.0], [2.0]], &array![1e308, 1e308]).unwrap_err();
    assert_eq!(error.to_string(), "y reaches 1e308, too large to be summed over all rows");
}

#[test]
fn refuses_sample_weights_that_weigh_nothing() {
    let (x, y) = (array![[1.0], [2.0]], array![1.0, 2.0]);
    for (weight, expected) in [
        (array![1.0], "x has 2 rows, but sample_weight has 1"),
        (
            array![1.0, -1.0],
            "row 1 of sample_weight is -1, but a weight must be 0 or more and finite",
        ),
        (
            array![f64::NAN, 1.0],
            "row 0 of sample_weight is NaN, but a weight must be 0 or more and finite",
        ),
        (array![0.0, 0.0], "sample_weight sums to 0, but the sum must be above 0 and finite"),
        (array![1e308, 1e308], "sample_weight sums to inf, but the sum must be above 0 and finite"),
    ] {
        let params = RandomForest::params().n_estimators(2);
        let error = params.fit_weighted(x.view(), y.view(), weight.view()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn refuses_targets_that_count_nothing() {
    let params = RandomForest::params().criterion(Criterion::Poisson);
    let x = array![[1.0], [2.0]];
    let error = params.fit_arrays(x.view(), array![1.0, -2.0].view()).unwrap_err();
    let expected = "row 1 of y is -2, but the Poisson criterion needs targets of 0 or more";
    assert_eq!(error.to_string(), expected);
    let error = params.fit_arrays(x.view(), array![0.0, 0.0].view()).unwrap_err();
    assert_eq!(error.to_string(), "y sums to 0, but the Poisson criterion needs a target above 0");
}

#[test]
fn refuses_to_grow_a_forest_that_does_not_fit() {
    let (x, y) = (array![[1.0], [2.0]], array![1.0, 2.0]);
    let forest = fit(&x, &y).unwrap();
    let fewer = RandomForest::params().n_estimators(2).grow(&forest, x.view(), y.view());
    let expected = "n_estimators is 2, allowed is at least the number of trees that the forest has";
    assert_eq!(fewer.unwrap_err().to_string(), expected);
    let wider = RandomForest::params().grow(&forest, array![[1.0, 2.0]].view(), array![1.0].view());
    assert_eq!(wider, Err(Error::FeatureCount { expected: 1, found: 2 }));
}

#[test]
fn refuses_features_too_large_for_f32() {
    for value in [f64::INFINITY, f64::NEG_INFINITY, 1e39, -1e300] {
        let x = array![[0.0, 0.0], [0.0, value]];
        let expected = "row 1, column 1 of x is infinite or too large for f32";
        assert_eq!(fit(&x, &array![1.0, 2.0]).unwrap_err().to_string(), expected);
        let forest = fit(&array![[0.0, 0.0], [0.0, 1.0]], &array![1.0, 2.0]).unwrap();
        assert_eq!(forest.try_predict(x.view()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn names_the_first_bad_row_of_many() {
    let forest = fit(&array![[0.0], [1.0]], &array![1.0, 2.0]).unwrap();
    let mut x = Array2::zeros((5000, 1));
    x.slice_mut(s![1234.., ..]).fill(f64::INFINITY);
    let error = forest.try_predict(x.view()).unwrap_err();
    assert_eq!(error, Error::InfiniteFeature { row: 1234, column: 0 });
}

#[test]
fn refuses_a_matrix_of_another_width() {
    let forest = fit(&array![[0.0], [1.0]], &array![1.0, 2.0]).unwrap();
    let error = forest.try_predict(array![[1.0, 2.0]].view()).unwrap_err();
    assert_eq!(error.to_string(), "x has 2 columns, but the forest was fitted on 1");
    let mut out = Array1::zeros(3);
    let error = forest.try_predict_into(array![[1.0]].view(), out.view_mut()).unwrap_err();
    assert_eq!(error.to_string(), "the output holds 3 values, but x has 1 rows");
}

#[test]
fn predicts_nothing_for_no_rows() {
    let forest = fit(&array![[0.0], [1.0]], &array![1.0, 2.0]).unwrap();
    assert_eq!(forest.try_predict(Array2::<f64>::zeros((0, 1)).view()).unwrap().len(), 0);
}

#[test]
fn refuses_metrics_over_nothing_or_uneven() {
    let (none, one) = (Array1::zeros(0), Array1::zeros(1));
    assert_eq!(metrics::r2_score(none.view(), none.view()), Err(Error::NoValues));
    let error = metrics::mean_absolute_error(one.view(), none.view()).unwrap_err();
    assert_eq!(error.to_string(), "y_true has 1 values, but y_pred has 0");
}

fn leaf(value: f64) -> Node {
    Node { split: None, value, impurity: 0.0, n_node_samples: 1, weighted_n_node_samples: 1.0 }
}

fn inner(feature: u32, threshold: f64, left: u32, right: u32) -> Node {
    let split = Split { feature, threshold, missing_go_to_left: false, left, right };
    Node { split: Some(split), ..leaf(0.0) }
}

#[test]
fn refuses_nodes_that_are_not_a_tree() {
    let two = || [leaf(1.0), leaf(2.0)];
    let [a, b] = two();
    for (nodes, node, problem) in [
        (vec![], 0, "a tree needs at least one node"),
        (vec![leaf(f64::NAN)], 0, "the value is not finite"),
        (vec![inner(1, 0.0, 1, 2), a, b], 0, "the feature is not in the training matrix"),
        (vec![inner(0, f64::NAN, 1, 2), a, b], 0, "the threshold is NaN"),
        (vec![inner(0, 0.0, 1, 3), a, b], 0, "a child does not exist"),
        (vec![inner(0, 0.0, 1, u32::MAX), a, b], 0, "a child does not exist"),
        (vec![inner(0, 0.0, 1, 1), a, b], 0, "a child has two parents"),
        (vec![inner(0, 0.0, 0, 1), a, b], 0, "a child must come after its parent"),
        (
            vec![inner(0, 0.0, 1, 2), inner(0, 0.0, 1, 2), b],
            1,
            "a child must come after its parent",
        ),
        (vec![inner(0, 0.0, 1, 2), a, b, a], 3, "the node has no parent"),
    ] {
        let expected = Error::InvalidTree { tree: 0, node, problem };
        assert_eq!(Tree::from_nodes(nodes, 1), Err(expected));
    }
}

#[test]
fn refuses_a_forest_of_nothing() {
    assert_eq!(RandomForest::from_trees(vec![], 1), Err(Error::NoTrees));
    let tree = Tree::from_nodes(vec![inner(1, 0.0, 1, 2), leaf(1.0), leaf(2.0)], 2).unwrap();
    assert_eq!(RandomForest::from_trees(vec![tree.clone()], 0), Err(Error::NoFeatures));
    let error = RandomForest::from_trees(vec![tree], 1).unwrap_err();
    let expected = "tree 0, node 0: the feature is not in the training matrix";
    assert_eq!(error.to_string(), expected);
}

/// Any bits as features, any finite target, any parameters: an error or a forest, never a panic.
fn any_params() -> impl Strategy<Value = RandomForestParams> {
    let max_features = prop_oneof![
        Just(MaxFeatures::All),
        Just(MaxFeatures::Sqrt),
        Just(MaxFeatures::Log2),
        any::<usize>().prop_map(MaxFeatures::Count),
        (0.0..1.0).prop_map(MaxFeatures::Fraction),
        any::<f64>().prop_map(MaxFeatures::Fraction),
    ];
    let rows = || {
        prop_oneof![
            20 => (1_usize..30).prop_map(RowCount::Count),
            10 => (0.0..1.0).prop_map(RowCount::Fraction),
            1 => Just(RowCount::Count(usize::MAX)),
            1 => any::<f64>().prop_map(RowCount::Fraction),
        ]
    };
    let decrease = prop_oneof![5 => Just(0.0), 5 => 0.0..1e3, 1 => any::<f64>()];
    (
        max_features,
        rows(),
        rows(),
        prop::option::of(0_usize..50),
        any::<bool>(),
        any::<bool>(),
        any::<u32>(),
        decrease,
    )
        .prop_map(|(features, split, leaf, samples, bootstrap, oob, seed, decrease)| {
            let params = RandomForest::params()
                .n_estimators(2)
                .max_features(features)
                .min_samples_split(split)
                .min_samples_leaf(leaf)
                .bootstrap(bootstrap)
                .oob_score(oob && bootstrap)
                .seed(seed)
                .min_impurity_decrease(decrease)
                .criterion(if seed % 3 == 0 {
                    Criterion::AbsoluteError
                } else {
                    Criterion::SquaredError
                })
                .splitter(if seed % 5 == 0 { Splitter::Random } else { Splitter::Best })
                .max_leaf_nodes((seed % 2 == 0).then_some(5));
            match samples {
                Some(samples) if bootstrap => params.max_samples(samples),
                _ => params,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bits_make_it_panic(
        params in any_params(),
        cells in prop::collection::vec(any::<u32>().prop_map(f32::from_bits), 60),
        targets in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 20),
        finite: bool,
    ) {
        let mut x = Array2::from_shape_vec((20, 3), cells).unwrap();
        let mut y = Array1::from(targets);
        if finite {
            x.mapv_inplace(|value| if value.is_infinite() { f32::NAN } else { value });
            y.mapv_inplace(|value| if value.abs() < 1e300 { value } else { 1.0 });
        }
        if let Ok(forest) = params.fit_arrays(x.view(), y.view()) {
            let prediction = forest.try_predict(x.view()).unwrap();
            prop_assert!(prediction.iter().all(|value| value.is_finite()));
        }
    }
}
