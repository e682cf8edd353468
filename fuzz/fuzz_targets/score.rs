//! Bytes as the body of a scoring request: an answer or a refusal as JSON, never a server error.
#![no_main]

use std::sync::{Arc, LazyLock};

use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use spinney_fuzz::BUNDLE;
use spinney_scoring::{BundleScorer, ServerOptions, router};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
static APP: LazyLock<Router> =
    LazyLock::new(|| router(Arc::new(BundleScorer::new(BUNDLE.clone())), ServerOptions::default()));

fuzz_target!(|body: &[u8]| {
    RUNTIME.block_on(async {
        let request = Request::post("/score").body(Body::from(body.to_vec())).expect("a request");
        let response = APP.clone().oneshot(request).await.expect("infallible");
        assert!(!response.status().is_server_error(), "{}", response.status());
        let answer = response.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!((answer.first(), answer.last()), (Some(&b'{'), Some(&b'}')));
    });
});
