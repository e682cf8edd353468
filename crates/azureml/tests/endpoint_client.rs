//! Scoring: what is kept, what is read again, and what is never sent twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use loopback::{Answer, Fault, Server, StaticToken, TOKEN};
use serde_json::{Value, json};
use spinney_azureml::{EndpointClient, Error, RetryOptions};

const ENDPOINT: &str = "/onlineEndpoints/sklearn-endpoint";

fn endpoint(server: &Server, auth_mode: &str) -> Answer {
    Answer::json(
        200,
        json!({
            "id": "/x", "name": "sklearn-endpoint", "location": "westeurope",
            "properties": {"authMode": auth_mode, "scoringUri": format!("{}/score", server.url), "provisioningState": "Succeeded"},
        }),
    )
}

fn keys(primary: &str) -> Answer {
    Answer::json(200, json!({"primaryKey": primary, "secondaryKey": "s"}))
}

fn scores(answer: &str) -> Answer {
    Answer::new(200).header("azureml-model-deployment", "blue").body(answer)
}

fn authorizations(server: &Server) -> Vec<String> {
    let seen = server.seen();
    let scored = seen.iter().filter(|seen| seen.path == "/score");
    scored.map(|seen| seen.headers.get("authorization").cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn the_recorded_request_takes_three_requests_and_then_one() {
    // The SDK takes four, every time: it lists the deployments too.
    let recorded = loopback::step("ep_invoke");
    let server = Server::start().await;
    recorded.iter().for_each(|exchange| server.replay(exchange));
    server.replay(recorded.last().unwrap());
    let endpoint = server.client().online_endpoints().client("sklearn-endpoint");
    let rows = json!({"data": [{"LotFrontage": 65.0, "GrLivArea": 1500}]});
    let first = endpoint.score(&rows).await.unwrap();
    let again = endpoint.score(&rows).await.unwrap();
    assert_eq!(first.bytes(), again.bytes());
    assert_eq!(
        server.seen_short(),
        [
            "GET /onlineEndpoints/sklearn-endpoint",
            "POST /onlineEndpoints/sklearn-endpoint/listKeys",
            "POST /score",
            "POST /score"
        ]
    );
    let seen = server.seen();
    assert_eq!(seen[2].json(), recorded.last().unwrap().body);
    assert_eq!(seen[2].headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_deployment_can_be_asked_by_name() {
    let server = Server::start().await;
    server.on("GET", ENDPOINT, endpoint(&server, "Key")).on(
        "POST",
        &format!("{ENDPOINT}/listKeys"),
        keys("k1"),
    );
    server.enqueue("POST", "/score", scores("[1.0]"));
    let endpoint =
        server.client().online_endpoints().client("sklearn-endpoint").deployment("green");
    let scored = endpoint.score_json(r#"{"data": [[NaN]]}"#).await.unwrap();
    assert_eq!((scored.text().as_str(), scored.deployment()), ("[1.0]", Some("blue")));
    assert_eq!(scored.json::<Vec<f64>>().unwrap(), [1.0]);
    let seen = server.seen();
    assert_eq!(seen[2].headers["azureml-model-deployment"], "green");
    assert_eq!(seen[2].body, br#"{"data": [[NaN]]}"#);
}

#[tokio::test]
async fn a_key_made_anew_is_read_again_once() {
    let server = Server::start().await;
    server.always("GET", ENDPOINT, endpoint(&server, "Key"));
    server.on("POST", &format!("{ENDPOINT}/listKeys"), keys("old")).on(
        "POST",
        &format!("{ENDPOINT}/listKeys"),
        keys("new"),
    );
    server.enqueue("POST", "/score", Answer::new(401).body("key_auth_access_denied"));
    server.enqueue("POST", "/score", scores("[1.0]"));
    let endpoint = server.client().online_endpoints().client("sklearn-endpoint");
    endpoint.score(&json!({})).await.unwrap();
    assert_eq!(authorizations(&server), ["Bearer old", "Bearer new"]);

    // The same key again: the error is the answer.
    server.on("POST", &format!("{ENDPOINT}/listKeys"), keys("new"));
    server.always_at("POST", "/score", Answer::new(401).body("key_auth_access_denied"));
    let error = endpoint.score(&json!({})).await.unwrap_err();
    assert!(
        error.status() == Some(401) && error.to_string().contains("key_auth_access_denied"),
        "{error}"
    );
    assert_eq!(authorizations(&server).len(), 3);
}

#[tokio::test]
async fn tokens_of_both_kinds_are_used() {
    let server = Server::start().await;
    server.on("GET", ENDPOINT, endpoint(&server, "AADToken"));
    server.always_at("POST", "/score", scores("[1.0]"));
    server.client().online_endpoints().client("sklearn-endpoint").score(&json!({})).await.unwrap();
    assert_eq!(authorizations(&server), [format!("Bearer {TOKEN}")]);

    let server = Server::start().await;
    server.always("GET", ENDPOINT, endpoint(&server, "AMLToken"));
    server.always_at("POST", "/score", scores("[1.0]"));
    let token = |token: &str, after: i64| {
        Answer::json(
            200,
            json!({"accessToken": token, "refreshAfterTimeUtc": after, "expiryTimeUtc": after + 1, "tokenType": "Bearer"}),
        )
    };
    let path = format!("{ENDPOINT}/token");
    // One that should have been renewed long ago, and one that holds for long.
    server.on("POST", &path, token("first", 1)).on("POST", &path, token("second", 99_999_999_999));
    let endpoint = server.client().online_endpoints().client("sklearn-endpoint");
    for _ in 0..3 {
        endpoint.score(&json!({})).await.unwrap();
    }
    assert_eq!(authorizations(&server), ["Bearer first", "Bearer second", "Bearer second"]);
}

#[tokio::test]
async fn an_endpoint_is_read_once_however_often_its_secret_is_renewed() {
    let path = |action: &str| format!("{ENDPOINT}/{action}");
    let token = json!({"accessToken": "t", "refreshAfterTimeUtc": 1, "expiryTimeUtc": 2});
    for (auth_mode, action, replies) in [
        // Keys made anew, each of which the endpoint refuses once.
        ("Key", "listKeys", ["k1", "k2", "k3"].map(keys)),
        // Tokens that should have been renewed long ago.
        ("AMLToken", "token", [(); 3].map(|()| Answer::json(200, token.clone()))),
    ] {
        let server = Server::start().await;
        server.on("GET", ENDPOINT, endpoint(&server, auth_mode));
        for reply in replies {
            server.on("POST", &path(action), reply);
        }
        let endpoint = server.client().online_endpoints().client("sklearn-endpoint");
        for number in 0..3 {
            if auth_mode == "Key" && number > 0 {
                server.enqueue("POST", "/score", Answer::new(401).body("key_auth_access_denied"));
            }
            server.enqueue("POST", "/score", scores("[1.0]"));
            endpoint.score(&json!({})).await.unwrap();
        }
        server.check();
        let seen = server.seen_short();
        let count = |asked: &str| seen.iter().filter(|short| *short == asked).count();
        assert_eq!(count(&format!("GET {ENDPOINT}")), 1, "{seen:?}");
        assert_eq!(count(&format!("POST {}", path(action))), 3, "{seen:?}");
    }

    // Tokens of Entra are the client's: its credential is asked when one ends, and the endpoint not again.
    let server = Server::start().await;
    server.on("GET", ENDPOINT, endpoint(&server, "AADToken"));
    server.always_at("POST", "/score", scores("[1.0]"));
    let credential =
        Arc::new(StaticToken { lifetime: Some(Duration::from_secs(60)), ..StaticToken::default() });
    let client = server.builder().credential(credential.clone()).build().unwrap();
    let endpoint = client.online_endpoints().client("sklearn-endpoint");
    for _ in 0..3 {
        endpoint.score(&json!({})).await.unwrap();
    }
    // One for Azure Resource Manager, and one for each row: it is so close to its end.
    assert_eq!(credential.asked.load(Ordering::Relaxed), 4);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn the_model_s_own_error_is_shown() {
    let server = Server::start().await;
    let failed = Answer::new(424)
        .header("ms-azureml-model-error-statuscode", "500")
        .header("ms-azureml-model-error-reason", "model_error")
        .body("ValueError: could not convert string to float");
    server.enqueue("POST", "/score", failed);
    let endpoint =
        EndpointClient::at(&format!("{}/score", server.url), Some("key".into())).unwrap();
    let error = endpoint.score(&json!({"data": []})).await.unwrap_err();
    let text = error.to_string();
    assert!(error.status() == Some(424), "{text}");
    for part in ["could not convert", "the model's status: 500", "the model's reason: model_error"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("key"), "{text}");
}

#[tokio::test]
async fn a_row_is_never_scored_twice_by_accident() {
    let server = Server::start().await;
    let endpoint = EndpointClient::at(&format!("{}/score", server.url), None).unwrap();
    for answer in [
        Answer::fault(Fault::Reset),
        Answer::fault(Fault::Truncated),
        Answer::new(500),
        Answer::new(502).header("Retry-After", "0"),
        Answer::new(504).header("Retry-After", "0"),
        Answer::new(408).header("Retry-After", "0"),
        Answer::new(429),
        Answer::new(503),
    ] {
        server.enqueue("POST", "/score", answer);
        endpoint.score(&json!({})).await.unwrap_err();
        server.check();
    }
    // Put off, with a time to come back.
    for status in [429, 503] {
        server.enqueue("POST", "/score", Answer::new(status).header("Retry-After", "0"));
        server.enqueue("POST", "/score", scores("[1.0]"));
        endpoint.score(&json!({})).await.unwrap();
        server.check();
    }
}

#[tokio::test]
async fn a_time_limit_holds_and_an_endpoint_without_address_says_so() {
    let server = Server::start().await;
    server.always_at("POST", "/score", Answer::fault(Fault::Slow(Duration::from_secs(5))));
    let endpoint = EndpointClient::at(&format!("{}/score", server.url), None).unwrap();
    let error = endpoint.timeout(Duration::from_millis(100)).score(&json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Transport { attempts: 1, .. }), "{error:?}");

    server.on(
        "GET",
        ENDPOINT,
        Answer::json(200, json!({"id": "/x", "properties": {"authMode": "Key"}})),
    );
    let error = server
        .client()
        .online_endpoints()
        .client("sklearn-endpoint")
        .score(&Value::Null)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no address yet"), "{error}");
}

#[tokio::test]
async fn no_connection_is_tried_again_and_reported() {
    // Nobody listens there: the listener is gone.
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start().await;
    let retry = RetryOptions {
        max_retries: 2,
        initial_delay: Duration::from_millis(1),
        ..RetryOptions::default()
    };
    server.on("GET", ENDPOINT, Answer::json(200, json!({"id": "/x", "properties": {"authMode": "Key", "scoringUri": format!("http://{address}/score")}})));
    server.on("POST", &format!("{ENDPOINT}/listKeys"), keys("k"));
    let client = server.builder().retry(retry).build().unwrap();
    let error =
        client.online_endpoints().client("sklearn-endpoint").score(&json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Transport { attempts: 3, .. }), "{error:?}");
}
