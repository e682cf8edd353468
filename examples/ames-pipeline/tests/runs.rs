//! Runs the whole road and compares what it prints and reports with the workshop's Python stack.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn json_file(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn pipeline(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ames-pipeline"));
    command.current_dir(folder).args(args).output().unwrap()
}

fn run(folder: &Path, args: &[&str]) -> (String, Value) {
    let args = [&["run", "--bundle", "ames.bundle", "--report", "report.json"], args].concat();
    let output = pipeline(folder, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), json_file(folder.join("report.json")))
}

#[test]
fn takes_the_whole_road_with_the_workshops_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (printed, report) = run(folder.path(), &[]);
    let workshop = json_file(fixture("expected/workshop/workshop.json"));

    for expected in [
        "2344 train rows, 586 test rows",
        "48 features",
        "LotFrontage: mean 69.41871165644172",
        "100 trees, 286,572 nodes, out-of-bag R² 0.8673",
        "R² Score: 0.84",
        "Mean Absolute Error: $18,123",
        "answer       200 {\"predictions\":[210830.93,232084.33666666667]}",
        "wrong key    401 ",
        "shut down",
    ] {
        assert!(printed.contains(expected), "{expected} is not in {printed}");
    }

    assert_eq!((&report["rows_train"], &report["rows_test"]), (&json!(2344), &json!(586)));
    assert_eq!(report["feature_names"], workshop["feature_names"]);
    for metric in ["r2", "mae", "rmse"] {
        assert_eq!(report["metrics"][metric], workshop[metric], "{metric}");
    }
    assert_eq!(report["oob_r2"], workshop["oob_r2"]);
    assert_eq!(report["predictions_test"], workshop["predictions_test"]);
    let answer = &report["endpoint_answer"]["predictions"];
    assert_eq!(answer, &workshop["requests"][0]["predictions"]);
    assert!(report["timings_ms"]["fit"].as_f64().unwrap() > 0.0);

    let file = folder.path().join("ames.bundle");
    assert_eq!(report["bundle"]["bytes"], fs::metadata(&file).unwrap().len());
    let bundle = spinney_artifact::ModelBundle::load(&file).unwrap();
    assert_eq!(report["bundle"]["fingerprint"], bundle.fingerprint().to_string());
    assert_eq!(Path::new(report["bundle"]["path"].as_str().unwrap()), file.canonicalize().unwrap());
}

#[test]
fn gives_the_same_bundle_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let bundles = ["1", "2", "8"].map(|n_threads| {
        run(folder.path(), &["--n-estimators", "10", "--n-threads", n_threads]);
        fs::read(folder.path().join("ames.bundle")).unwrap()
    });
    assert!(bundles[0] == bundles[1] && bundles[1] == bundles[2]);
}

/// Other rows, fewer columns, a row without a price, `None` spelled out, another separator of lines.
#[test]
fn works_on_any_ames_shaped_csv() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(fixture("AmesHousing.csv")).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let unused = header.iter().position(|name| *name == "Alley").unwrap();
    let price = header.iter().position(|name| *name == "SalePrice").unwrap();
    let mut csv = String::new();
    let rows = text.lines().take(401).enumerate().map(|(row, line)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        if row == 7 {
            fields[price] = "";
        }
        fields.remove(unused);
        fields.join(",") + "\r\n"
    });
    csv.extend(rows);
    fs::write(folder.path().join("some.csv"), csv).unwrap();
    let args = ["--data", "some.csv", "--test-size", "50", "--n-estimators", "10", "--seed", "1"];
    let (printed, report) = run(folder.path(), &args);
    assert!(printed.contains("399 rows, 1 more without a price"), "{printed}");
    assert_eq!((&report["rows_train"], &report["rows_test"]), (&json!(349), &json!(50)));
    assert_eq!(report["endpoint_answer"]["predictions"].as_array().unwrap().len(), 2);
}

#[test]
fn names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.csv"), "LotFrontage,SalePrice\n1,2\n").unwrap();
    for (args, expected) in [
        (&["run", "--data", "none.csv"][..], "none.csv"),
        (&["run", "--data", "bad.csv"], "bad.csv: column `GrLivArea` is not in the header"),
        (&["run", "--test-size", "1.5"], "test_size 1.5 must be above 0 and below 1"),
        (&["run", "--n-estimators", "0"], "n_estimators is 0, allowed is 1 or more"),
        (&["run", "--seed", "-1"], "--seed"),
    ] {
        let output = pipeline(folder.path(), args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(expected), "{args:?}: {message}");
    }
}
