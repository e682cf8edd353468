//! The program against a server on this machine that answers as a script says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../../crates/azureml/tests/loopback/mod.rs"]
mod loopback;

use std::process::{Command, Output};

use loopback::{Answer, SUBSCRIPTION, Server, TOKEN, WORKSPACE};
use serde_json::{Value, json};

/// Runs the program in a folder, as whoever the server's identity endpoint says.
async fn run(server: &Server, folder: &std::path::Path, args: &[&str]) -> Output {
    let token = json!({"access_token": TOKEN, "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"});
    server.always_at("GET", "/msi/token", Answer::json(200, token));
    let mut command = Command::new(env!("CARGO_BIN_EXE_azureml"));
    command.args(args).current_dir(folder);
    for name in [
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_SECRET",
        "AZUREML_ARM_SUBSCRIPTION",
        "AZUREML_ARM_RESOURCEGROUP",
        "AZUREML_ARM_WORKSPACE_NAME",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command
        .env("MSI_ENDPOINT", format!("{}/msi/token", server.url))
        .env("MSI_SECRET", "secret")
        .env("SPINNEY_RESOURCE_MANAGER", &server.url)
        .env("SPINNEY_BLOB_ENDPOINT", format!("{}/{{account}}", server.url));
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// A folder with the file that the portal offers.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"subscription_id": SUBSCRIPTION, "resource_group": "rg", "workspace_name": "mlops-ws"});
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

fn list(items: &Value) -> Answer {
    Answer::json(200, json!({"value": items}))
}

/// What every command may look at: the workspace, and a region with one size of machine.
fn workspace(server: &Server) {
    server.always(
        "GET",
        "",
        Answer::json(200, json!({"name": "mlops-ws", "location": "westeurope", "properties": {}})),
    );
    let region = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/westeurope"
    );
    server.always_at("GET", &format!("{region}/vmSizes"), list(&json!([{"name": "Standard_D2as_v4", "family": "f", "vCPUs": 2,
        "estimatedVMPrices": {"billingCurrency": "USD", "unitOfMeasure": "OneHour", "values": [{"retailPrice": 0.11, "osType": "Linux", "vmTier": "Standard"}]}}])));
    server.always_at("GET", &format!("{region}/usages"), list(&json!([])));
    for namespace in [
        "MachineLearningServices",
        "Storage",
        "KeyVault",
        "Insights",
        "ContainerRegistry",
        "Compute",
        "PolicyInsights",
        "Cdn",
    ] {
        let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.{namespace}");
        server.always_at(
            "GET",
            &path,
            Answer::json(200, json!({"namespace": namespace, "registrationState": "Registered"})),
        );
    }
    server.always(
        "GET",
        "/providers/Microsoft.Authorization/permissions",
        list(&json!([{"actions": ["*"]}])),
    );
}

fn endpoint(server: &Server) -> Value {
    json!({"id": format!("{WORKSPACE}/onlineEndpoints/prices"), "name": "prices", "location": "westeurope",
        "properties": {"authMode": "Key", "provisioningState": "Succeeded", "scoringUri": format!("{}/score", server.url), "traffic": {"blue": 100}}})
}

fn deployment() -> Value {
    json!({"id": format!("{WORKSPACE}/onlineEndpoints/prices/deployments/blue"), "name": "blue", "location": "westeurope",
        "sku": {"name": "Default", "capacity": 2}, "properties": {"endpointComputeType": "Managed", "instanceType": "Standard_D2as_v4", "provisioningState": "Succeeded"}})
}

#[track_caller]
fn stdout(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!out.contains(TOKEN) && !err.contains(TOKEN));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

#[tokio::test]
async fn status_lists_what_is_there_and_what_it_costs() {
    let server = Server::start().await;
    workspace(&server);
    server.always("GET", "/onlineEndpoints", list(&json!([endpoint(&server)])));
    server.always("GET", "/onlineEndpoints/prices/deployments", list(&json!([deployment()])));
    server.always("GET", "/computes", list(&json!([])));
    let text = stdout(&run(&server, folder().path(), &["status"]).await);
    for line in [
        "workspace mlops-ws in westeurope",
        "endpoint prices: Succeeded, http",
        "  blue: 100 % of the traffic",
        "costs money now:",
        "  online deployment prices/blue: 2 x Standard_D2as_v4, Succeeded, 0.22 USD an hour",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("missing"), "{text}");
    server.check();
}

/// A server with a datastore that takes one file below `LocalUpload`.
fn storage(server: &Server, path: &std::path::Path) {
    let hash = spinney_azureml::asset_hash(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let store = json!({"name": "workspaceblobstore", "properties": {"datastoreType": "AzureBlob", "accountName": "store", "containerName": "c",
        "endpoint": "core.windows.net", "protocol": "https", "isDefault": true, "credentials": {"credentialsType": "Sas"}}});
    server.always("GET", "/datastores/workspaceblobstore", Answer::json(200, store));
    let secrets = json!({"secretsType": "Sas", "sasToken": "sv=2021-12-02&sig=SECRET-SIGNATURE"});
    server.always("POST", "/datastores/workspaceblobstore/listSecrets", Answer::json(200, secrets));
    let blob = format!("/store/c/LocalUpload/{hash}/{name}");
    server.always_at("HEAD", &blob, Answer::new(404).header("x-ms-error-code", "BlobNotFound"));
    let created = Answer::new(201)
        .header("etag", "\"0x1\"")
        .header("last-modified", "Mon, 23 Nov 2026 05:45:39 GMT");
    server.enqueue("PUT", &blob, created.clone());
    server.enqueue("PUT", &blob, Answer { status: 200, ..created });
}

#[tokio::test]
async fn a_model_is_registered() {
    let (server, folder) = (Server::start().await, folder());
    let path = folder.path().join("ames.bundle");
    std::fs::write(&path, "a bundle").unwrap();
    storage(&server, &path);
    let none = Answer::error(404, "NotFound", "none");
    server.always("GET", "/models/ames", none.clone()).always(
        "GET",
        "/models/ames/versions",
        none.clone(),
    );
    server.always("GET", "/models/ames/versions/1", none);
    let model = json!({"id": format!("{WORKSPACE}/models/ames/versions/1"), "name": "1", "properties": {"flavors": {}}});
    server.on("PUT", "/models/ames/versions/1", Answer::json(201, model));
    let output =
        run(&server, folder.path(), &["register", "ames", "ames.bundle", "--tag", "r2=0.91"]).await;
    assert_eq!(stdout(&output), "ames:1\n");
    let put = server
        .seen()
        .into_iter()
        .find(|seen| seen.method == "PUT" && seen.path.contains("/models/"))
        .unwrap();
    assert_eq!(put.json()["properties"]["tags"], json!({"r2": "0.91"}));
    server.check();
}

#[tokio::test]
async fn a_model_is_deployed_and_asked() {
    let (server, folder) = (Server::start().await, folder());
    workspace(&server);
    let none = Answer::error(404, "NotFound", "none");
    let model = json!({"id": format!("{WORKSPACE}/models/ames/versions/3"), "name": "3", "properties": {"flavors": {}}});
    server.always("GET", "/models/ames/versions", list(&json!([model])));
    server.always("GET", "/environments/prices", none.clone()).always(
        "GET",
        "/environments/prices/versions",
        none.clone(),
    );
    let environment = json!({"id": format!("{WORKSPACE}/environments/prices/versions/1"), "name": "1", "properties": {}});
    server.on("PUT", "/environments/prices/versions/1", Answer::json(201, environment));
    // The endpoint is not there, is made, and gets its traffic.
    server.on("GET", "/onlineEndpoints/prices", none);
    server.always("GET", "/onlineEndpoints/prices", Answer::json(200, endpoint(&server)));
    server.always("PUT", "/onlineEndpoints/prices", Answer::json(200, endpoint(&server)));
    let path = "/onlineEndpoints/prices/deployments/blue";
    server.on("PUT", path, Answer::json(201, deployment())).always(
        "GET",
        path,
        Answer::json(200, deployment()),
    );
    let args = [
        "deploy",
        "prices",
        "--model",
        "ames",
        "--image",
        "example.azurecr.io/spinney:1",
        "--instances",
        "2",
        "--env",
        "RUST_LOG=info",
    ];
    let text = stdout(&run(&server, folder.path(), &args).await);
    assert_eq!(text.trim(), format!("{}/score", server.url));
    let put = server
        .seen()
        .into_iter()
        .find(|seen| seen.short() == format!("PUT {path}"))
        .unwrap()
        .json();
    assert_eq!(put["sku"]["capacity"], json!(2));
    assert_eq!(put["properties"]["model"], json!(format!("{WORKSPACE}/models/ames/versions/3")));
    assert_eq!(
        put["properties"]["environmentId"],
        json!(format!("{WORKSPACE}/environments/prices/versions/1"))
    );
    assert_eq!(put["properties"]["environmentVariables"], json!({"RUST_LOG": "info"}));

    server.always(
        "POST",
        "/onlineEndpoints/prices/listKeys",
        Answer::json(200, json!({"primaryKey": "p", "secondaryKey": "s"})),
    );
    server.always_at("POST", "/score", Answer::new(200).body("[208500.0]"));
    let request = r#"{"data": [{"LotFrontage": 65.0}]}"#;
    std::fs::write(folder.path().join("rows.json"), request).unwrap();
    let text = stdout(&run(&server, folder.path(), &["score", "prices", "rows.json"]).await);
    assert_eq!(text, "[208500.0]\n");
    assert_eq!(server.seen().last().unwrap().body, request.as_bytes());
    server.check();
}

#[tokio::test]
async fn a_deployment_that_would_fail_is_not_begun() {
    let server = Server::start().await;
    workspace(&server);
    let cdn = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Cdn");
    server.always_at(
        "GET",
        &cdn,
        Answer::json(
            200,
            json!({"namespace": "Microsoft.Cdn", "registrationState": "NotRegistered"}),
        ),
    );
    let args = ["deploy", "prices", "--model", "ames", "--image", "example.azurecr.io/spinney:1"];
    let output = run(&server, folder().path(), &args).await;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains("az provider register --namespace Microsoft.Cdn"),
        "{text}"
    );
    assert!(server.seen().iter().all(|seen| seen.method == "GET"));
}

#[tokio::test]
async fn cleaning_up_asks_for_a_word_first() {
    let server = Server::start().await;
    server.always("GET", "/onlineEndpoints", list(&json!([endpoint(&server)])));
    server.always("GET", "/batchEndpoints", list(&json!([])));
    server.always("GET", "/computes", list(&json!([])));
    let text = stdout(&run(&server, folder().path(), &["clean-up"]).await);
    assert!(text.contains("would delete the endpoint prices") && text.contains("--yes"), "{text}");
    assert!(server.seen().iter().all(|seen| seen.method == "GET"));

    let server = Server::start().await;
    server.on("GET", "/onlineEndpoints", list(&json!([endpoint(&server)])));
    server.always("GET", "/onlineEndpoints", list(&json!([])));
    server.always("GET", "/batchEndpoints", list(&json!([])));
    server.always("GET", "/computes", list(&json!([])));
    server.on("DELETE", "/onlineEndpoints/prices", Answer::new(204));
    let text = stdout(&run(&server, folder().path(), &["clean-up", "--yes"]).await);
    assert!(
        text.contains("deleted online endpoint prices") && text.contains("nothing is left"),
        "{text}"
    );
    server.check();
}

#[tokio::test]
async fn a_workspace_must_be_named() {
    let (server, empty) = (Server::start().await, tempfile::tempdir().unwrap());
    let output = run(&server, empty.path(), &["status"]).await;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains("name the workspace: --subscription"),
        "{text}"
    );
    let output = run(&server, empty.path(), &["status", "--workspace", "ws"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("name a workspace together"));
}
