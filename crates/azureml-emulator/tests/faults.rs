//! Faults on demand: our client rides out what passes, and says what does not; the admin route adds and removes them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{fs, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use spinney_azureml::{
    ComputeCluster, ComputeInstance, MlClient, ModelSpec, OnlineEndpointSpec, TransferOptions,
};
use spinney_azureml_emulator::{Clock, Emulator};
use support::{Local, Reply, local, ml_client::ml_client, send};
use tempfile::TempDir;

struct Faulty {
    _folder: TempDir,
    local: Local,
    client: MlClient,
}

async fn faulty(faults: &[&str]) -> Faulty {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::scaled(100.0).unwrap();
    let mut builder = Emulator::builder(folder.path().join("state"));
    for fault in faults {
        builder = builder.fault(fault.parse().unwrap());
    }
    let local = Local::start_with(builder, clock).await;
    let client = ml_client(&local.emulator, Duration::from_millis(50));
    Faulty { _folder: folder, local, client }
}

/// What the admin route says of how often each fault was asked for and befell.
async fn befallen(faulty: &Faulty) -> Vec<(u64, u64)> {
    let list = admin(&faulty.local, Method::GET, "", &Value::Null).await.expect(200);
    let faults = list.body["value"].as_array().unwrap().clone();
    let number = |fault: &Value, name: &str| fault[name].as_u64().unwrap();
    faults.iter().map(|fault| (number(fault, "asked"), number(fault, "befallen"))).collect()
}

async fn admin(local: &Local, method: Method, rest: &str, body: &Value) -> Reply {
    let url = format!("{}/admin/faults{rest}", local.base());
    send(local.client.request(method, url).bearer_auth(&local.token).body(body.to_string())).await
}

#[tokio::test]
async fn our_client_rides_out_what_passes() {
    let faulty = faulty(&[
        "throttle=0:models:PUT:2",
        "status=503:models:GET:1",
        "status=500:blob:PUT:2",
        "throttle=0:blob:HEAD:1",
        "reset-connection:datastores:GET:1",
        "status=504:datastores:POST:1",
        "slow=1:arm",
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ames.bundle");
    fs::write(&file, "a forest").unwrap();
    let spec = ModelSpec::from_path("ames", &file).version("1");
    let options = TransferOptions::default();
    faulty.client.models().register(&spec, &options).await.unwrap();
    assert_eq!(faulty.client.models().get("ames", "1").await.unwrap().name, "1");
    let befallen = befallen(&faulty).await;
    let counts: Vec<u64> = befallen.iter().map(|(_, befallen)| *befallen).collect();
    assert_eq!(counts[..5], [2, 1, 2, 1, 1], "{befallen:?}");
    assert!(counts[6] > 5, "{befallen:?}");
}

#[tokio::test]
async fn an_operation_that_fails_is_an_error_with_its_code() {
    let faulty = faulty(&["lro-failure=BadLuck:onlineEndpoints:PUT:1", "quota:computes:PUT"]).await;
    let endpoints = faulty.client.online_endpoints();
    let error = endpoints.create_or_update("prices", &OnlineEndpointSpec::new()).await.unwrap_err();
    assert!(error.to_string().contains("BadLuck"), "{error}");
    let state = endpoints.get("prices").await.unwrap().properties.provisioning_state;
    assert_eq!(state.as_deref(), Some("Failed"));
    // The next one does not.
    endpoints.create_or_update("prices", &OnlineEndpointSpec::new()).await.unwrap();

    let computes = faulty.client.computes();
    let cluster = ComputeCluster::new("Standard_DS3_v2", 1);
    let error = computes.create_cluster("mlops-cluster", &cluster).await.unwrap_err();
    assert!(error.to_string().contains("ClusterCoreQuotaReached"), "{error}");
    let instance = ComputeInstance::new("Standard_DS11_v2");
    let error = computes.create_instance("ci1", &instance).await.unwrap_err();
    assert!(error.to_string().contains("ClusterCoreQuotaReached"), "{error}");
    let local = &faulty.local;
    let body = local.get(&local.id("/computes/ci1")).await.expect(200).body;
    let machine = &body["properties"]["properties"];
    assert_eq!(
        (&machine["state"], &body["properties"]["provisioningState"]),
        (&json!("CreateFailed"), &json!("Failed"))
    );
    assert_eq!(machine["lastOperation"]["operationStatus"], "CreateFailed");
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_at_last() {
    let faulty = faulty(&["status=403:models:PUT", "status=503:**/data/raw*"]).await;
    let spec = ModelSpec::from_uri("ames", "azureml://datastores/workspaceblobstore/paths/ames");
    let options = TransferOptions::default();
    let error = faulty.client.models().register(&spec.version("1"), &options).await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error}");
    let error = faulty.client.data().latest("raw").await.unwrap_err();
    assert_eq!(error.status(), Some(503), "{error}");
    assert!(error.to_string().contains("a fault on demand: status=503"), "{error}");
    assert!(error.to_string().contains("attempts"), "{error}");
    assert!(faulty.client.data().latest("other").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn each_service_says_it_in_its_own_words() {
    let (_folder, local) = local().await;
    let (container, sas) = local.container().await;
    for rule in [
        "throttle=7:models",
        "throttle=7:blob",
        "throttle=7:token",
        "throttle=7:scoring",
        "status=502:history",
    ] {
        admin(&local, Method::POST, "", &json!({"rule": rule})).await.expect(201);
    }
    let arm = local.get(&local.id("/models/ames")).await.expect(429);
    assert_eq!((arm.code(), arm.header("retry-after")), ("TooManyRequests", "7"));
    assert_eq!(arm.header("x-spinney-fault"), "throttle=7:models");
    // A body that nobody reads does not keep the answer from being heard.
    let long = local.client.put(format!("{container}/a?{sas}")).body(vec![0; 8 << 20]);
    let blob = send(long.header("x-ms-blob-type", "BlockBlob")).await.expect(503);
    assert_eq!((blob.header("x-ms-error-code"), blob.header("retry-after")), ("ServerBusy", "7"));
    assert!(blob.body.as_str().unwrap().contains("<Code>ServerBusy</Code>"), "{blob:?}");
    let url = format!("{}/{}/oauth2/v2.0/token", local.base(), local.variable("AZURE_TENANT_ID"));
    let token = send(local.client.post(url)).await.expect(429);
    assert_eq!(token.body["error"], "temporarily_unavailable");
    let identity = format!("{}?resource=x", local.variable("MSI_ENDPOINT"));
    send(local.client.get(identity)).await.expect(429);
    let scoring = format!("{}/inference/westeurope/prices/score", local.base());
    send(local.client.post(scoring)).await.expect(429);
    let history = format!("{}/history/v1.0/x", local.base());
    assert_eq!(send(local.client.get(history)).await.expect(502).code(), "BadGateway");
}

#[tokio::test]
async fn a_connection_ends_without_an_answer() {
    let (_folder, local) = local().await;
    let rule = json!({"rule": "reset-connection:models:GET:1"});
    admin(&local, Method::POST, "", &rule).await.expect(201);
    let id = local.id("/models/ames/versions/1");
    // Another client, which has no connection that it could take for one that was closed while idle.
    let request = local.request(Method::GET, &id).build().unwrap();
    let error = support::client(&local.emulator.ca_path()).execute(request).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    local.get(&id).await.expect(404);
}

#[tokio::test]
async fn faults_come_and_go_for_who_holds_a_token() {
    let (_folder, local) = local().await;
    let url = format!("{}/admin/faults", local.base());
    send(local.client.get(&url)).await.expect(401);
    send(local.client.delete(&url).bearer_auth("x")).await.expect(401);
    let storage = local.sign_in("https://storage.azure.com").await;
    send(local.client.get(&url).bearer_auth(storage)).await.expect(401);

    let wrong = json!({"rule": "throttle:modles"});
    let refused = admin(&local, Method::POST, "", &wrong).await.expect(400);
    assert!(refused.message().contains("onlineEndpoints"), "{refused:?}");
    admin(&local, Method::POST, "", &json!({"fault": "x"})).await.expect(400);
    admin(&local, Method::PUT, "", &Value::Null).await.expect(405);

    let one = json!({"rule": "throttle:any"});
    let added = admin(&local, Method::POST, "", &one).await.expect(201);
    assert_eq!(added.body, json!({"id": 1, "rule": "throttle=1:any", "asked": 0, "befallen": 0}));
    admin(&local, Method::POST, "", &json!({"rule": "slow=1:blob"})).await.expect(201);
    let id = local.id("/models/ames/versions/1");
    local.get(&id).await.expect(429);
    // What is about anything is not about this.
    let list = admin(&local, Method::GET, "", &Value::Null).await.expect(200);
    assert_eq!(
        list.body["value"][0],
        json!({"id": 1, "rule": "throttle=1:any", "asked": 1, "befallen": 1})
    );
    assert_eq!(list.body["value"][1]["id"], 2);
    admin(&local, Method::DELETE, "/7", &Value::Null).await.expect(404);
    admin(&local, Method::DELETE, "/1", &Value::Null).await.expect(204);
    local.get(&id).await.expect(404);
    admin(&local, Method::DELETE, "", &Value::Null).await.expect(204);
    let list = admin(&local, Method::GET, "", &Value::Null).await.expect(200);
    assert_eq!(list.body["value"], json!([]));
}
