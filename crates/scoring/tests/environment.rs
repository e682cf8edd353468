//! Options from the variables of Azure ML's inference server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod constant;

use std::{collections::BTreeMap, time::Duration};

use app::{call, get, post, router};
use axum::{body::Body, http::Request};
use constant::Constant;
use spinney_scoring::{Error, ServerOptions};

fn options(variables: &[(&str, &str)]) -> Result<ServerOptions, Error> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ServerOptions::default().environment(|name| variables.get(name).cloned())
}

#[tokio::test]
async fn the_shorter_timeout_counts() {
    for (variables, limit) in [
        (&[("SCORING_TIMEOUT_MS", "30")][..], "30 ms"),
        (&[("SCORING_TIMEOUT_MS", "30"), ("WORKER_TIMEOUT", "1")], "30 ms"),
        (&[("SCORING_TIMEOUT_MS", "3600000"), ("WORKER_TIMEOUT", "1")], "1000 ms"),
    ] {
        let scorer = Constant::slow(1.0, Duration::from_millis(1500));
        let answer = post(router(scorer, options(variables).unwrap()), "[{}]").await;
        let (status, _, message, ..) = answer.refusal();
        assert_eq!((status, message), (408, format!("the request took longer than {limit}")));
    }
}

#[tokio::test]
async fn workers_are_requests_at_once() {
    let options = options(&[("WORKER_COUNT", " 1 ")]).unwrap().queue_limit(0);
    let app = router(Constant::slow(1.0, Duration::from_millis(100)), options);
    let (first, second) = tokio::join!(post(app.clone(), "[{}]"), post(app, "[{}]"));
    assert_eq!(first.status.as_u16() + second.status.as_u16(), 200 + 429);
}

#[tokio::test]
async fn the_service_is_called_as_the_variables_say() {
    let options = options(&[
        ("SERVICE_NAME", "houses"),
        ("SERVICE_VERSION", "2.1"),
        ("SERVICE_PATH_PREFIX", "api/"),
        ("SERVER_VERSION_LOG_RESPONSE_ENABLED", "False"),
        ("AML_CORS_ORIGINS", "http://a.example, http://b.example"),
        ("AZUREML_ENTRY_SCRIPT", "score.py"),
        ("WORKER_COUNT", ""),
    ]);
    let app = router(Constant::new(1.0), options.unwrap());
    let document = get(app.clone(), "/swagger.json").await.json();
    assert_eq!(
        (&document["info"]["title"], &document["info"]["version"]),
        (&"houses".into(), &"2.1".into())
    );
    assert!(document["paths"]["/api/score"].is_object());
    let request = Request::get("/").header("origin", "http://b.example");
    let answer = call(app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "http://b.example");
    assert!(!answer.headers.contains_key("x-ms-server-version"));
}

#[test]
fn wrong_values_are_named() {
    for (variable, values) in [
        ("WORKER_COUNT", &["0", "-1", "two", "1.5"][..]),
        ("SCORING_TIMEOUT_MS", &["0", "soon", "99999999999999999999"]),
        ("WORKER_TIMEOUT", &["0", "-5"]),
        ("SERVER_VERSION_LOG_RESPONSE_ENABLED", &["maybe", "2"]),
    ] {
        for value in values {
            let message = options(&[(variable, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{variable} must be ")), "{message}");
        }
    }
    // A time that no clock can say is as good as none.
    let _ = options(&[("WORKER_TIMEOUT", "18446744073709551615")]).unwrap();
}

#[test]
fn the_folder_of_the_model_is_the_one_azure_ml_names() {
    let folder = |value: &'static str| ServerOptions::model_dir(move |_| Some(value.to_owned()));
    assert_eq!(folder("/var/azureml-app/azureml-models/ames/3").unwrap().components().count(), 6);
    assert_eq!((folder(""), ServerOptions::model_dir(|_| None)), (None, None));
}
