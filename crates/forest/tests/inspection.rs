//! What is said about a fitted forest, against scikit-learn and shap.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use fixture::{ames_test, ames_train, params};
use ndarray::{Array1, Array2, Axis, array};
use serde_json::Value;
use spinney_forest::{
    Error, ExtraTrees, QuantileForest, RandomForest,
    inspection::{partial_dependence, permutation_importance, shap_values},
};

struct Recorded {
    values: Value,
    forest: RandomForest,
    rows: Array2<f64>,
}

impl Recorded {
    fn read() -> Self {
        let values = fixture::json("inspection/inspection.json");
        let (x, y) = ames_train();
        let forest = params(RandomForest::params(), &values["params"]);
        let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
        let rows = matrix(&values["rows"]);
        Self { values, forest, rows }
    }
}

/// A list of lists, with null for NaN.
fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Array1<f64>> = value.as_array().unwrap().iter().map(vector).collect();
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    ndarray::stack(Axis(0), &views).unwrap()
}

fn vector(value: &Value) -> Array1<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}

#[test]
fn leaves_are_scikit_learns() {
    let Recorded { values, forest, rows } = Recorded::read();
    let leaves = forest.apply(rows.view()).unwrap().mapv(f64::from);
    assert_eq!(leaves, matrix(&values["apply"]));
}

#[test]
fn trees_vote_for_the_prediction() {
    let Recorded { values, forest, rows } = Recorded::read();
    assert_eq!(forest.try_predict(rows.view()).unwrap(), vector(&values["predict"]));
    let votes = forest.predict_trees(rows.view()).unwrap();
    for (votes, prediction) in votes.rows().into_iter().zip(vector(&values["predict"])) {
        let sum = votes.iter().fold(0.0, |sum, vote| sum + vote);
        assert_eq!(sum / forest.trees().len() as f64, prediction);
    }
}

/// shap adds in another order, so the last bits differ.
#[test]
fn shap_values_are_shaps() {
    let Recorded { values, forest, rows } = Recorded::read();
    let found = shap_values(&forest, rows.view()).unwrap();
    let expected_value = values["shap_expected_value"].as_f64().unwrap();
    assert!((found.expected_value / expected_value - 1.0).abs() < 1e-12);
    for (found, expected) in found.values.iter().zip(&matrix(&values["shap_values"])) {
        assert!((found - expected).abs() < 1e-9 * expected_value, "{found} is not {expected}");
    }
}

#[test]
fn shap_values_sum_to_the_prediction() {
    let Recorded { forest, rows, .. } = Recorded::read();
    let shap = shap_values(&forest, rows.view()).unwrap();
    let sums = shap.values.sum_axis(Axis(1)) + shap.expected_value;
    for (sum, prediction) in sums.iter().zip(forest.try_predict(rows.view()).unwrap()) {
        assert!((sum / prediction - 1.0).abs() < 1e-12, "{sum} is not {prediction}");
    }
}

/// Deep unpruned trees meet features again and again, and their paths are long.
#[test]
fn shap_values_of_deep_trees_sum_to_the_prediction() {
    let (x, y) = ames_train();
    let forest = ExtraTrees::params().n_estimators(2).max_features(1);
    let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
    assert!(forest.trees()[0].depth() > 25);
    let rows = x.slice(ndarray::s![..50, ..]);
    let shap = shap_values(&forest, rows).unwrap();
    let sums = shap.values.sum_axis(Axis(1)) + shap.expected_value;
    for (sum, prediction) in sums.iter().zip(forest.try_predict(rows).unwrap()) {
        assert!((sum / prediction - 1.0).abs() < 1e-9, "{sum} is not {prediction}");
    }
}

#[test]
fn permutation_importances_are_scikit_learns() {
    let Recorded { values, forest, .. } = Recorded::read();
    let (x, y) = ames_test();
    let seed = values["permutation_seed"].as_u64().unwrap() as u32;
    let found = permutation_importance(&forest, x.view(), y.view(), 2, seed).unwrap();
    assert_eq!(found.importances, matrix(&values["permutation_importances"]));
}

#[test]
fn partial_dependence_is_scikit_learns() {
    let Recorded { values, forest, .. } = Recorded::read();
    let (x, _) = ames_test();
    let feature = values["dependence_feature"].as_u64().unwrap() as usize;
    let grid = vector(&values["dependence_grid"]).mapv(|value| value as f32);
    let found = partial_dependence(&forest, x.view(), feature, grid.view()).unwrap();
    assert_eq!(found, vector(&values["dependence_average"]));
}

#[test]
fn quantiles_are_meinshausens() {
    let Recorded { values, forest, rows } = Recorded::read();
    let (x, y) = ames_train();
    let quantiles = QuantileForest::new(forest, x.view(), y.view()).unwrap();
    let asked = vector(&values["quantiles"]).to_vec();
    let found = quantiles.predict(rows.view(), &asked).unwrap();
    assert_eq!(found, matrix(&values["quantile_predictions"]));
}

/// Nine of ten hold-out prices lie in the interval that is to hold nine of ten.
#[test]
fn intervals_cover_what_they_say() {
    let (x, y) = ames_train();
    let forest = RandomForest::params().min_samples_leaf(5).max_features(0.33).seed(1);
    let forest = forest.fit_arrays(x.view(), y.view()).unwrap();
    let quantiles = QuantileForest::new(forest, x.view(), y.view()).unwrap();
    let (x_test, y_test) = ames_test();
    let (lower, upper) = quantiles.interval(x_test.view(), 0.9).unwrap();
    let ends = lower.iter().zip(&upper).zip(&y_test);
    let covered = ends.filter(|((lower, upper), y)| lower <= y && y <= upper).count();
    let share = covered as f64 / y_test.len() as f64;
    assert!((0.87..0.97).contains(&share), "{share}");
}

#[test]
fn bad_questions_are_refused_by_name() {
    let (x, y) = (array![[1.0], [2.0]], array![1.0, 2.0]);
    let forest = RandomForest::params().n_estimators(2).fit_arrays(x.view(), y.view()).unwrap();
    let wide = array![[1.0, 2.0]];
    let infinite = array![[1.0], [f64::INFINITY]];
    let wrong_width = Error::FeatureCount { expected: 1, found: 2 };
    assert_eq!(forest.apply(wide.view()), Err(wrong_width.clone()));
    assert_eq!(forest.predict_trees(wide.view()), Err(wrong_width.clone()));
    assert_eq!(shap_values(&forest, wide.view()), Err(wrong_width));
    let expected = Error::InfiniteFeature { row: 1, column: 0 };
    assert_eq!(shap_values(&forest, infinite.view()), Err(expected));
    let none = permutation_importance(&forest, x.view(), y.view(), 0, 1).unwrap_err();
    assert_eq!(none.to_string(), "n_repeats is 0, allowed is 1 or more");
    let grid = array![1.0];
    let beyond = partial_dependence(&forest, x.view(), 1, grid.view()).unwrap_err();
    assert_eq!(beyond.to_string(), "feature is 1, allowed is the number of a column of x, from 0");
    let no_rows = Array2::<f64>::zeros((0, 1));
    assert_eq!(partial_dependence(&forest, no_rows.view(), 0, grid.view()), Err(Error::NoRows));
    let quantiles = QuantileForest::new(forest, x.view(), y.view()).unwrap();
    for quantile in [-0.1, 1.1, f64::NAN] {
        let error = quantiles.predict(x.view(), &[0.5, quantile]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("quantiles is {quantile}, allowed is numbers in [0, 1]")
        );
    }
    let error = quantiles.interval(x.view(), 1.5).unwrap_err();
    assert_eq!(error.to_string(), "coverage is 1.5, allowed is a number in [0, 1]");
}
