//! Bytes as the body of a scoring request, in every answer style: an answer or a refusal as JSON, never a server error.
#![no_main]

use std::sync::LazyLock;

use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use spinney_fuzz::BUNDLE;
use spinney_scoring::{AnswerStyle, BundleScorer, Server, ServerOptions};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
static APPS: LazyLock<[Router; 3]> = LazyLock::new(|| {
    [AnswerStyle::Native, AnswerStyle::List, AnswerStyle::JsonString].map(|style| {
        let options = ServerOptions::default().answer_style(style);
        Server::of(BundleScorer::new(BUNDLE.clone()), options).router()
    })
});

fuzz_target!(|body: &[u8]| {
    for app in &*APPS {
        RUNTIME.block_on(async {
            let request =
                Request::post("/score").body(Body::from(body.to_vec())).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert!(!response.status().is_server_error(), "{}", response.status());
            let answer = response.into_body().collect().await.expect("a body").to_bytes();
            serde_json::from_slice::<serde_json::Value>(&answer).expect("JSON");
        });
    }
});
