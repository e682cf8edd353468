//! Runs the program, asks it over a real socket and stops it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod program;

use program::{Program, bundle, command};
use serde_json::json;

#[test]
fn serves_with_a_key_until_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("areas.bundle");
    let bundle = bundle(2.0);
    bundle.save(&path).unwrap();
    let program = Program::serve(&path, &["--key", "secret"]);

    let body = json!([{"area": 17}]);
    let records = serde_json::from_value::<Vec<_>>(body.clone()).unwrap();
    let expected = bundle.predict_records(&records).unwrap();
    let (status, headers, answer) = program.score("secret", &body);
    assert_eq!((status, answer), (200, json!({"predictions": expected.to_vec()})));
    assert_eq!(headers["x-spinney-fingerprint"], bundle.fingerprint().to_string());
    let (status, _, refusal) = program.score("guess", &body);
    assert_eq!((status, &refusal["error"]["code"]), (401, &json!("WrongKey")));
    assert!(program.stop().0.success());
}

#[test]
fn answers_in_the_style_that_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("areas.bundle");
    bundle(2.0).save(&path).unwrap();
    let program = Program::serve(&path, &["--answer-style", "list"]);
    let (status, headers, answer) = program.score("", &json!([{"area": "17"}]));
    assert_eq!((status, answer.as_array().map(Vec::len)), (200, Some(1)), "{answer}");
    assert_eq!(headers["x-spinney-guesses"], "area=text-as-number:1");
    drop(program);

    let mut command = command();
    command.arg(&path).env("SPINNEY_ANSWER_STYLE", "json-string");
    let (_, _, answer) = Program::start(command).score("", &json!([{"area": 17}]));
    assert!(answer.as_str().unwrap().starts_with("{\"predictions\": ["), "{answer}");
}
