//! Runs the program with a model, and asks it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use reqwest::blocking::Client;
use serde_json::{Value, json};

/// Ends with the test, whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn serves_a_linear_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = json!({"intercept": 1000, "coefficients": {"GrLivArea": 110.5, "YearBuilt": 0.5}});
    fs::write(folder.path().join("linear.json"), model.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-scorer"));
    command.arg("0").env("AZUREML_MODEL_DIR", folder.path()).stdout(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap();

    let score = |body: Value| -> (u16, Value) {
        let response = Client::new().post(format!("{url}/score")).body(body.to_string());
        let response = response.send().unwrap();
        (response.status().as_u16(), serde_json::from_str(&response.text().unwrap()).unwrap())
    };
    let rows =
        json!({"data": [{"GrLivArea": 2, "YearBuilt": 2000}, {"GrLivArea": 0, "YearBuilt": 0}]});
    assert_eq!(score(rows), (200, json!({"predictions": [2221.0, 1000.0]})));
    let (status, refusal) = score(json!([{"GrLivArea": "big"}]));
    let places: Vec<&str> = refusal["error"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["field"].as_str().unwrap())
        .collect();
    assert_eq!((status, places), (422, vec!["GrLivArea", "YearBuilt"]));
    let document: Value = serde_json::from_str(
        &reqwest::blocking::get(format!("{url}/swagger.json")).unwrap().text().unwrap(),
    )
    .unwrap();
    assert_eq!(document["definitions"]["Record"]["required"], json!(["GrLivArea", "YearBuilt"]));
}

#[test]
fn a_model_that_is_not_there_is_told() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-scorer"));
    let output = command.env("AZUREML_MODEL_DIR", "none").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success()
            && message.contains("deployment `linear`: the model could not be loaded"),
        "{message}"
    );
}
