//! Routes and methods as Azure ML's inference server has them: what browsers ask, queries as rows, and who may ask what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{Answer, call, get, router};
use axum::{
    Router,
    body::Body,
    http::{Method, Request},
};
use spinney_scoring::{AnswerStyle, Key, Keys, ServerOptions};

async fn ask(app: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    call(app.clone(), request.body(Body::empty()).unwrap()).await
}

fn app(options: ServerOptions) -> Router {
    router(workshop::scorer(), options)
}

#[tokio::test]
async fn methods_are_those_of_the_original() {
    let app = app(ServerOptions::default());
    let head = ask(&app, Method::HEAD, "/", &[]).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    let options = ask(&app, Method::OPTIONS, "/", &[]).await;
    assert_eq!((options.status.as_u16(), options.text.as_str()), (200, ""));
    assert_eq!(options.headers["allow"], "GET, OPTIONS, HEAD");
    let options = ask(&app, Method::OPTIONS, "/score", &[]).await;
    assert_eq!((options.status.as_u16(), options.text.as_str()), (200, ""));
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = ask(&app, method, "/score", &[]).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["allow"]),
            (405, &"GET, POST, OPTIONS".parse().unwrap())
        );
    }
}

/// The workshop's record, as a query.
#[tokio::test]
async fn a_query_is_a_row() {
    let body: serde_json::Value =
        serde_json::from_str(&workshop::request("workshop_lesson2.json")).unwrap();
    let record = body["data"][0].as_object().unwrap();
    let pair = |(name, value): (&String, &serde_json::Value)| match value.as_str() {
        Some(text) => format!("{name}={}", text.replace(' ', "%20")),
        None => format!("{name}={value}"),
    };
    let query: Vec<String> = record.iter().map(pair).collect();
    let app = app(ServerOptions::default());
    let answer = get(app.clone(), &format!("/score?{}", query.join("&"))).await;
    assert_eq!(answer.text, r#"{"predictions":[205980.87]}"#);
    // Again and again is a list of values: two rows.
    let twice: Vec<String> = query.iter().map(|pair| format!("{pair}&{pair}")).collect();
    let answer = get(app.clone(), &format!("/score?{}", twice.join("&"))).await;
    assert_eq!(answer.text, r#"{"predictions":[205980.87,205980.87]}"#);
    assert_eq!(get(app.clone(), "/score").await.refusal().1, "WrongShape");
    assert_eq!(get(app, "/score?%ff=%fe").await.status.as_u16() / 100, 4);
}

#[tokio::test]
async fn listed_origins_may_call_from_a_browser() {
    let app = app(ServerOptions::default().cors_origins(["http://a.example", "http://b.example"]));
    let origin = |answer: &Answer| {
        answer
            .headers
            .get("access-control-allow-origin")
            .map(|value| value.to_str().unwrap().to_owned())
    };
    for (sent, expected) in [
        (Some("http://b.example"), Some("http://b.example")),
        (Some("http://c.example"), None),
        (None, None),
    ] {
        let headers: Vec<(&str, &str)> =
            sent.into_iter().map(|origin| ("origin", origin)).collect();
        let answer = ask(&app, Method::GET, "/", &headers).await;
        assert_eq!(answer.status, 200);
        assert_eq!(origin(&answer).as_deref(), expected);
        assert!(answer.headers.contains_key("vary"));
    }
    let preflight = [
        ("origin", "http://a.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let answer = ask(&app, Method::OPTIONS, "/score", &preflight).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-methods"], "GET,POST");
    assert_eq!(answer.headers["access-control-allow-headers"], "authorization,content-type");
    // Scoring itself works across origins too.
    let request = Request::post("/score").header("origin", "http://a.example");
    let answer = call(app, request.body(Body::from("[]")).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), origin(&answer).as_deref()),
        (200, Some("http://a.example"))
    );
}

#[tokio::test]
async fn any_origin_means_any() {
    let app = app(ServerOptions::default().cors_origins(["*"]));
    let answer = ask(&app, Method::GET, "/", &[("origin", "http://x.example")]).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "http://x.example");
}

#[tokio::test]
async fn without_origins_nothing_is_said_about_them() {
    let answer = ask(&app(ServerOptions::default()), Method::GET, "/", &[("origin", "x")]).await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn probes_need_no_key_and_all_else_does() {
    let keys = Keys::new(Key::new("first"), Some(Key::new("second")));
    let app = app(ServerOptions::default().keys(keys.clone()));
    for path in ["/", "/v2", "/v2/health/live", "/v2/health/ready"] {
        assert_eq!(get(app.clone(), path).await.status, 200, "{path}");
    }
    for path in ["/metrics", "/swagger.json", "/score", "/v2/models/ames-housing", "/nowhere"] {
        let answer = get(app.clone(), path).await;
        assert_eq!(answer.refusal().1, "MissingKey", "{path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let with = |key: &'static str| {
        let app = app.clone();
        async move {
            let header = format!("Bearer {key}");
            ask(&app, Method::GET, "/metrics", &[("authorization", &header)]).await.status.as_u16()
        }
    };
    assert_eq!((with("first").await, with("second").await, with("third").await), (200, 200, 401));
    keys.replace(Key::new("third"), Some(Key::new("second")));
    assert_eq!((with("first").await, with("second").await, with("third").await), (401, 200, 200));
}

#[test]
fn keys_come_from_a_file_and_change_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, "\n one \r\ntwo\n\n").unwrap();
    let keys = Keys::from_file(&path).unwrap();
    assert!(keys.match_any("one") && keys.match_any("two") && !keys.match_any(" one "));
    for (text, found) in [("", 0), (" \n\n", 0), ("a\nb\nc", 3)] {
        std::fs::write(&path, text).unwrap();
        let message = keys.reload(&path).unwrap_err().to_string();
        assert!(
            message.ends_with(&format!(
                "found {found} keys, but there must be one or two, a line each"
            ))
        );
        assert!(keys.match_any("one"), "a bad file changes nothing");
    }
    std::fs::write(&path, "three").unwrap();
    keys.reload(&path).unwrap();
    assert!(keys.match_any("three") && !keys.match_any("one"));
    let message = Keys::from_file(folder.path().join("none")).unwrap_err().to_string();
    assert!(message.starts_with("the keys could not be read from "), "{message}");
}

/// The version header goes, and so does the version.
#[tokio::test]
async fn the_server_need_not_say_who_it_is() {
    let answer = get(app(ServerOptions::default()), "/").await;
    assert!(answer.headers["x-ms-server-version"].to_str().unwrap().starts_with("spinney/"));
    let answer = get(app(ServerOptions::default().version_header(false)), "/").await;
    assert!(!answer.headers.contains_key("x-ms-server-version"));
}

#[tokio::test]
async fn what_is_no_text_is_refused_as_json_too() {
    let app = app(ServerOptions::default());
    for (path, status) in [
        ("/score?a=%ff", 422),
        ("/swagger.json?version=%ff", 404),
        ("/v2/models/%ff", 404),
        ("/v2/models/%ff/ready", 404),
        ("/%ff", 404),
    ] {
        let answer = get(app.clone(), path).await;
        assert_eq!((answer.status.as_u16(), answer.refusal().0), (status, status), "{path}");
    }
}

#[tokio::test]
async fn infrastructure_does_not_hide_in_answers() {
    let options = ServerOptions::default()
        .answer_style(AnswerStyle::JsonString)
        .errors_in_answers(true)
        .max_body_bytes(10);
    let answer =
        call(app(options), Request::post("/score").body(Body::from("x".repeat(11))).unwrap()).await;
    assert_eq!(answer.status, 413);
}
