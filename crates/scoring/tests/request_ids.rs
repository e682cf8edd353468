//! The ids of requests, as Azure ML's inference server gives them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{Answer, call, router};
use axum::{body::Body, http::Request};
use spinney_scoring::ServerOptions;

async fn ask(path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let app = router(workshop::scorer(), ServerOptions::default());
    call(app, request.body(Body::empty()).unwrap()).await
}

fn ids(answer: &Answer) -> [Option<&str>; 3] {
    ["x-request-id", "x-ms-request-id", "x-ms-client-request-id"]
        .map(|name| answer.headers.get(name).map(|id| id.to_str().unwrap()))
}

#[tokio::test]
async fn ids_are_echoed_or_stand_in_for_each_other() {
    for (sent, expected) in [
        (&[("x-request-id", "r")][..], [Some("r"), Some("r"), None]),
        (&[("x-request-id", "r"), ("x-ms-request-id", "m")], [Some("r"), Some("m"), Some("m")]),
        (
            &[("x-request-id", "r"), ("x-ms-client-request-id", "c")],
            [Some("r"), Some("c"), Some("c")],
        ),
        (
            &[("x-request-id", "r"), ("x-ms-request-id", "m"), ("x-ms-client-request-id", "c")],
            [Some("r"), Some("m"), Some("c")],
        ),
        (&[("x-request-id", "")], [None, None, None]),
    ] {
        assert_eq!(ids(&ask("/", sent).await), expected, "{sent:?}");
    }
}

#[tokio::test]
async fn a_request_without_ids_gets_one() {
    for path in ["/", "/score", "/nowhere"] {
        let (one, other) = (ask(path, &[]).await, ask(path, &[]).await);
        let [request, ms, client] = ids(&one);
        assert_eq!((request, client), (ms, None), "{path}");
        assert_eq!(request.map(str::len), Some(36));
        assert_ne!(request, ids(&other)[0]);
    }
}

#[tokio::test]
async fn long_ids_are_refused() {
    let (longest, too_long) = ("i".repeat(100), "i".repeat(101));
    for name in ["x-request-id", "x-ms-request-id", "x-ms-client-request-id"] {
        assert_eq!(ask("/", &[(name, &longest)]).await.status, 200);
        let (status, code, message, ..) = ask("/", &[(name, &too_long)]).await.refusal();
        assert_eq!((status, code.as_str()), (431, "HeaderTooLong"));
        assert_eq!(message, format!("{name} must not exceed 100 characters"));
    }
}

#[tokio::test]
async fn answers_say_who_gives_them_and_how_scoring_went() {
    let answer = ask("/", &[("TraceId", "t")]).await;
    assert_eq!(answer.headers["traceid"], "t");
    assert_eq!(
        answer.headers["x-ms-server-version"],
        concat!("spinney/", env!("CARGO_PKG_VERSION"))
    );

    let app = router(workshop::scorer(), ServerOptions::default());
    let scored = app::post(app.clone(), workshop::request("workshop.json")).await;
    assert_eq!(scored.headers["x-ms-run-function-failed"], "False");
    let time: f64 = scored.headers["x-ms-run-fn-exec-ms"].to_str().unwrap().parse().unwrap();
    assert!(time > 0.0);
    let refused = app::post(app, "[{}]").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.headers["x-ms-run-function-failed"]),
        (422, &"False".parse().unwrap())
    );
}
