//! What clients get wrong: a 4xx with the row and the column, as JSON, without the value.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod app;
mod workshop;

use std::{path::Path, time::Duration};

use app::{call, get, post, router};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use spinney_scoring::{
    InitError, Key, ScoreError, ScoreRequest, ScoreResponse, Scorer, ServerOptions,
};

fn record() -> Value {
    let body: Value = serde_json::from_str(&workshop::request("workshop_lesson2.json")).unwrap();
    body["data"][0].clone()
}

fn with(column: &str, value: Value) -> Value {
    let mut record = record();
    record[column] = value;
    record
}

fn without(column: &str) -> Value {
    let mut record = record();
    record.as_object_mut().unwrap().remove(column);
    record
}

async fn refusal(body: impl Into<Body>) -> (u16, String, String, Option<u64>, Option<String>) {
    post(router(workshop::scorer(), ServerOptions::default()), body).await.refusal()
}

#[tokio::test]
async fn names_row_and_column() {
    let cases = [
        (without("GrLivArea"), 422, "MissingColumn", "row 1: column `GrLivArea` is not there"),
        (
            with("GrLivArea", json!("1500")),
            422,
            "InvalidValue",
            "row 1: column `GrLivArea` is numeric, found a string",
        ),
        (
            with("Neighborhood", json!(12)),
            422,
            "InvalidValue",
            "row 1: column `Neighborhood` is categorical, found a number",
        ),
        (
            with("LotFrontage", json!([1])),
            422,
            "InvalidValue",
            "row 1: column `LotFrontage` is numeric, found an array",
        ),
        (
            with("YrSold", Value::Null),
            422,
            "MissingValue",
            "row 1: `YrSold` is missing, but the model was trained without missing values in it",
        ),
        (
            with("GrLivArea", json!(1e39)),
            422,
            "InvalidValue",
            "row 1: feature `GrLivArea` is too large for the forest",
        ),
    ];
    for (bad, status, code, message) in cases {
        let found = refusal(json!([record(), bad]).to_string()).await;
        let column = message.split('`').nth(1).map(str::to_owned);
        assert_eq!(found, (status, code.to_owned(), message.to_owned(), Some(1), column));
    }
}

#[tokio::test]
async fn names_infinite_numbers() {
    for number in ["Infinity", "-Infinity", "1e400", "-1e999"] {
        let good = record().to_string();
        let bad = good.replace("1710.0", number);
        let (status, code, message, row, column) = refusal(format!("[{good}, {bad}]")).await;
        assert_eq!((status, code.as_str()), (422, "InvalidValue"));
        assert_eq!(message, "row 1: column `GrLivArea` has an infinite number");
        assert_eq!((row, column.as_deref()), (Some(1), Some("GrLivArea")));
    }
}

#[tokio::test]
async fn refuses_what_is_not_json() {
    for body in ["", "{", "[1,", "[{'a': 1}]", "[{}] x", "\u{feff}[]", "NaN,"] {
        let (status, code, message, ..) = refusal(body).await;
        assert_eq!((status, code.as_str()), (400, "MalformedJson"), "{body}");
        assert!(message.starts_with("the body is not JSON: "), "{message}");
    }
    let (status, code, message, ..) = refusal(vec![b'[', 0xff, b']']).await;
    assert_eq!((status, code.as_str()), (400, "MalformedJson"));
    assert_eq!(message, "the body is not UTF-8 from byte 1 on");
}

#[tokio::test]
async fn refuses_json_without_records() {
    for body in ["1", "null", "\"text\"", "{}", "NaN"] {
        let (status, code, message, row, _) = refusal(body).await;
        assert_eq!((status, code.as_str(), row), (422, "WrongShape", None), "{body}");
        assert!(message.starts_with("the body must hold rows: a list of records"), "{message}");
    }
    let (status, code, message, row, _) = refusal(format!("[{}, 5]", record())).await;
    assert_eq!((status, code.as_str(), row), (422, "WrongShape", Some(1)));
    assert_eq!(message, "row 1 is not an object with a value for each column");
}

#[tokio::test]
async fn answers_no_records_with_no_predictions() {
    for body in ["[]", "{\"data\": []}"] {
        let answer = post(router(workshop::scorer(), ServerOptions::default()), body).await;
        assert_eq!(answer.json(), json!({"predictions": []}));
    }
}

#[tokio::test]
async fn never_repeats_a_value() {
    let secret = "Kerkstraat 12";
    for body in [
        json!([with("GrLivArea", json!(secret))]).to_string(),
        json!([with("LotFrontage", json!({ "a": secret }))]).to_string(),
        json!(secret).to_string(),
        json!({ "dat": secret }).to_string(),
        json!([secret]).to_string(),
        format!("[\"{secret}"),
    ] {
        let answer = post(router(workshop::scorer(), ServerOptions::default()), body).await;
        assert!(
            answer.status.is_client_error() && !answer.text.contains("Kerk"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn refuses_without_the_key() {
    let options = ServerOptions::default().key(Key::new("open sesame"));
    let app = router(workshop::scorer(), options);
    for (header, status, code) in [
        (None, 401, "MissingKey"),
        (Some("Basic b3BlbjpzZXNhbWU="), 401, "MissingKey"),
        (Some("open sesame"), 401, "MissingKey"),
        (Some("Bearer "), 401, "WrongKey"),
        (Some("Bearer open sesam"), 401, "WrongKey"),
        (Some("Bearer open sesame!"), 401, "WrongKey"),
        (Some("Bearer open sesame"), 200, ""),
        (Some("bearer open sesame"), 200, ""),
    ] {
        let request = Request::post("/score");
        let request = match header {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let body = workshop::request("workshop.json");
        let answer = call(app.clone(), request.body(body.into()).unwrap()).await;
        assert_eq!(answer.status, status, "{header:?}");
        if status == 401 {
            assert_eq!(answer.refusal().1, code);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn refuses_a_body_above_the_limit() {
    let options = ServerOptions::default().max_body_bytes(100);
    let answer = post(router(workshop::scorer(), options), "x".repeat(101)).await;
    let (status, code, message, ..) = answer.refusal();
    assert_eq!((status, code.as_str()), (413, "BodyTooLarge"));
    assert_eq!(message, "the body is longer than 100 bytes");
}

#[tokio::test]
async fn refuses_other_routes_and_methods_as_json() {
    let app = router(workshop::scorer(), ServerOptions::default());
    for path in ["/nowhere", "/score/", "/Score"] {
        assert_eq!(get(app.clone(), path).await.refusal().1, "NotFound");
    }
    for (method, path) in [(Method::PUT, "/score"), (Method::DELETE, "/score"), (Method::POST, "/")]
    {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = call(app.clone(), request).await;
        assert_eq!(
            (answer.status, answer.refusal().1.as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")
        );
        assert!(answer.headers.contains_key("allow"));
    }
}

#[tokio::test]
async fn depth_and_length_are_refused_or_scored() {
    let app = router(workshop::scorer(), ServerOptions::default());
    for (open, close) in [("[", "]"), ("{\"data\":", "}"), ("[{\"a\":", "}]")] {
        let body = open.repeat(100_000) + "1" + &close.repeat(100_000);
        let answer = post(app.clone(), body).await;
        assert!(answer.status.is_client_error(), "{open}: {}", answer.status);
    }
    // A value as deep as that in a column that nobody reads harms nobody.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = record().to_string().replacen('{', &format!("{{\"more\": {deep}, "), 1);
    assert_eq!(post(app.clone(), format!("[{body}]")).await.text, r#"{"predictions":[205980.87]}"#);
    // Eight megabytes of rows, and as much of nothing.
    let n_rows = 40_000;
    let rows = vec![record().to_string(); n_rows].join(",");
    let answer = post(app.clone(), format!("[{rows}]")).await;
    assert_eq!(answer.json()["predictions"].as_array().unwrap().len(), n_rows);
    let answer = post(app, format!("[{}]", " ".repeat(8 << 20))).await;
    assert_eq!(answer.json(), json!({"predictions": []}));
}

struct Panics;

impl Scorer for Panics {
    fn init(_: &Path) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn run(&self, _: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        panic!("the detail is for the log only")
    }
}

struct Sleeps;

impl Scorer for Sleeps {
    fn init(_: &Path) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn run(&self, _: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        std::thread::sleep(Duration::from_millis(300));
        Ok(ScoreResponse::new(vec![]))
    }
}

#[tokio::test]
async fn survives_a_scorer_that_panics() {
    let app = router(Panics, ServerOptions::default());
    for _ in 0..3 {
        let answer = post(app.clone(), "[]").await;
        assert_eq!(answer.headers["x-ms-run-function-failed"], "True");
        let (status, code, message, ..) = answer.refusal();
        assert_eq!((status, code.as_str()), (500, "Internal"));
        assert_eq!(message, "the server failed, its log has the reason");
    }
}

#[tokio::test]
async fn gives_up_after_the_time_limit() {
    let options = ServerOptions::default().request_timeout(Duration::from_millis(20));
    let answer = post(router(Sleeps, options), "[]").await;
    assert!(answer.headers.contains_key("x-request-id"));
    let (status, code, message, ..) = answer.refusal();
    assert_eq!((status, code.as_str()), (408, "Timeout"));
    assert_eq!(message, "the request took longer than 20 ms");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let column = prop_oneof![
            Just("data".to_owned()),
            Just("GrLivArea".to_owned()),
            Just("Neighborhood".to_owned()),
            "[a-z]{1,5}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(column, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_body_is_answered_with_a_server_error(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            any_json().prop_map(|json| json.to_string().into_bytes()),
            any_json().prop_map(|json| json!([with("GrLivArea", json)]).to_string().into_bytes()),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let app = router(workshop::scorer(), ServerOptions::default());
        let answer = runtime.block_on(post(app, bytes));
        prop_assert!(!answer.status.is_server_error());
        prop_assert!(answer.json().is_object());
    }
}
