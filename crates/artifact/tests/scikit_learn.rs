//! Models that scikit-learn fitted and saved: a bundle predicts what the pickle does, bit for bit.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use ndarray::Array2;
use spinney_artifact::{BundleMetadata, Error, ModelBundle, ScikitLearnExport};
use spinney_preprocess::Table;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn run(script: &Path, args: &[&Path]) {
    let python = env::var("SPINNEY_PEERS_PYTHON").unwrap();
    let status = Command::new(python).arg(script).args(args).status().unwrap();
    assert!(status.success(), "{} failed", script.display());
}

fn floats(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect()
}

fn features(path: &Path) -> Array2<f32> {
    let bytes = fs::read(path).unwrap();
    let values: Vec<f32> =
        bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
    Array2::from_shape_vec((values.len() / 48, 48), values).unwrap()
}

#[test]
#[ignore = "needs scikit-learn: cargo xtask test"]
fn a_bundle_predicts_what_the_pickle_does() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(&here.join("tests/scikit_learn/train.py"), &[folder, &fixtures()]);
    let x = features(&fixtures().join("expected/workshop/ames_X_test_586x48_f32le.bin"));
    let x_with_gaps = features(&folder.join("x_with_gaps"));
    for name in ["forest", "best_first", "extra_trees"] {
        let json = folder.join(format!("{name}.json"));
        let xform = fixtures().join("scoring/xform_params.json");
        let model = folder.join(format!("{name}.joblib"));
        let script = here.join("python/export_scikit_learn.py");
        run(&script, &[&model, &json, Path::new("--xform-params"), &xform]);
        let export = ScikitLearnExport::from_json(&fs::read_to_string(json).unwrap()).unwrap();
        let bundle = export.into_bundle(BundleMetadata::new("ames", "1")).unwrap();
        let bundle = ModelBundle::from_bytes(&bundle.to_bytes()).unwrap();

        let expected = floats(&folder.join(format!("{name}.predictions")));
        let with_gaps = floats(&folder.join(format!("{name}.predictions_with_gaps")));
        assert_eq!(bundle.forest().try_predict(x.view()).unwrap().to_vec(), expected);
        assert_eq!(bundle.predictor().predict(x_with_gaps.view()).unwrap().to_vec(), with_gaps);
        // From the raw rows, through the workshop's transform parameters.
        let table = Table::from_csv_path(fixtures().join("AmesHousing.csv"), bundle.input_schema());
        let (_, test) = table.unwrap().train_test_split(0.2, 123).unwrap();
        assert_eq!(bundle.predict(&test).unwrap().to_vec(), expected, "{name}");
    }
}

const SMALL: &str = r#"{
    "format": "spinney scikit-learn export", "version": 1, "scikit_learn": "1.9.1",
    "estimator": "ExtraTreesRegressor", "parameters": {"n_estimators": "1"},
    "n_features": 1, "feature_names": null, "transform_params": null,
    "trees": [{
        "children_left": [1, -1, -1], "children_right": [2, -1, -1], "feature": [0, -2, -2],
        "threshold": [null, -2.0, -2.0], "missing_go_to_left": [false, false, false],
        "value": [150.0, 100.0, 200.0], "impurity": [2500.0, 0.0, 0.0],
        "n_node_samples": [2, 1, 1], "weighted_n_node_samples": [2.0, 1.0, 1.0]
    }]
}"#;

#[test]
fn a_split_of_missing_values_has_an_infinite_threshold() {
    let export = ScikitLearnExport::from_json(SMALL).unwrap();
    assert_eq!(export.feature_names(), ["x0"]);
    let tree = &export.forest().trees()[0];
    assert_eq!((tree.predict_row(&[1e30]), tree.predict_row(&[f32::NAN])), (100.0, 200.0));
}

#[test]
fn refuses_what_is_not_an_export() {
    for (from, to, problem) in [
        ("scikit-learn export", "pickle", "it is `spinney pickle` version 1"),
        (r#""version": 1"#, r#""version": 2"#, "version 2, not"),
        (r#""feature_names": null"#, r#""feature_names": ["a", "b"]"#, "2 names for 1 features"),
        ("[150.0, 100.0, 200.0]", "[150.0]", "the arrays of tree 0 differ in length"),
        ("[0, -2, -2]", "[-7, -2, -2]", "node 0 of tree 0 has feature -7"),
        ("[2, -1, -1]", "[-2, -1, -1]", "node 0 of tree 0 has right child -2"),
        (r#""value""#, r#""values""#, "unknown field `values`"),
    ] {
        let error = ScikitLearnExport::from_json(&SMALL.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    let stray = SMALL.replacen("[1, -1, -1]", "[9, -1, -1]", 1);
    assert!(matches!(ScikitLearnExport::from_json(&stray), Err(Error::Forest(_))));
}
