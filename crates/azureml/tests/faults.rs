//! What no real peer does on demand: replies that ask to come back, broken connections, replies cut short or without sense, operations that fail,
//! are cancelled or never end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use loopback::{Answer, Fault, Server, StaticToken};
use serde_json::json;
use spinney_azureml::{Cloud, Error, RetryOptions, Step};

fn compute() -> Answer {
    Answer::json(
        200,
        json!({
            "id": "/x/computes/ci1", "name": "ci1", "location": "westeurope",
            "properties": {"computeType": "ComputeInstance", "provisioningState": "Succeeded", "properties": {"state": "Running"}},
        }),
    )
}

#[tokio::test]
async fn what_passes_is_ridden_out() {
    for status in [408, 429, 500, 502, 503, 504] {
        for retry_after in [None, Some("0")] {
            let server = Server::start().await;
            let busy = Answer::error(status, "Busy", "come back");
            let busy = match retry_after {
                Some(seconds) => busy.header("Retry-After", seconds),
                None => busy,
            };
            server.on("GET", "/computes/ci1", busy.clone()).on("GET", "/computes/ci1", busy);
            server.on("GET", "/computes/ci1", compute());
            assert_eq!(server.client().computes().get("ci1").await.unwrap().name, "ci1");
            server.check();
            let ids: Vec<_> = server
                .seen()
                .iter()
                .map(|seen| seen.headers["x-ms-client-request-id"].clone())
                .collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "one id for all attempts");
        }
    }
}

#[tokio::test]
async fn broken_connections_and_replies_cut_short_are_tried_again() {
    for fault in [Fault::Reset, Fault::Truncated] {
        let server = Server::start().await;
        server.on("GET", "/computes/ci1", Answer::fault(fault)).on(
            "GET",
            "/computes/ci1",
            compute(),
        );
        server.client().computes().get("ci1").await.unwrap();
        server.check();
    }
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_at_once() {
    for (status, code) in [
        (400, "BadArgument"),
        (403, "AuthorizationFailed"),
        (404, "ResourceNotFound"),
        (409, "Conflict"),
    ] {
        let server = Server::start().await;
        let refused = Answer::error(status, code, "no").header("Retry-After", "0");
        server.on(
            "GET",
            "/computes/ci1",
            refused.header("x-ms-request-id", "r-1").header("x-ms-correlation-request-id", "c-1"),
        );
        let error = server.client().computes().get("ci1").await.unwrap_err();
        assert_eq!((error.status(), error.request_id()), (Some(status), Some("r-1")));
        assert_eq!((error.is_not_found(), error.is_conflict()), (status == 404, status == 409));
        let text = error.to_string();
        assert!(
            text.contains(code)
                && text.contains("request id: r-1")
                && text.contains("correlation id: c-1"),
            "{text}"
        );
        server.check();
    }
}

#[tokio::test]
async fn an_error_says_how_often_it_was_tried() {
    let server = Server::start().await;
    server.always("GET", "/computes/ci1", Answer::error(503, "ServerBusy", "busy"));
    let retry = RetryOptions {
        max_retries: 2,
        initial_delay: Duration::from_millis(1),
        ..RetryOptions::default()
    };
    let client = server.builder().retry(retry).build().unwrap();
    let error = client.computes().get("ci1").await.unwrap_err();
    assert_eq!(server.seen().len(), 3);
    assert!(error.to_string().contains("attempts: 3"), "{error}");
}

#[tokio::test]
async fn retry_after_beyond_the_limit_is_not_waited_for() {
    let server = Server::start().await;
    server.on(
        "GET",
        "/computes/ci1",
        Answer::error(429, "TooManyRequests", "slow down").header("Retry-After", "3600"),
    );
    let begun = Instant::now();
    let error = server.client().computes().get("ci1").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(error.to_string().contains("to be tried again after 3600 s"), "{error}");
}

#[tokio::test]
async fn replies_without_sense_are_errors_and_no_panics() {
    for body in
        ["", "<html>gateway</html>", "{", "[]", "null", "{\"properties\": 3}", "\u{0}\u{ff}"]
    {
        let server = Server::start().await;
        server.on("GET", "/computes/ci1", Answer::new(200).body(body));
        let error = server.client().computes().get("ci1").await.unwrap_err();
        assert!(matches!(error, Error::Reply { .. }), "{error:?}");
    }
    let server = Server::start().await;
    server.on("GET", "/computes/ci1", Answer::new(404).body("<html>not here</html>"));
    let error = server.client().computes().get("ci1").await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("not here"), "{error}");
}

#[tokio::test]
async fn slow_replies_end_with_the_timeout() {
    let server = Server::start().await;
    server.always("GET", "/computes/ci1", Answer::fault(Fault::Slow(Duration::from_secs(5))));
    let retry = RetryOptions {
        max_retries: 1,
        initial_delay: Duration::from_millis(1),
        ..RetryOptions::default()
    };
    let client = server.builder().retry(retry).timeout(Duration::from_millis(100)).build().unwrap();
    let error = client.computes().get("ci1").await.unwrap_err();
    assert!(matches!(error, Error::Transport { attempts: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_is_kept_and_a_refused_one_is_replaced_once() {
    let server = Server::start().await;
    let token = Arc::new(StaticToken::default());
    let client = server.builder().credential(token.clone()).build().unwrap();
    server.always("GET", "/computes/ci1", compute());
    for _ in 0..3 {
        client.computes().get("ci1").await.unwrap();
    }
    assert_eq!(token.asked.load(Ordering::Relaxed), 1);
    server.on("GET", "/computes/ci1", Answer::error(401, "ExpiredAuthenticationToken", "expired"));
    client.computes().get("ci1").await.unwrap();
    assert_eq!(token.asked.load(Ordering::Relaxed), 2);
    server.always("GET", "/computes/ci1", Answer::error(401, "InvalidAuthenticationToken", "no"));
    let error = client.computes().get("ci1").await.unwrap_err();
    assert_eq!((error.status(), token.asked.load(Ordering::Relaxed)), (Some(401), 3));
}

#[tokio::test]
async fn a_token_close_to_its_end_is_renewed() {
    let server = Server::start().await;
    let token =
        Arc::new(StaticToken { lifetime: Some(Duration::from_secs(60)), ..StaticToken::default() });
    let client = server.builder().credential(token.clone()).build().unwrap();
    server.always("GET", "/computes/ci1", compute());
    client.computes().get("ci1").await.unwrap();
    client.computes().get("ci1").await.unwrap();
    assert_eq!(token.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn tokens_go_to_no_stranger() {
    let server = Server::start().await;
    for link in ["https://elsewhere.example/next", "http://127.0.0.1:1/next"] {
        server.on("GET", "/computes", Answer::json(200, json!({"value": [], "nextLink": link})));
        let error = server.client().computes().list().collect().await.unwrap_err();
        assert!(matches!(error, Error::UntrustedUrl { .. }), "{error:?}");
        server.on(
            "POST",
            "/computes/ci1/stop",
            Answer::new(202).header("Azure-AsyncOperation", link),
        );
        let error = server.client().computes().stop("ci1").await.unwrap_err();
        assert!(matches!(error, Error::UntrustedUrl { .. }), "{error:?}");
    }
    let cloud = Cloud::at("http://azure.example").unwrap();
    let client = server.builder().cloud(cloud).build().unwrap();
    let error = client.computes().get("ci1").await.unwrap_err();
    assert!(error.to_string().contains("neither https nor this machine"), "{error}");
}

#[tokio::test]
async fn pages_follow_each_other_and_do_not_circle() {
    let server = Server::start().await;
    let page = |value: serde_json::Value, link: Option<String>| {
        Answer::json(200, json!({"value": value, "nextLink": link}))
    };
    let item = json!({"name": "ci1", "properties": {}});
    let path = |query: &str| format!("{}{}/computes?{query}", server.url, loopback::WORKSPACE);
    server.on("GET", "/computes", page(json!([item, item]), Some(path("page=2"))));
    server.on("GET", "/computes", page(json!([]), Some(path("page=3"))));
    server.on("GET", "/computes", page(json!([item]), None));
    assert_eq!(server.client().computes().list().collect().await.unwrap().len(), 3);
    server.check();

    server.on("GET", "/computes", page(json!([item]), Some(path("api-version=2025-12-01"))));
    let error = server.client().computes().list().collect().await.unwrap_err();
    assert!(error.to_string().contains("the page itself"), "{error}");
}

fn status(status: &str) -> Answer {
    Answer::json(200, json!({"status": status})).header("Retry-After", "0")
}

fn accepted(server: &Server) -> Answer {
    let operation = format!("{}/operations/1", server.url);
    Answer::new(202).header("Azure-AsyncOperation", operation).header("Retry-After", "0")
}

#[tokio::test]
async fn an_operation_is_stepped_through() {
    let server = Server::start().await;
    server.on("POST", "/computes/ci1/stop", accepted(&server));
    server.enqueue(
        "GET",
        "/operations/1",
        Answer::json(200, json!({"status": "InProgress", "percentComplete": 50.0})),
    );
    server.enqueue("GET", "/operations/1", status("SUCCEEDED"));
    let client = server.client();
    let mut stopping = client.computes().stop("ci1");
    let mut seen = Vec::new();
    while let Step::Running(progress) = stopping.step().await.unwrap() {
        seen.push((progress.status, progress.percent_complete));
    }
    assert_eq!(seen, [(String::new(), None), ("InProgress".to_owned(), Some(50.0))]);
    server.check();
    assert!(stopping.step().await.is_err(), "it is over");
}

#[tokio::test]
async fn an_operation_that_fails_or_is_cancelled_is_an_error() {
    for (end, code) in [
        (
            json!({"status": "Failed", "error": {"code": "BadArgument", "message": "no"}}),
            "BadArgument",
        ),
        (json!({"status": "canceled"}), "canceled"),
    ] {
        let server = Server::start().await;
        server.on("POST", "/computes/ci1/stop", accepted(&server));
        server.enqueue(
            "GET",
            "/operations/1",
            Answer::json(200, end).header("x-ms-request-id", "r-2"),
        );
        let error = server.client().computes().stop("ci1").await.unwrap_err();
        assert_eq!(
            (error.service().unwrap().code.as_str(), error.request_id()),
            (code, Some("r-2"))
        );
    }
}

#[tokio::test]
async fn an_operation_that_never_ends_meets_its_deadline() {
    let server = Server::start().await;
    server.on("POST", "/computes/ci1/stop", accepted(&server));
    server.always_at("GET", "/operations/1", status("InProgress"));
    let stopping = server.client().computes().stop("ci1").deadline(Duration::from_millis(300));
    let error = stopping.await.unwrap_err();
    assert!(
        matches!(error, Error::Deadline { .. }) && error.to_string().contains("InProgress"),
        "{error}"
    );
}

#[tokio::test]
async fn an_operation_survives_a_look_that_fails() {
    let server = Server::start().await;
    server.on("POST", "/computes/ci1/stop", accepted(&server));
    server.enqueue("GET", "/operations/1", Answer::new(200).body("garbage"));
    server.enqueue("GET", "/operations/1", status("Succeeded"));
    let client = server.client();
    let mut stopping = client.computes().stop("ci1");
    assert!(matches!(stopping.step().await, Ok(Step::Running(_))));
    assert!(matches!(stopping.step().await, Err(Error::Reply { .. })));
    assert!(matches!(stopping.step().await, Ok(Step::Done(()))));
}

#[tokio::test]
async fn an_operation_may_have_a_location_only_or_nothing_at_all() {
    let server = Server::start().await;
    let operation = format!("{}/operations/2", server.url);
    server.on("POST", "/computes/ci1/stop", Answer::new(202).header("Location", "/operations/2"));
    server.enqueue("GET", "/operations/2", Answer::new(202).header("Location", operation));
    server.enqueue("GET", "/operations/2", Answer::new(204));
    server.client().computes().stop("ci1").await.unwrap();
    server.check();

    // A PUT without a header: its resource says how it gets on.
    let resource = |state: &str| {
        Answer::json(
            200,
            json!({"name": "ci1", "properties": {"computeType": "ComputeInstance", "provisioningState": state}}),
        )
    };
    let instance = spinney_azureml::ComputeInstance::new("Standard_DS11_v2");
    server.on("PUT", "/computes/ci1", resource("Creating"));
    server.on("GET", "/computes/ci1", resource("Creating")).on(
        "GET",
        "/computes/ci1",
        resource("Succeeded"),
    );
    let client = server.builder().location("westeurope").build().unwrap();
    client.computes().create_instance("ci1", &instance).await.unwrap();
    server.check();

    server.on("PUT", "/computes/ci1", resource("Failed"));
    let error = client.computes().create_instance("ci1", &instance).await.unwrap_err();
    assert!(error.service().is_some_and(|failure| failure.code == "Failed"), "{error}");
}

#[tokio::test]
async fn deleting_what_is_not_there_is_done() {
    let server = Server::start().await;
    server.on("DELETE", "/computes/ci1", Answer::error(404, "ResourceNotFound", "gone"));
    server.client().computes().delete("ci1").await.unwrap();
    server.on("DELETE", "/computes/ci1", Answer::new(204));
    server.client().computes().delete("ci1").await.unwrap();
    server.check();
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let client = server.client();
    let instance = spinney_azureml::ComputeInstance::new("Standard_DS11_v2");
    let too_short = instance.clone().idle_shutdown(Duration::from_secs(60));
    assert!(client.computes().create_instance("ends-in-1", &instance).await.is_err());
    assert!(client.computes().create_instance("ci1", &too_short).await.is_err());
    let cluster = spinney_azureml::ComputeCluster::new("Standard_DS3_v2", 0);
    assert!(client.computes().create_cluster("cluster", &cluster).await.is_err());
    assert!(client.computes().get("../../other").await.is_err());
    assert!(server.seen().is_empty());
}

/// That they do not come back together is tested with the delays, in `http/retry.rs`.
#[tokio::test]
async fn a_storm_of_throttled_clients_is_ridden_out() {
    let server = Server::start().await;
    let throttled = Answer::error(429, "TooManyRequests", "slow down").header("Retry-After", "0");
    for _ in 0..120 {
        server.on("GET", "/computes/ci1", throttled.clone());
    }
    server.always("GET", "/computes/ci1", compute());
    let retry = RetryOptions {
        max_retries: 20,
        initial_delay: Duration::from_millis(1),
        ..RetryOptions::default()
    };
    let client = server.builder().retry(retry).build().unwrap();
    let asking: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.computes().get("ci1").await })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap().unwrap().name, "ci1");
    }
    assert_eq!(server.seen().len(), 160);
    server.check();
}
