//! The pipeline's stages as programs: files in, files out, and the same numbers as in one process.
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
use spinney_artifact::ModelBundle;

fn ames() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/AmesHousing.csv")
}

/// Runs a stage in a folder, without the variables of whoever runs the tests.
fn stage(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ames-pipeline"));
    for name in [
        "AZUREML_ARM_SUBSCRIPTION",
        "AZUREML_ARM_RESOURCEGROUP",
        "AZUREML_ARM_WORKSPACE_NAME",
        "AZUREML_MODEL_DIR",
    ] {
        command.env_remove(name);
    }
    command.current_dir(folder).args(line.split_whitespace()).output().unwrap()
}

fn runs(folder: &Path, line: &str) -> String {
    let output = stage(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fails(folder: &Path, line: &str) -> String {
    let output = stage(folder, line);
    assert!(!output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

const SPLIT: &str = "split --X_train X_train --y_train y_train --X_test X_test --y_test y_test";
const PREP_TRAIN: &str =
    "prep --raw_data X_train --prepped_data P_train --xform_params_out params.json";
const PREP_TEST: &str = "prep --raw_data X_test --xform_params_in params.json --prepped_data P_test --xform_params_out again.json";
const TRAIN: &str = "train --X P_train --y y_train --xform_params params.json --model_path model";
const EVALUATE: &str =
    "evaluate --model_path model --X P_test --y y_test --metrics metrics --report report";

fn json_file(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The steps that need no workspace, by hand and in the pipeline's order, beside `run`.
#[test]
fn steps_with_files_between_them_find_what_one_process_finds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::copy(ames(), path.join("ames.csv")).unwrap();
    assert_eq!(
        runs(path, &format!("{SPLIT} --input_data ames.csv --test_size 0.2 --random_state 123")),
        "2344 train rows, 586 test rows\n"
    );
    assert!(runs(path, PREP_TRAIN).contains("LotFrontage: mean 69.41871165644172"));
    assert_eq!(runs(path, PREP_TEST), "586 rows of 48 features\n");
    assert!(runs(path, TRAIN).contains("100 trees, out-of-bag R² 0.8673"));
    assert_eq!(runs(path, EVALUATE), "R² Score: 0.84\nMean Absolute Error: $18,123\n");
    runs(path, "run --data ames.csv --bundle one.bundle --report one.json");

    let one = json_file(path.join("one.json"));
    assert_eq!(json_file(path.join("metrics")), one["metrics"]);
    let predictions = fs::read_to_string(path.join("report/predictions.csv")).unwrap();
    let column = |at: usize| -> Vec<f64> {
        let fields = predictions.lines().skip(1).map(|line| line.split(',').nth(at).unwrap());
        fields.map(|field| field.parse().unwrap()).collect()
    };
    assert_eq!(json!(column(1)), one["predictions_test"]);
    assert_eq!(
        fs::read(path.join("params.json")).unwrap(),
        fs::read(path.join("again.json")).unwrap()
    );
    assert_eq!(json_file(path.join("params.json"))["transform_params"], one["transform_params"]);

    let one = ModelBundle::load(path.join("one.bundle")).unwrap();
    let steps = ModelBundle::load(path.join("model/ames.bundle")).unwrap();
    assert_eq!(steps.feature_schema().hash(), one.feature_schema().hash());
    assert_eq!(steps.metadata().ranges(), one.metadata().ranges());
    assert_eq!(
        steps.metadata().provenance().parameters(),
        one.metadata().provenance().parameters()
    );
    // The metadata differ, as only one process knows the metrics before it writes the model. All else is the same, bit for bit.
    let remade = ModelBundle::new(
        steps.transformer().clone(),
        steps.forest().clone(),
        one.metadata().clone(),
    );
    assert_eq!(remade.unwrap().fingerprint(), one.fingerprint());

    let html = fs::read_to_string(path.join("report/report.html")).unwrap();
    for expected in
        ["<dd>$18,123</dd>", "NAmes (", &steps.fingerprint().to_string(), "586 test rows"]
    {
        assert!(html.contains(expected), "{expected}");
    }
    assert_eq!(html.matches("<circle").count(), 2 * 586);
}

#[test]
fn a_step_that_runs_again_writes_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let ames = ames();
    let split = format!("{SPLIT} --input_data {} --test_size 200", ames.display());
    let files = ["X_train", "y_test", "P_train", "params.json", "model/ames.bundle"];
    let written = [0, 1].map(|_| {
        runs(path, &split);
        runs(path, PREP_TRAIN);
        runs(path, &format!("{TRAIN} --n-estimators 5"));
        files.map(|file| fs::read(path.join(file)).unwrap())
    });
    assert!(written[0] == written[1]);
}

#[test]
fn a_neighborhood_that_only_the_test_rows_have_is_said_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    runs(path, &format!("{SPLIT} --input_data {} --test_size 200", ames().display()));
    runs(path, PREP_TRAIN);
    let test = fs::read_to_string(path.join("X_test")).unwrap().replace(",NAmes,", ",Atlantis,");
    fs::write(path.join("X_test"), test).unwrap();
    let said = runs(path, PREP_TEST);
    assert!(said.contains("Neighborhood: ") && said.contains("unseen in training"), "{said}");
    runs(path, &format!("{TRAIN} --n-estimators 5"));
    runs(path, EVALUATE);
    let html = fs::read_to_string(path.join("report/report.html")).unwrap();
    assert!(html.contains("not in training (") && !html.contains("NAmes ("));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let header = "LotFrontage,GrLivArea,GarageArea,Neighborhood,HouseStyle,ExterQual,MasVnrType,YearBuilt,YrSold,OverallQual,SalePrice";
    let row = "65,1500,480,NAmes,1Story,Gd,BrkFace,2005,2010,7,200000";
    for (name, text) in [
        ("empty.csv", String::new()),
        ("header.csv", format!("{header}\n")),
        ("short.csv", "LotFrontage,SalePrice\n1,2\n".to_owned()),
        ("ragged.csv", format!("{header}\n{row}\n{row},1\n")),
        ("word.csv", format!("{header}\n{row}\n{}\n", row.replace("1500", "large"))),
        ("unpriced.csv", format!("{header}\n{}\n", row.replace("200000", ""))),
        ("params.json", "{\"transform_params\": 1}".to_owned()),
        ("nothing.json", "{}".to_owned()),
        ("x", "a,b\n1,2\n".to_owned()),
    ] {
        fs::write(path.join(name), text).unwrap();
    }
    fs::create_dir(path.join("folder")).unwrap();
    for (line, expected) in [
        ("split --input_data none.csv", "none.csv: cannot read the CSV"),
        ("split --input_data empty.csv", "empty.csv: no header line"),
        ("split --input_data header.csv", "header.csv: there is no row with a price"),
        ("split --input_data unpriced.csv", "unpriced.csv: there is no row with a price"),
        ("split --input_data short.csv", "short.csv: column `GrLivArea` is not in the header"),
        (
            "split --input_data ragged.csv",
            "ragged.csv: line 3, row 1: expected 11 fields, found 12",
        ),
        (
            "split --input_data word.csv",
            "word.csv: line 3, row 1: column `GrLivArea` is numeric, found \"large\"",
        ),
    ] {
        let line = format!("{line} {}", &SPLIT["split".len()..]);
        let message = fails(path, &line);
        assert!(message.contains(expected), "{line}: {message}");
    }
    for (line, expected) in [
        (
            "prep --raw_data empty.csv --prepped_data p --xform_params_out o",
            "empty.csv: no header line",
        ),
        (
            "prep --raw_data header.csv --prepped_data p --xform_params_out o",
            "header.csv: there are no rows",
        ),
        ("prep --raw_data ragged.csv --prepped_data p --xform_params_out o", "line 3"),
        (
            "prep --raw_data unpriced.csv --xform_params_in params.json --prepped_data p --xform_params_out o",
            "params.json: not what a prep step has learned",
        ),
        (
            "prep --raw_data unpriced.csv --xform_params_in none.json --prepped_data p --xform_params_out o",
            "could not read none.json",
        ),
        (
            "train --X x --y x --xform_params nothing.json --model_path m",
            "nothing.json: not what a prep step has learned",
        ),
        ("evaluate --model_path folder --X x --y x --metrics m", "folder: there is no *.bundle"),
        ("evaluate --model_path x --X x --y x --metrics m", "not a spinney bundle"),
        ("tag --model_name m --metrics none.json", "could not read none.json"),
        ("tag --model_name m --metrics nothing.json", "nothing.json: there are no metrics"),
        ("tag --model_name m --metrics x", "x: not a JSON object of numbers"),
        (
            "deploy --model_name m --endpoint_name e --example_payload p --environment e",
            "AZUREML_ARM_SUBSCRIPTION",
        ),
        ("test --endpoint_name e --example_payload x", "x: not a JSON list of rows"),
        ("test --endpoint_name e --example_payload none", "could not read none"),
        ("serve", "AZUREML_MODEL_DIR"),
        ("split --input_data x", "--X_train"),
        ("prep --raw x", "unexpected argument '--raw'"),
        ("train --X x --y x --xform_params p --model_path m --n-estimators many", "many"),
        ("fly", "unrecognized subcommand 'fly'"),
    ] {
        let message = fails(path, line);
        assert!(message.contains(expected), "{line}: {message}");
    }
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    runs(path, &format!("{SPLIT} --input_data {} --test_size 200", ames().display()));
    runs(path, PREP_TRAIN);
    runs(path, PREP_TEST);
    let message = fails(path, &TRAIN.replace("y_train", "y_test"));
    assert!(message.contains("P_train has 2730 rows, and y_test has 200"), "{message}");
    let message = fails(path, &TRAIN.replace("--X P_train", "--X X_train"));
    assert!(message.contains("X_train: column `"), "{message}");
    let prices = fs::read_to_string(path.join("y_train")).unwrap();
    let (first, rest) = prices.split_once('\n').unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    fs::write(path.join("y_gap"), format!("{first}\nNA\n{rest}")).unwrap();
    let message = fails(path, &TRAIN.replace("y_train", "y_gap"));
    assert!(message.contains("y_gap: line 2, row 0: column `SalePrice` is missing"), "{message}");
}
