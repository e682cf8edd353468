//! What costs money is found, and nothing is left after cleaning up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use loopback::{Answer, SUBSCRIPTION, Server};
use serde_json::{Value, json};
use spinney_azureml::{BillableKind, CleanUp, MlClient};

fn client(server: &Server) -> MlClient {
    server.builder().location("westeurope").build().unwrap()
}

fn list(items: &Value) -> Answer {
    Answer::json(200, json!({"value": items}))
}

fn instance(name: &str, state: &str) -> Value {
    json!({"name": name, "location": "westeurope", "properties": {
        "computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS11_v2", "state": state},
    }})
}

fn cluster(name: &str, nodes: u32, min: u32) -> Value {
    json!({"name": name, "location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "STANDARD_DS3_V2", "currentNodeCount": nodes,
        "scaleSettings": {"minNodeCount": min, "maxNodeCount": 4},
    }}})
}

fn deployment(name: &str, capacity: u32) -> Value {
    json!({"id": "/x", "name": name, "location": "westeurope", "sku": {"name": "Default", "capacity": capacity},
        "properties": {"endpointComputeType": "Managed", "instanceType": "Standard_D2as_v4", "provisioningState": "Succeeded"}})
}

fn prices() -> Answer {
    let size = |name: &str, price: f64| {
        json!({"name": name, "family": "f", "vCPUs": 2, "memoryGB": 8.0, "estimatedVMPrices": {
            "billingCurrency": "USD", "unitOfMeasure": "OneHour", "values": [
                {"retailPrice": price * 3.0, "osType": "Windows", "vmTier": "Standard"},
                {"retailPrice": price / 5.0, "osType": "Linux", "vmTier": "LowPriority"},
                {"retailPrice": price, "osType": "Linux", "vmTier": "Standard"},
            ],
        }})
    };
    list(&json!([size("Standard_DS11_v2", 0.25), size("Standard_DS3_v2", 0.5)]))
}

fn vm_sizes() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/westeurope/vmSizes"
    )
}

#[tokio::test]
async fn what_runs_is_listed_with_its_price() {
    let server = Server::start().await;
    server.on(
        "GET",
        "/computes",
        list(&json!([
            instance("runs", "Running"), instance("rests", "Stopped"), instance("odd", "Unusable"),
            cluster("busy", 2, 0), cluster("kept", 0, 1), cluster("empty", 0, 0),
            {"name": "attached", "properties": {"computeType": "Kubernetes", "properties": null}},
        ])),
    );
    server.on(
        "GET",
        "/onlineEndpoints",
        list(&json!([{"name": "prices", "properties": {"authMode": "Key"}}])),
    );
    server.on("GET", "/onlineEndpoints/prices/deployments", list(&json!([deployment("blue", 3)])));
    server.enqueue("GET", &vm_sizes(), prices());
    let client = client(&server);
    let found = client.billable(&client.list_prices().await.unwrap()).await.unwrap();
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "compute instance runs: 1 x Standard_DS11_v2, Running, 0.25 USD an hour",
            "compute instance odd: 1 x Standard_DS11_v2, Unusable, 0.25 USD an hour",
            "compute cluster busy: 2 x STANDARD_DS3_V2, 2 nodes, at least 0, 1.00 USD an hour",
            "compute cluster kept: 1 x STANDARD_DS3_V2, 0 nodes, at least 1, 0.50 USD an hour",
            "online deployment prices/blue: 3 x Standard_D2as_v4, Succeeded",
        ]
    );
    assert_eq!(found[4].kind, BillableKind::OnlineDeployment);
    server.check();
}

#[tokio::test]
async fn prices_of_a_contract_will_do() {
    let server = Server::start().await;
    server.on("GET", "/computes", list(&json!([cluster("busy", 4, 0)])));
    server.on("GET", "/onlineEndpoints", list(&json!([])));
    let ours = |size: &str, location: &str| {
        (size.eq_ignore_ascii_case("standard_ds3_v2") && location == "westeurope")
            .then(|| (0.1, "EUR".to_owned()))
    };
    let found = client(&server).billable(&ours).await.unwrap();
    assert_eq!(found[0].hourly, Some((0.4, "EUR".to_owned())));
}

#[tokio::test]
async fn cleaning_up_deletes_what_costs_and_looks_again() {
    let server = Server::start().await;
    server.on(
        "GET",
        "/onlineEndpoints",
        list(&json!([{"name": "prices", "properties": {"authMode": "Key"}}])),
    );
    server.on("GET", "/batchEndpoints", list(&json!([{"name": "nightly", "properties": {}}])));
    server.on(
        "GET",
        "/computes",
        list(&json!([
            instance("rests", "Stopped"), cluster("empty", 0, 0),
            {"name": "attached", "properties": {"computeType": "Kubernetes"}},
        ])),
    );
    for path in
        ["/onlineEndpoints/prices", "/batchEndpoints/nightly", "/computes/rests", "/computes/empty"]
    {
        server.on("DELETE", path, Answer::new(204));
    }
    server.on("GET", "/onlineEndpoints", list(&json!([]))).on("GET", "/computes", list(&json!([])));
    let report = client(&server).clean_up(CleanUp::EndpointsAndComputes).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(
        report.deleted,
        ["online endpoint prices", "batch endpoint nightly", "compute rests", "compute empty"]
    );
    server.check();
}

#[tokio::test]
async fn what_cannot_be_deleted_is_told_and_the_rest_goes_on() {
    let server = Server::start().await;
    server.always("GET", "/onlineEndpoints", list(&json!([])));
    server.on("GET", "/batchEndpoints", list(&json!([])));
    server.always(
        "GET",
        "/computes",
        list(&json!([instance("locked", "Running"), cluster("empty", 0, 0)])),
    );
    server.on(
        "DELETE",
        "/computes/locked",
        Answer::error(409, "ScopeLocked", "the scope is locked"),
    );
    server.on("DELETE", "/computes/empty", Answer::new(200));
    let report = client(&server).clean_up(CleanUp::EndpointsAndComputes).await.unwrap();
    assert!(!report.is_clean());
    let text = report.to_string();
    for part in [
        "deleted compute empty",
        "not deleted: compute locked",
        "the scope is locked",
        "still costs: compute instance locked",
    ] {
        assert!(text.contains(part), "{text}");
    }
    server.check();
}

#[tokio::test]
async fn a_resource_group_is_deleted_whole() {
    let (server, recorded) = Server::replaying("rg_delete").await;
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/rg");
    server.enqueue("GET", &group, Answer::error(404, "ResourceGroupNotFound", "gone"));
    let report = client(&server).clean_up(CleanUp::ResourceGroup).await.unwrap();
    assert!(report.is_clean(), "{report}");
    let seen = server.seen();
    assert!(seen[0].query.contains(&("api-version".to_owned(), "2025-04-01".to_owned())));
    let first: Vec<String> = server.seen_short()[..recorded.len()].to_vec();
    assert_eq!(first, recorded.iter().map(|exchange| exchange.short()).collect::<Vec<_>>());
    server.check();
}
