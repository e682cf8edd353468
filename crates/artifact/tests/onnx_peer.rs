//! What onnxruntime makes of a model: our predictions rounded to `f32`, bit for bit.
//!
//! `cargo xtask test` sets onnxruntime up and runs this.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and says what it measured"
)]

mod onnx_models;

use std::{env, fs, path::Path, process::Command};

use serde_json::{Map, Value, json};
use spinney_artifact::ModelBundle;
use spinney_preprocess::{Column, Table};

/// Half the distance between neighbouring `f32`s, as a share of a number: what rounding to nearest may cost.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

#[test]
#[ignore = "needs onnxruntime: run by cargo xtask test"]
fn the_workshops_model_predicts_the_test_set() {
    let (bundle, test) = onnx_models::workshop();
    assert_eq!(test.n_rows(), 586);
    assert_the_same("the test set", &bundle, &test);
    let gaps = onnx_models::with_gaps(&test);
    assert_ne!(bundle.predict(&gaps).unwrap(), bundle.predict(&test).unwrap());
    assert_the_same("the test set with gaps", &bundle, &gaps);
}

#[test]
#[ignore = "needs onnxruntime: run by cargo xtask test"]
fn every_step_and_option_predicts_the_same() {
    for (name, bundle, table) in onnx_models::every_step() {
        assert_the_same(&name, &bundle, &table);
        let gaps = onnx_models::with_gaps(&table);
        assert_the_same(&format!("{name}, with gaps"), &bundle, &gaps);
    }
}

#[test]
#[ignore = "needs onnxruntime: run by cargo xtask test"]
fn thresholds_are_not_rounded() {
    let (bundle, table) = onnx_models::edge_of_f32();
    assert_the_same("the edge of f32", &bundle, &table);
    assert_the_same("a single leaf", &onnx_models::single_leaf(0.1), &table);
}

fn assert_the_same(name: &str, bundle: &ModelBundle, table: &Table) {
    let ours = bundle.predict(table).unwrap();
    let theirs = onnxruntime(bundle, table);
    assert_eq!(theirs.len(), ours.len());
    let differences = ours.iter().zip(&theirs).map(|(ours, theirs)| (theirs / ours - 1.0).abs());
    let largest = differences.fold(0.0, f64::max);
    println!("{name}: {} rows, largest relative difference {largest:e}", ours.len());
    assert!(largest <= ROUNDING, "{name}: {largest:e}");
    for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let rounded = f64::from(*ours as f32);
        assert_eq!(rounded.to_bits(), theirs.to_bits(), "{name}, row {row}: {ours} and {theirs}");
    }
}

/// Row by row in one thread, which adds the trees in our order. The script checks that batches and threads change no more
/// than that order can.
fn onnxruntime(bundle: &ModelBundle, table: &Table) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), bundle.to_onnx().unwrap()).unwrap();
    let columns: Map<String, Value> =
        table.columns().map(|(name, column)| (name.to_owned(), cells(column))).collect();
    fs::write(folder.path().join("columns.json"), json!(columns).to_string()).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/onnx_runtime.py");
    let python = env::var("SPINNEY_PEERS_PYTHON").expect("cargo xtask test sets this");
    let status = Command::new(python).arg(script).arg(folder.path()).status().unwrap();
    assert!(status.success());
    let answers = fs::read_to_string(folder.path().join("answers.json")).unwrap();
    serde_json::from_str(&answers).unwrap()
}

/// Missing is `null` in both kinds of column.
fn cells(column: &Column) -> Value {
    match column {
        Column::Numeric(numbers) => json!(numbers),
        Column::Categorical(words) => json!(words.iter().collect::<Vec<_>>()),
        _ => unreachable!("there are two kinds of columns"),
    }
}
