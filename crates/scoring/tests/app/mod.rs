//! Calling an application in process.
#![allow(dead_code, reason = "each test binary uses its share")]

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt;
use serde_json::Value;
use spinney_scoring::{Scorer, Server, ServerOptions};
use tower::ServiceExt;

/// All routes of a server for one scorer.
pub(crate) fn router(scorer: impl Scorer, options: ServerOptions) -> Router {
    Server::of(scorer, options).router()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The refusal's status, code and message, and the row and the field of its first detail.
    pub(crate) fn refusal(&self) -> (u16, String, String, Option<u64>, Option<String>) {
        let error = &self.json()["error"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (
            self.status.as_u16(),
            text(&error["code"]).unwrap(),
            text(&error["message"]).unwrap(),
            error["details"][0]["row"].as_u64(),
            text(&error["details"][0]["field"]),
        )
    }
}

pub(crate) async fn call(app: Router, request: Request<Body>) -> Answer {
    let response = app.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: head.status, headers: head.headers, text }
}

pub(crate) async fn get(app: Router, path: &str) -> Answer {
    call(app, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(app: Router, body: impl Into<Body>) -> Answer {
    call(app, Request::post("/score").body(body.into()).unwrap()).await
}
