//! What the front door costs: CPU time of the processes, as the system counts it.
#![allow(clippy::print_stdout, reason = "measures")]

use std::fs;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    restart::{Program, programs_of},
    site::{BUNDLE, Site, blue, until, with_runtime},
    support::{Worker, client, send},
};

const REQUESTS: usize = 20_000;
const CONNECTIONS: usize = 8;

/// Seconds of CPU that a process has used, with its threads. The system counts in hundredths.
fn cpu(process: &str) -> f64 {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = line.rsplit_once(") ").unwrap();
    let ticks = |place: usize| -> f64 {
        fields.split(' ').nth(place).unwrap().parse::<u32>().unwrap().into()
    };
    (ticks(11) + ticks(12)) / 100.0
}

async fn ask(client: &reqwest::Client, url: &str, key: &str, body: &str) {
    let one = async || {
        for _ in 0..REQUESTS / CONNECTIONS {
            let request = client.post(url).bearer_auth(key).body(body.to_owned());
            send(request).await.expect(200);
        }
    };
    join_all((0..CONNECTIONS).map(|_| one())).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes time: cargo test --release --test deployments -- --ignored --nocapture load"]
async fn the_front_door_costs_little() {
    if std::env::var_os("SPINNEY_LOAD").is_none() {
        println!("set SPINNEY_LOAD to measure");
        return;
    }
    let site = Site::by(with_runtime).await;
    let [key, _] = site.keys().await;
    let state = site.state();
    site.local.emulator.shutdown().await;
    let program = Program::start(&state);
    let emulator = program.id();
    let worker = Worker::new(&state).await;
    let id = "/onlineEndpoints/houses";
    let mut body = blue();
    body["properties"]["requestSettings"]["maxConcurrentRequestsPerInstance"] = json!(100);
    let put = worker.arm(Method::PUT, &format!("{id}/deployments/blue")).body(body.to_string());
    send(put).await.expect(201);
    until("it is ready", async || {
        let made = send(worker.arm(Method::GET, &format!("{id}/deployments/blue"))).await.body;
        made["properties"]["provisioningState"] == "Succeeded"
    })
    .await;
    let endpoint = json!({"location": "westeurope", "properties": {
        "authMode": "Key", "traffic": {"blue": 100},
    }});
    send(worker.arm(Method::PUT, id).body(endpoint.to_string())).await.expect(200);
    let uri = send(worker.arm(Method::GET, id)).await.body["properties"]["scoringUri"].clone();

    let expected = fs::read(std::path::Path::new(BUNDLE).with_file_name("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let prices = expected.as_array().unwrap().iter().find(|one| one["file"] == "prices.bundle");
    let row = json!([prices.unwrap()["rows"][0]]).to_string();
    let client = client(&state.join("ca.pem"));
    let [runtime] = programs_of(&state).try_into().unwrap();
    let uri = uri.as_str().unwrap();
    ask(&client, uri, &key, &row).await;
    let (before, before_runtime) = (cpu(&emulator), cpu(&runtime));
    ask(&client, uri, &key, &row).await;
    let per_request = |seconds: f64| seconds * 1e3 / f64::from(u32::try_from(REQUESTS).unwrap());
    let (door, behind) = (cpu(&emulator) - before, cpu(&runtime) - before_runtime);
    // The same without the front door.
    let said = fs::read_to_string(format!("/proc/{runtime}/environ")).unwrap();
    let port = said.split('\0').find_map(|line| line.strip_prefix("SPINNEY_PORT=")).unwrap();
    let before_direct = cpu(&runtime);
    ask(&client, &format!("http://127.0.0.1:{port}/score"), "none", &row).await;
    let direct = cpu(&runtime) - before_direct;
    println!(
        "CPU ms a request, {REQUESTS} at {CONNECTIONS} connections: front door {:.4}, runtime behind it {:.4}, runtime alone {:.4}",
        per_request(door),
        per_request(behind),
        per_request(direct)
    );
    assert!(door > 0.0 && direct > 0.0);
}
