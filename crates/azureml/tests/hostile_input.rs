//! Replies of any kind, at any point, are an error or a result: never a panic, never a wait without end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::time::Duration;

use loopback::{Answer, Server};
use proptest::prelude::*;
use serde_json::{Value, json};
use spinney_azureml::{MlClient, Preflight, RetryOptions, Traffic};

/// JSON of any shape, with the names that this client reads among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop_oneof![
            "",
            "Succeeded",
            "Failed",
            "InProgress",
            "http://\\[",
            "https://elsewhere.example/",
            "\\PC{0,12}"
        ]
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("value"),
        Just("nextLink"),
        Just("properties"),
        Just("provisioningState"),
        Just("status"),
        Just("error"),
        Just("code"),
        Just("message"),
        Just("details"),
        Just("name"),
        Just("location"),
        Just("tags"),
        Just("sku"),
        Just("identity"),
        Just("traffic"),
        Just("authMode"),
        Just("scoringUri"),
        Just("primaryKey"),
        Just("percentComplete"),
        Just("computeType"),
        Just("registrationState"),
        Just("id"),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => any_json().prop_map(|json| json.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => any_json().prop_map(|json| {
            let text = json.to_string();
            text.as_bytes()[..text.len() / 2].to_vec()
        }),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![4 => Just(200), 1 => Just(201), 1 => Just(202), 1 => Just(204), 1 => 300..600_u16];
    let header = prop_oneof![
        (Just("Location"), prop_oneof!["/x", "http://127.0.0.1:1/", "::", "[a-z:/%]{0,16}"]),
        (
            Just("Azure-AsyncOperation"),
            prop_oneof!["/x", "https://elsewhere.example/", "[a-z:/%]{0,16}"]
        ),
        (
            Just("Retry-After"),
            prop_oneof![
                "0",
                "-1",
                "99999999999999999999",
                "Mon, 01 Jan 2024 00:00:00 GMT",
                "[a-z]{0,8}"
            ]
        ),
        (Just("x-ms-request-id"), "[ -~]{0,16}"),
    ];
    (status, prop::collection::vec(header, 0..3), any_body()).prop_map(|(status, headers, body)| {
        headers.into_iter().fold(Answer::new(status).body(body), |answer, (name, value)| {
            answer.header(name, value)
        })
    })
}

/// Asks for a bit of everything. What comes of it is all the same.
async fn ask_for_everything(client: &MlClient) {
    let limit = Duration::from_millis(200);
    let (name, plan) =
        ("sklearn-endpoint", Preflight::new().online_endpoint().computes().machines("x", 1));
    let _ = client.workspaces().list().collect().await;
    let _ = client.computes().get("ci1").await;
    let _ = client.computes().stop("ci1").deadline(limit).await;
    let _ = client.computes().delete("ci1").deadline(limit).await;
    let _ = client.online_endpoints().keys(name).await;
    let _ = client.online_endpoints().set_traffic(name, &Traffic::none()).deadline(limit).await;
    let _ = client.online_endpoints().client(name).score(&json!({})).await;
    let _ = client.online_deployments(name).list().collect().await;
    let _ = client.preflight(&plan).await;
    let _ = client.billable(&()).await;
    // Errors must have a text.
    if let Err(error) = client.computes().get("ci1").await {
        assert!(!format!("{error} {error:?}").is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_replies_are_survived(answers in prop::collection::vec(any_answer(), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await;
            server.to_everything(answers);
            let retry = RetryOptions { max_retries: 1, initial_delay: Duration::from_millis(1), max_delay: Duration::from_millis(5) };
            let client = server.builder().retry(retry).build().unwrap();
            ask_for_everything(&client).await;
        });
    }
}
