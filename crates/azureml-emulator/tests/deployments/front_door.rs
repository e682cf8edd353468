use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use spinney_azureml_emulator::Way;

use crate::{
    site::{Site, blue, named, until},
    support::send,
};

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_go_through_as_they_are() {
    let site = Site::new().await;
    site.deployed("blue", &blue()).await;
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let [key, _] = site.keys().await;
    let request = site
        .ask(Method::POST, "/score?a=1&b=%2F")
        .bearer_auth(&key)
        .header("x-own", "2")
        .header("connection", "x-between")
        .header("x-between", "3")
        .header("x-request-id", "mine")
        .header("content-type", "application/json");
    let reply = send(request.body(r#"{"x": 1}"#)).await.expect(200);
    assert_eq!(reply.body["uri"], "/score?a=1&b=%2F");
    assert_eq!(reply.body["body"], json!({"x": 1}));
    assert_eq!(reply.header("x-of-the-model"), "1");
    assert_eq!(reply.header("x-request-id"), "mine");
    let headers: BTreeMap<String, String> =
        serde_json::from_value::<Vec<(String, String)>>(reply.body["headers"].clone())
            .unwrap()
            .into_iter()
            .collect();
    assert_eq!((headers["x-own"].as_str(), headers["x-request-id"].as_str()), ("2", "mine"));
    // Neither what is between two neighbours, nor the key.
    assert!(
        !headers.contains_key("x-between") && !headers.contains_key("authorization"),
        "{headers:?}"
    );
    let reply = send(site.ask(Method::GET, "/swagger.json").bearer_auth(&key)).await.expect(200);
    assert_eq!(
        (&reply.body["method"], &reply.body["uri"]),
        (&json!("GET"), &json!("/swagger.json"))
    );
    send(site.ask(Method::PUT, "/score").bearer_auth(&key)).await.expect(405);
    send(site.ask(Method::POST, "/other").bearer_auth(&key)).await.expect(404);

    // By Azure's own name, through the proxy.
    let variables = site.local.emulator.environment().variables(Way::Proxy);
    let proxy = &variables.iter().find(|(name, _)| *name == "HTTPS_PROXY").unwrap().1;
    let ca = std::fs::read(site.local.emulator.ca_path()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()])
        .proxy(reqwest::Proxy::https(proxy).unwrap())
        .build()
        .unwrap();
    let uri = "https://houses.westeurope.inference.ml.azure.com/score";
    let reply = send(client.post(uri).bearer_auth(&key).body("{}")).await.expect(200);
    assert_eq!(reply.body["name"], "blue");
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_a_key_is_let_in_and_only_while_it_is_one() {
    let site = Site::new().await;
    site.deployed("blue", &blue()).await;
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let ask = async |key: &str| {
        send(site.ask(Method::POST, "/score").bearer_auth(key).body("{}")).await.status
    };
    let [primary, secondary] = site.keys().await;
    assert_eq!((ask(&primary).await, ask(&secondary).await), (200, 200));
    assert_eq!((ask("wrong").await, ask("").await), (401, 401));
    send(site.ask(Method::POST, "/score").body("{}")).await.expect(401);
    let basic =
        site.ask(Method::POST, "/score").header("authorization", format!("Basic {primary}"));
    send(basic).await.expect(401);
    let id = site.endpoint("/regenerateKeys");
    let reply = site.local.post(&id, &json!({"keyType": "Primary"})).await.expect(202);
    site.local.wait();
    assert_eq!(site.ended(&reply).await["status"], "Succeeded");
    // From the moment on at which somebody could know.
    let [new, same] = site.keys().await;
    assert_eq!((ask(&primary).await, ask(&new).await, ask(&same).await), (401, 200, 200));

    let other = site.local.id("/onlineEndpoints/tokens");
    for (mode, status) in [("AMLToken", 201), ("Key", 400)] {
        let body = json!({"location": "westeurope", "properties": {"authMode": mode}});
        site.local.put(&other, &body).await.expect(status);
        site.local.wait();
    }
    let token = site.local.post(&format!("{other}/token"), &Value::Null).await.expect(200).body;
    let uri = format!("{}/inference/westeurope/tokens/score", site.local.base());
    let ask = |token: &str| send(site.local.client.post(&uri).bearer_auth(token));
    let reply = ask(token["accessToken"].as_str().unwrap()).await.expect(404);
    assert_eq!(reply.code(), "NoDeployment");
    ask(&primary).await.expect(401);
    ask(&site.local.token).await.expect(401);
    let missing = format!("{}/inference/westeurope/missing/score", site.local.base());
    send(site.local.client.post(missing).bearer_auth(&primary)).await.expect(404);
    let elsewhere = format!("{}/inference/eastus/houses/score", site.local.base());
    send(site.local.client.post(elsewhere).bearer_auth(&new)).await.expect(404);
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_shared_and_a_deployment_can_be_named() {
    let site = Site::new().await;
    let (blue, green) = (blue(), named("green"));
    tokio::join!(site.deployed("blue", &blue), site.deployed("green", &green));
    site.set_traffic(json!({"blue": 70, "red": 30})).await.expect(400);
    site.set_traffic(json!({"blue": 30, "green": 70})).await.expect(200);
    let [key, _] = site.keys().await;
    let ask = |deployment: &str| {
        let request = site.ask(Method::POST, "/score").bearer_auth(&key).body("{}");
        match deployment {
            "" => send(request),
            name => send(request.header("azureml-model-deployment", name)),
        }
    };
    let mut counts = BTreeMap::new();
    for _ in 0..400 {
        let reply = ask("").await.expect(200);
        let name = reply.body["name"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("azureml-model-deployment"), name);
        *counts.entry(name).or_insert(0) += 1;
    }
    // Five standard deviations to both sides of 120.
    assert!((74..=166).contains(&counts["blue"]), "{counts:?}");
    for name in ["blue", "green"] {
        assert_eq!(ask(name).await.expect(200).body["name"], name);
    }
    assert_eq!(ask("red").await.expect(404).code(), "NoDeployment");
    site.set_traffic(json!({"green": 100})).await.expect(200);
    assert_eq!(ask("blue").await.expect(200).body["name"], "blue");

    // Copies go to a deployment that answers nobody.
    let mut body = site.local.get(&site.endpoint("")).await.expect(200).body;
    body["properties"]["mirrorTraffic"] = json!({"blue": 50});
    site.local.put(&site.endpoint(""), &body).await.expect(200);
    site.local.wait();
    let wish = json!({"say": "a copy came"});
    until("a copy comes", async || {
        assert_eq!(site.score(&wish).await.expect(200).body["name"], "green");
        site.log("blue").await.contains("a copy came")
    })
    .await;
    let refused = site.local.delete(&site.deployment("blue")).await.expect(400);
    assert!(refused.message().contains("mirrorTraffic"), "{refused:?}");
    site.local.emulator.shutdown().await;
}
