//! What the front door of an endpoint adds to the CPU time that the scoring runtime behind it takes for a request.

use std::{fs, path::Path, time::Duration};

use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::server::{Server, answer, cpu};

const REQUESTS: u32 = 20_000;
const CONNECTIONS: u32 = 8;

const BUNDLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/bundles/v1");

const ENDPOINT: &str = "/onlineEndpoints/houses";

async fn ready(server: &Server, path: &str) -> Value {
    for _ in 0..1000 {
        let found = answer(server.arm(Method::GET, path)).await;
        if found["properties"]["provisioningState"] == "Succeeded" {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} does not get ready");
}

async fn put(server: &Server, path: &str, body: &Value) {
    answer(server.arm(Method::PUT, path).body(body.to_string())).await;
}

/// Deploys a model, and returns where it is asked.
async fn deploy(server: &Server) -> String {
    let bundle = fs::read(format!("{BUNDLES}/prices.bundle")).unwrap();
    server.upload("models/prices.bundle", bundle).await;
    let uri = "azureml://datastores/workspaceblobstore/paths/models/prices.bundle";
    put(server, "/models/prices/versions/1", &json!({"properties": {"modelUri": uri}})).await;
    let image = json!({"properties": {"image": "example.azurecr.io/spinney-scoring:1"}});
    put(server, "/environments/serving/versions/1", &image).await;
    let mut endpoint = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
    put(server, ENDPOINT, &endpoint).await;
    ready(server, ENDPOINT).await;
    let deployment = format!("{ENDPOINT}/deployments/blue");
    put(
        server,
        &deployment,
        &json!({"location": "westeurope", "sku": {"name": "Default", "capacity": 1}, "properties": {
            "endpointComputeType": "Managed",
            "instanceType": "Standard_D2as_v4",
            "model": "azureml:prices:1",
            "environmentId": "azureml:serving:1",
            "requestSettings": {"maxConcurrentRequestsPerInstance": 100},
            "readinessProbe": {"initialDelay": "PT0S", "period": "PT1S", "failureThreshold": 30},
        }}),
    )
    .await;
    ready(server, &deployment).await;
    endpoint["properties"]["traffic"] = json!({"blue": 100});
    put(server, ENDPOINT, &endpoint).await;
    let endpoint = ready(server, ENDPOINT).await;
    endpoint["properties"]["scoringUri"].as_str().unwrap().to_owned()
}

/// The process of the runtime, and the port at which it is asked without the front door.
fn runtime(state: &Path) -> (u32, String) {
    let mark = format!("SPINNEY_EMULATOR_STATE={}\0", state.canonicalize().unwrap().display());
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        if environment.contains(&mark) {
            let port = environment.split('\0').find_map(|line| line.strip_prefix("SPINNEY_PORT="));
            let process = process.file_name().to_string_lossy().parse().unwrap();
            return (process, port.unwrap().to_owned());
        }
    }
    panic!("the runtime does not run");
}

async fn ask(client: &Client, url: &str, key: &str, row: &str) {
    let one = async || {
        for _ in 0..REQUESTS / CONNECTIONS {
            answer(client.post(url).bearer_auth(key).body(row.to_owned())).await;
        }
    };
    join_all((0..CONNECTIONS).map(|_| one())).await;
}

pub(crate) async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let uri = deploy(&server).await;
    let keys = answer(server.arm(Method::POST, &format!("{ENDPOINT}/listKeys"))).await;
    let key = keys["primaryKey"].as_str().unwrap();
    let expected = fs::read(format!("{BUNDLES}/expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut all = expected.as_array().unwrap().iter();
    let prices = all.find(|one| one["file"] == "prices.bundle").unwrap();
    let row = json!([prices["rows"][0]]).to_string();
    let (process, port) = runtime(folder.path());

    ask(&server.client, &uri, key, &row).await;
    let (door, behind) = (server.cpu(), cpu(process));
    ask(&server.client, &uri, key, &row).await;
    let (door, behind) = (server.cpu() - door, cpu(process) - behind);
    let direct = cpu(process);
    ask(&server.client, &format!("http://127.0.0.1:{port}/score"), key, &row).await;
    let direct = cpu(process) - direct;
    let each = |cpu: Duration| 1e6 * cpu.as_secs_f64() / f64::from(REQUESTS);
    println!(
        "{REQUESTS} requests at {CONNECTIONS} connections: {:.0} us CPU each in the front door, TLS and keys in it; {:.0} in the runtime behind it, {:.0} in the runtime alone",
        each(door),
        each(behind),
        each(direct),
    );
}
