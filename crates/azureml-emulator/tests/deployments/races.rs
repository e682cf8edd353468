//! Fifty clients that deploy at once, each on a connection of its own: what was accepted is what runs.

use std::{future::Future, time::Duration};

use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    site::{Site, blue, named},
    support::{Reply, client, send},
};

const CLIENTS: usize = 50;

/// Has each client do something, all at once.
async fn race<F: Future<Output = ()>>(site: &Site, work: impl Fn(usize, Client) -> F) {
    let ca = site.local.emulator.ca_path();
    join_all((0..CLIENTS).map(|number| work(number, client(&ca)))).await;
}

async fn ask(site: &Site, client: &Client, method: Method, id: &str) -> Reply {
    let url = format!("{}{id}?api-version=2025-12-01", site.local.base());
    send(client.request(method, url).bearer_auth(&site.local.token)).await
}

async fn put(site: &Site, client: &Client, id: &str, body: &Value, etag: Option<&str>) -> Reply {
    let url = format!("{}{id}?api-version=2025-12-01", site.local.base());
    let put = client.put(url).bearer_auth(&site.local.token).body(body.to_string());
    send(match etag {
        Some(etag) => put.header("if-match", etag),
        None => put,
    })
    .await
}

/// Waits until a deployment is what it was to become.
async fn ready(site: &Site, client: &Client, id: &str) {
    for _ in 0..3000 {
        let state = ask(site, client, Method::GET, id).await.expect(200);
        match state.body["properties"]["provisioningState"].as_str() {
            Some("Succeeded") => return,
            Some("Creating" | "Updating") => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => panic!("{state:?}"),
        }
    }
    panic!("{id} does not get ready");
}

async fn name_that_answers(site: &Site, client: &Client, key: &str, deployment: &str) -> Value {
    let url = format!("{}/inference/westeurope/houses/score", site.local.base());
    let request = client.post(url).bearer_auth(key).header("azureml-model-deployment", deployment);
    send(request.body("{}")).await.expect(200).body["name"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_fifty_gets_the_model_and_the_deployment_that_it_asked_for() {
    let site = Site::new().await;
    let [key, _] = site.keys().await;
    let site = &site;
    race(site, async |number, client| {
        let tags = json!({"n": number.to_string()});
        let uri = "azureml://datastores/workspaceblobstore/paths/models/prices.bundle";
        let model = site.local.id(&format!("/models/prices-{number}/versions/1"));
        let body = json!({"properties": {"modelUri": uri, "tags": tags}});
        put(site, &client, &model, &body, None).await.expect(201);
        let mut body = named(&number.to_string());
        body["properties"]["model"] = json!(format!("azureml:prices-{number}:1"));
        body["tags"] = tags;
        let id = site.deployment(&format!("d-{number}"));
        put(site, &client, &id, &body, None).await.expect(201);
        ready(site, &client, &id).await;
        let name = name_that_answers(site, &client, &key, &format!("d-{number}")).await;
        assert_eq!(name, number.to_string());
    })
    .await;
    let all = site.local.get(&site.endpoint("/deployments")).await.expect(200).body;
    let all = all["value"].as_array().unwrap();
    assert_eq!(all.len(), CLIENTS);
    for deployment in all {
        let number = deployment["tags"]["n"].as_str().unwrap();
        assert_eq!(deployment["name"], format!("d-{number}"));
        let model = format!("azureml:prices-{number}:1");
        assert_eq!(deployment["properties"]["model"], model.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_deployment_that_was_accepted_is_lost() {
    let site = Site::new().await;
    let [key, _] = site.keys().await;
    let (site, id) = (&site, &site.deployment("blue"));
    // Only one of fifty makes it; the others are told that it is being made.
    let made = std::sync::atomic::AtomicUsize::new(0);
    race(site, async |_, client| {
        match put(site, &client, id, &named("made"), None).await.status {
            201 => {
                made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
            // Of those that come when it is ready, one changes it.
            200 | 409 => {}
            other => panic!("{other}"),
        }
    })
    .await;
    assert_eq!(made.into_inner(), 1);

    race(site, async |number, client| {
        loop {
            ready(site, &client, id).await;
            let read = ask(site, &client, Method::GET, id).await.expect(200);
            let mut body = blue();
            let before = &read.body["properties"]["environmentVariables"]["NAME"];
            let name = format!("{}, {number}", before.as_str().unwrap());
            body["properties"]["environmentVariables"]["NAME"] = json!(name);
            match put(site, &client, id, &body, Some(read.header("etag"))).await.status {
                200 => return,
                // Somebody was faster, or is not done yet.
                409 | 412 => {}
                other => panic!("{other}"),
            }
        }
    })
    .await;
    ready(site, &site.local.client, id).await;
    let name = name_that_answers(site, &site.local.client, &key, "blue").await;
    let mut words: Vec<&str> = name.as_str().unwrap().split(", ").collect();
    assert_eq!(words.remove(0), "made");
    let mut numbers: Vec<usize> = words.iter().map(|word| word.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..CLIENTS).collect::<Vec<_>>());
}
