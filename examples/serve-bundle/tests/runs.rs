//! Runs the program, asks it over a real socket and stops it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use ndarray::ArrayView1;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{InputSchema, Preprocessor, Table};

/// The running program; it ends with the test, whatever happens.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(bundle: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_serve-bundle"));
        command.arg(bundle).args(["--port", "0"]).args(args).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Self { child, url }
    }

    fn score(&self, key: &str, body: &Value) -> (u16, Value) {
        let request = Client::new().post(format!("{}/score", self.url)).bearer_auth(key);
        let response = request.body(body.to_string()).send().unwrap();
        (response.status().as_u16(), serde_json::from_str(&response.text().unwrap()).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bundle() -> ModelBundle {
    let schema = InputSchema::builder().numeric(["area"]).target("price").build().unwrap();
    let csv = "area,price\n50,100\n80,200\n90,250\n";
    let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
    let plan = Preprocessor::builder(&schema).build().unwrap();
    let (transformer, x) = plan.fit_transform(&table).unwrap();
    let y = ArrayView1::from(table.target().unwrap());
    let forest = RandomForest::params().fit_arrays(x.view(), y).unwrap();
    ModelBundle::new(transformer, forest, BundleMetadata::new("areas", "1")).unwrap()
}

#[test]
fn serves_with_a_key_until_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("areas.bundle");
    let bundle = bundle();
    bundle.save(&path).unwrap();
    let mut server = Server::start(&path, &["--key", "secret"]);

    let body = json!([{"area": 70}]);
    let records = serde_json::from_value::<Vec<_>>(body.clone()).unwrap();
    let expected = bundle.predict_records(&records).unwrap();
    assert_eq!(server.score("secret", &body), (200, json!({"predictions": expected.to_vec()})));
    let (status, refusal) = server.score("guess", &body);
    assert_eq!((status, &refusal["error"]["code"]), (401, &json!("WrongKey")));

    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn answers_in_the_style_that_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("areas.bundle");
    bundle().save(&path).unwrap();
    let server = Server::start(&path, &["--answer-style", "list"]);
    let (status, answer) = server.score("", &json!([{"area": "70"}]));
    assert_eq!((status, answer.as_array().map(Vec::len)), (200, Some(1)), "{answer}");
    drop(server);

    let mut command = Command::new(env!("CARGO_BIN_EXE_serve-bundle"));
    let output = command.arg(&path).args(["--answer-style", "xml"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("`xml` is no answer style: use native, list or json-string"),
        "{message}"
    );
}

#[test]
fn names_a_bundle_that_is_not_there() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve-bundle"));
    let output = command.arg("no/such.bundle").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("could not load no/such.bundle"));
}
