//! Fifty clients at once, each on a connection of its own: nothing that one of them was told to be done is lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{collections::BTreeSet, future::Future};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use spinney_azureml_emulator::{Clock, Emulator};
use support::{Local, Reply, client, send};

const CLIENTS: usize = 50;

/// Has each client do something, all at once.
async fn race<F: Future<Output = ()>>(local: &Local, work: impl Fn(usize, reqwest::Client) -> F) {
    let clients: Vec<_> = (0..CLIENTS).map(|_| client(&local.emulator.ca_path())).collect();
    join_all(clients.into_iter().enumerate().map(|(number, client)| work(number, client))).await;
}

async fn fast() -> (tempfile::TempDir, Local) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::scaled(1000.0).unwrap();
    let local = Local::start_with(Emulator::builder(folder.path()), clock).await;
    (folder, local)
}

async fn put(
    local: &Local,
    client: &reqwest::Client,
    id: &str,
    body: &Value,
    etag: Option<&str>,
) -> Reply {
    let url = format!("{}{id}?api-version=2025-12-01", local.base());
    let mut request =
        client.request(Method::PUT, url).bearer_auth(&local.token).body(body.to_string());
    if let Some(etag) = etag {
        request = request.header("if-match", etag);
    }
    send(request).await
}

/// Reads, changes and writes until nobody has come between.
async fn change(
    local: &Local,
    client: &reqwest::Client,
    id: &str,
    mut change: impl FnMut(&mut Value),
) {
    loop {
        let url = format!("{}{id}?api-version=2025-12-01", local.base());
        let read = send(client.get(url).bearer_auth(&local.token)).await.expect(200);
        let mut body = read.body.clone();
        change(&mut body);
        let written = put(local, client, id, &body, Some(read.header("etag"))).await;
        match written.status {
            200 => return,
            // Somebody was faster, or is not done yet.
            409 | 412 => {}
            _ => panic!("{written:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_registered_and_endpoints_made_at_once() {
    let (_folder, local) = fast().await;
    race(&local, async |number, client| {
        let endpoint = json!({"location": "westeurope", "properties": {"authMode": "Key"}, "tags": {"n": number.to_string()}});
        let own = local.id(&format!("/onlineEndpoints/endpoint-{number}"));
        let (made, ()) = tokio::join!(put(&local, &client, &own, &endpoint, None), async {
            for _ in 0..3 {
                loop {
                    let container = local.id("/models/ames");
                    let url = format!("{}{container}?api-version=2025-12-01", local.base());
                    let container = send(client.get(url).bearer_auth(&local.token)).await;
                    let next = container.body["properties"]["nextVersion"].as_str().unwrap_or("1");
                    let id = local.id(&format!("/models/ames/versions/{next}"));
                    let body = json!({"properties": {"modelUri": format!("azureml://datastores/d/paths/{number}"), "tags": {"n": number.to_string()}}});
                    match put(&local, &client, &id, &body, None).await {
                        // 200 if it is this client's own from a moment ago, which then counts once.
                        reply if reply.status == 201 => break,
                        reply => assert!(matches!(reply.status, 200 | 400), "{reply:?}"),
                    }
                }
            }
        });
        made.expect(201);
    })
    .await;
    let mut of_each = vec![0; CLIENTS];
    for version in 1..=3 * CLIENTS {
        let model = local
            .get(&local.id(&format!("/models/ames/versions/{version}")))
            .await
            .expect(200)
            .body;
        let number = model["properties"]["tags"]["n"].as_str().unwrap().parse::<usize>().unwrap();
        let uri = format!("azureml://datastores/d/paths/{number}");
        assert_eq!(model["properties"]["modelUri"], uri.as_str());
        of_each[number] += 1;
    }
    assert_eq!(of_each, [3; CLIENTS]);
    let next = local.get(&local.id("/models/ames")).await.expect(200).body;
    assert_eq!(next["properties"]["nextVersion"], (3 * CLIENTS + 1).to_string());
    local.wait();
    let mut hosts = BTreeSet::new();
    for number in 0..CLIENTS {
        let id = local.id(&format!("/onlineEndpoints/endpoint-{number}"));
        let endpoint = local.get(&id).await.expect(200).body;
        assert_eq!(endpoint["tags"]["n"], number.to_string());
        assert_eq!(endpoint["properties"]["provisioningState"], "Succeeded");
        hosts.insert(endpoint["properties"]["scoringUri"].to_string());
    }
    assert_eq!(hosts.len(), CLIENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_that_is_based_on_what_was_is_lost() {
    let (_folder, local) = fast().await;
    local.register("ames", "1", "azureml://datastores/d/paths/x").await.expect(201);
    let (model, endpoint) =
        (local.id("/models/ames/versions/1"), local.id("/onlineEndpoints/prices"));
    let body = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
    local.put(&endpoint, &body).await.expect(201);
    local.wait();
    race(&local, async |number, client| {
        let tag = format!("t{number}");
        let add = |tags: &mut Value| {
            if tags.is_null() {
                *tags = json!({});
            }
            tags[&tag] = json!("x");
        };
        tokio::join!(
            change(&local, &client, &model, |body| add(&mut body["properties"]["tags"])),
            change(&local, &client, &endpoint, |body| add(&mut body["tags"])),
        );
    })
    .await;
    let model = local.get(&model).await.expect(200).body;
    assert_eq!(model["properties"]["tags"].as_object().unwrap().len(), CLIENTS);
    let endpoint = local.get(&endpoint).await.expect(200).body;
    assert_eq!(endpoint["tags"].as_object().unwrap().len(), CLIENTS);
}
