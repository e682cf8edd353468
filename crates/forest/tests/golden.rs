//! The forest against scikit-learn 1.9.1: recorded hashes, predictions and importances, bit for bit.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod fixture;

use fixture::{Matrix, hex_be, params, sha256_f64, sha256_hex};
use ndarray::{Array1, ArrayView1};
use serde_json::Value;
use spinney_forest::{RandomForest, metrics};

#[test]
fn ames_forest_is_scikit_learns() {
    let (x, y) = fixture::ames_train();
    let recorded = fixture::json("forest/ames_rs42.json");
    let forest =
        RandomForest::params().seed(42).oob_score(true).fit_arrays(x.view(), y.view()).unwrap();
    assert_same_forest(&forest, &recorded);
    assert_eq!(
        sha256_hex(&forest.to_canonical_bytes()),
        "e8c47bd1b1ad8086265eba54a8e335a25ead3c53773a57d093b8a9a92e803d30"
    );

    let (x_test, y_test) = fixture::ames_test();
    let prediction = forest.try_predict(x_test.view()).unwrap();
    assert_same_bits(prediction.view(), &hex_be(&recorded["predictions_hex_be"]));
    let report = metrics::RegressionReport::new(y_test.view(), prediction.view()).unwrap();
    assert_eq!(report.r2.to_bits(), 0.838864201718206_f64.to_bits());
    assert_eq!(report.mae.to_bits(), 18123.01319722087_f64.to_bits());
}

#[test]
fn friedman_forest_is_scikit_learns() {
    let (x, y) = fixture::friedman_train();
    let recorded = fixture::json("forest/fried_rs42.json");
    let forest =
        RandomForest::params().seed(42).oob_score(true).fit_arrays(x.view(), y.view()).unwrap();
    assert_same_forest(&forest, &recorded);
    assert_eq!(
        sha256_hex(&forest.to_canonical_bytes()),
        "239de4ad38610e4e696aef1214dd5bcf343498fc9df1f53489b06b29f5ada87f"
    );
    let prediction = forest.try_predict(fixture::friedman_test().view()).unwrap();
    assert_same_bits(prediction.view(), &hex_be(&recorded["predictions_hex_be"]));
}

/// Other seeds, options, ties, missing values, and targets whose sums are not exact.
#[test]
fn variants_are_scikit_learns() {
    let recorded = fixture::json("forest/variants.json");
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 20);
    for case in cases {
        let params = params(RandomForest::params(), &case["params"]);
        let (x, y) = variant_data(case["case"].as_str().unwrap());
        let forest = params.fit_arrays(x.view(), y.view()).unwrap();
        assert_eq!(
            sha256_hex(&forest.to_canonical_bytes()),
            case["sha256_all_trees"].as_str().unwrap(),
            "{}",
            case["case"]
        );
    }
}

/// Small data at the edges: ties, constants, missing and near-equal values, one row, huge and tiny numbers, log prices.
#[test]
fn edge_cases_are_scikit_learns() {
    let recorded = fixture::json("forest/forest_cases.json");
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 46);
    for case in cases {
        let params = params(RandomForest::params(), &case["params"]);
        let name = case["name"].as_str().unwrap();
        let n_features = case["n_features"].as_u64().unwrap() as usize;
        let x = fixture::matrix(case["data"]["x"].as_str().unwrap(), n_features);
        let y = fixture::vector(case["data"]["y"].as_str().unwrap());
        let bootstrap = case.get("oob_prediction_sha256_f64le").is_some();
        let forest = params.oob_score(bootstrap).fit_arrays(x.view(), y.view()).unwrap();
        assert_eq!(sha256_hex(&forest.to_canonical_bytes()), case["sha256"], "{name}");
        let importances: Vec<f64> =
            serde_json::from_value(case["feature_importances"].clone()).unwrap();
        assert_same_bits(forest.feature_importances().view(), &importances);
        let prediction = forest.try_predict(x.view()).unwrap();
        assert_eq!(sha256_f64(prediction.view()), case["predictions_sha256_f64le"], "{name}");
        if let Some(out_of_bag) = forest.out_of_bag() {
            let recorded = case["oob_score"].as_f64().unwrap_or(f64::NAN);
            assert_eq!(out_of_bag.r2().to_bits(), recorded.to_bits(), "{name}");
            let without_vote = out_of_bag.rows_without_vote().len();
            assert_eq!(Some(without_vote as u64), case["never_out_of_bag"].as_u64(), "{name}");
            let hash = sha256_f64(out_of_bag.prediction());
            assert_eq!(hash, case["oob_prediction_sha256_f64le"], "{name}");
        }
    }
}

#[test]
fn metrics_are_scikit_learns() {
    let recorded = fixture::json("metrics/metrics.json");
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let mut pairs = Vec::new();
    for case in recorded["random"].as_array().unwrap() {
        let n = case["n"].as_u64().unwrap();
        let mut rng = spinney_numpy_random::RandomState::new(n as u32);
        let truth: Array1<f64> = (0..n).map(|_| rng.random_sample() * 100.0).collect();
        let predicted = truth.mapv(|truth| (truth + rng.random_sample()) - 0.5);
        pairs.push((truth, predicted, case));
    }
    for case in recorded["small"].as_array().unwrap() {
        let vector = |name: &str| -> Array1<f64> {
            case[name].as_array().unwrap().iter().map(number).collect()
        };
        pairs.push((vector("truth"), vector("predicted"), case));
    }
    assert!(pairs.len() > 15);
    for (truth, predicted, case) in pairs {
        let report = metrics::RegressionReport::new(truth.view(), predicted.view()).unwrap();
        let found = [report.r2, report.mae, report.rmse];
        let expected = ["r2", "mae", "rmse"].map(|name| number(&case[name]));
        assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "{case}");
    }
}

fn assert_same_forest(forest: &RandomForest, recorded: &Value) {
    let n_nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
    assert_eq!(n_nodes as u64, recorded["total_nodes"].as_u64().unwrap());
    let per_tree = recorded["sha256_per_tree"].as_array().unwrap();
    for (number, (tree, expected)) in forest.trees().iter().zip(per_tree).enumerate() {
        assert_eq!(&sha256_hex(&tree.to_canonical_bytes()), expected, "tree {number}");
    }
    assert_eq!(sha256_hex(&forest.to_canonical_bytes()), recorded["sha256_all_trees"]);
    let importances = forest.feature_importances();
    assert_same_bits(importances.view(), &hex_be(&recorded["feature_importances_hex_be"]));

    let out_of_bag = forest.out_of_bag().unwrap();
    assert_eq!(out_of_bag.r2().to_bits(), recorded["oob_score"].as_f64().unwrap().to_bits());
    assert_eq!(sha256_f64(out_of_bag.prediction()), recorded["oob_prediction_sha256_f64le"]);
    assert!(out_of_bag.rows_without_vote().is_empty());
}

fn assert_same_bits(found: ArrayView1<'_, f64>, expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.to_bits(), expected.to_bits(), "value {i}: {found} is not {expected}");
    }
}

/// Builds a variant's data from its recipe in `variants.json`.
fn variant_data(case: &str) -> (Matrix, Array1<f64>) {
    if case.starts_with("ames") {
        let (mut x, mut y) = fixture::ames_train();
        match case {
            "ames_fill" => x.mapv_inplace(|value| if value.is_nan() { 0.0 } else { value }),
            "ames_cents" => {
                y.iter_mut().enumerate().for_each(|(i, y)| *y += (i % 100) as f64 / 100.0);
            }
            "ames_bigy" => {
                y.iter_mut().enumerate().for_each(|(i, y)| *y = *y * 1000.0 + (i % 7) as f64);
            }
            _ => {}
        }
        return (x, y);
    }
    let (mut x, y) = fixture::friedman_train();
    if case.contains("r32") {
        x.mapv_inplace(|value| (value * 10.0).round_ties_even() / 10.0);
    }
    if case.contains("nan") {
        for ((i, j), value) in x.indexed_iter_mut() {
            if j != 1 && j != 2 && (31 * i + 17 * j) % 7 == 0 {
                *value = f32::NAN;
            }
        }
    }
    (x, y)
}
