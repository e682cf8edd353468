//! Runs the program on a bundle of its own, and on an export.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{InputSchema, Preprocessor, Table, TrainingRanges};

fn run(args: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bundle")).args(args).output().unwrap()
}

fn printed(args: &[&Path]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn bundle() -> ModelBundle {
    let schema = InputSchema::builder()
        .numeric(["area", "noise"])
        .categorical(["style"])
        .target("price")
        .build()
        .unwrap();
    let csv = "area,noise,style,price\n50,3,flat,100\n80,3,house,200\n90,3,house,250\n";
    let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
    let plan = Preprocessor::builder(&schema).one_hot(["style"]).build().unwrap();
    let (transformer, x) = plan.fit_transform(&table).unwrap();
    let y = table.target().unwrap().into();
    let forest = RandomForest::params().n_estimators(7).fit_arrays(x.view(), y).unwrap();
    let metadata = BundleMetadata::new("prices", "4")
        .created("2026-11-23T09:00:00Z")
        .metric("r2", 0.75)
        .training_data("sha256:00ff", 3)
        .training_ranges(TrainingRanges::of(&table))
        .parameter("n_estimators", 7);
    ModelBundle::new(transformer, forest, metadata).unwrap()
}

#[test]
fn prints_the_card_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.bundle");
    bundle().save(&path).unwrap();
    let card = printed(&[Path::new("inspect"), &path]);
    let fingerprint = bundle().fingerprint().to_string();
    for line in [
        "prices 4",
        &fingerprint,
        "created       2026-11-23T09:00:00Z",
        "3 rows, sha256:00ff",
        "input, for price",
        "area                     numeric, 50 to 90 in training",
        "r2                       0.75",
        "n_estimators             7",
        "forest: 7 trees",
    ] {
        assert!(card.contains(line), "{line} is not in\n{card}");
    }
}

#[test]
fn prints_the_card_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.bundle");
    bundle().save(&path).unwrap();
    let args = [Path::new("inspect"), &path, Path::new("--json"), Path::new("--top=2")];
    let card: Value = serde_json::from_str(&printed(&args)).unwrap();
    assert_eq!(card["bytes"], fs::metadata(&path).unwrap().len());
    assert_eq!(card["input"][2], serde_json::json!({"name": "style", "kind": "categorical"}));
    assert_eq!(card["features"].as_array().unwrap().len(), 4);
    assert_eq!(card["metrics"]["r2"], 0.75);
    assert_eq!(card["training_ranges"]["noise"], serde_json::json!([3.0, 3.0]));
    let importances = card["forest"]["importances"].as_array().unwrap();
    assert_eq!(importances.len(), 2);
    assert!(importances[0]["importance"].as_f64() >= importances[1]["importance"].as_f64());
}

/// The header is enough for all but the forest: a file whose sections are cut off has a card.
#[test]
fn prints_what_the_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.bundle");
    let bytes = bundle().to_bytes();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let args = [Path::new("inspect"), &path, Path::new("--json"), Path::new("--header-only")];
    let card: Value = serde_json::from_str(&printed(&args)).unwrap();
    assert_eq!((&card["name"], &card["forest"]), (&"prices".into(), &Value::Null));
    let output = run(&args[..2]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("the bundle is cut off"), "{message}");
}

#[test]
fn writes_an_onnx_model() {
    let folder = tempfile::tempdir().unwrap();
    let (path, model) = (folder.path().join("prices.bundle"), folder.path().join("prices.onnx"));
    bundle().save(&path).unwrap();
    let said = printed(&[Path::new("onnx"), &path, &model]);
    let bytes = fs::read(&model).unwrap();
    assert!(bytes == bundle().to_onnx().unwrap());
    assert!(said.ends_with(&format!("{} bytes\n", bytes.len())), "{said}");
}

#[test]
fn imports_an_export() {
    let folder = tempfile::tempdir().unwrap();
    let (export, path) = (folder.path().join("export.json"), folder.path().join("one.bundle"));
    let json = r#"{
        "format": "spinney scikit-learn export", "version": 1, "scikit_learn": "1.9.1",
        "estimator": "RandomForestRegressor", "parameters": {"max_depth": "None"},
        "n_features": 1, "feature_names": ["area"], "transform_params": null,
        "trees": [{
            "children_left": [-1], "children_right": [-1], "feature": [-2], "threshold": [-2.0],
            "missing_go_to_left": [false], "value": [150.0], "impurity": [0.0],
            "n_node_samples": [2], "weighted_n_node_samples": [2.0]
        }]
    }"#;
    fs::write(&export, json).unwrap();
    let args = [Path::new("import"), &export, &path, Path::new("--name=prices")];
    let said = printed(&args);
    let bundle = ModelBundle::load(&path).unwrap();
    assert!(said.contains(&bundle.fingerprint().to_string()), "{said}");
    assert_eq!(bundle.metadata().provenance().parameters()["max_depth"], "None");

    fs::write(&export, "{}").unwrap();
    let message = String::from_utf8(run(&args).stderr).unwrap();
    assert!(
        message.contains("the export of scikit-learn is not valid: missing field"),
        "{message}"
    );
}
