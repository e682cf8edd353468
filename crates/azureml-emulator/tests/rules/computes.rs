use std::time::Duration;

use serde_json::{Value, json};

use crate::{cluster, instance, support::local};

#[tokio::test]
async fn an_instance_is_created_stopped_started_and_deleted() {
    let (_folder, local) = local().await;
    let id = local.id("/computes/ci1");
    let state = async |state: &str| {
        let body = local.get(&id).await.expect(200).body;
        assert_eq!(body["properties"]["properties"]["state"], state);
        body
    };
    let made = local.put(&id, &instance()).await.expect(201);
    assert_eq!(made.body["properties"]["provisioningState"], "Creating");
    assert_eq!(made.header("retry-after"), "1");
    let operation = made.header("azure-asyncoperation").to_owned();
    assert_eq!(local.follow(&operation).await.expect(200).body["status"], "InProgress");
    state("Creating").await;
    // One after the other.
    assert_eq!(local.put(&id, &instance()).await.expect(409).code(), "Conflict");
    local.post(&format!("{id}/stop"), &Value::Null).await.expect(409);
    local.wait();
    let done = local.follow(&operation).await.expect(200);
    assert_eq!((done.body["status"].as_str(), done.header("retry-after")), (Some("Succeeded"), ""));
    let body = state("Running").await;
    assert_eq!(body["properties"]["provisioningState"], "Succeeded");
    // What nobody here knows is kept.
    assert_eq!(body["properties"]["properties"]["somethingNew"], json!({"a": [1]}));

    local.post(&format!("{id}/stop"), &Value::Null).await.expect(202);
    state("Stopping").await;
    local.wait();
    state("Stopped").await;
    // To ask again is no mistake.
    local.post(&format!("{id}/stop"), &Value::Null).await.expect(202);
    local.wait();
    local.post(&format!("{id}/start"), &Value::Null).await.expect(202);
    state("Starting").await;
    local.wait();
    state("Running").await;

    local.delete(&id).await.expect(400);
    let gone = local.delete(&format!("{id}?underlyingResourceAction=Delete")).await.expect(202);
    local.wait();
    let operation = gone.header("azure-asyncoperation").to_owned();
    assert_eq!(local.follow(&operation).await.expect(200).body["status"], "Succeeded");
    local.get(&id).await.expect(404);
    local.delete(&format!("{id}?underlyingResourceAction=Delete")).await.expect(204);
}

#[tokio::test]
async fn an_idle_instance_is_shut_down_when_its_time_has_come() {
    let (_folder, mut local) = local().await;
    let id = local.id("/computes/ci1");
    local.put(&id, &instance()).await.expect(201);
    local.wait();
    let machine = local.get(&id).await.expect(200).body["properties"]["properties"].clone();
    assert_eq!(machine["state"], "Running");
    local.clock.advance(Duration::from_secs(59 * 60));
    local.token = local.sign_in("https://management.azure.com").await;
    let machine = local.get(&id).await.expect(200).body["properties"]["properties"].clone();
    assert_eq!(machine["state"], "Running");
    local.clock.advance(Duration::from_secs(60));
    let machine = local.get(&id).await.expect(200).body["properties"]["properties"].clone();
    assert_eq!(machine["state"], "Stopped");
    assert_eq!(machine["lastOperation"]["operationTrigger"], "IdleShutdown");
}

#[tokio::test]
async fn a_cluster_has_its_least_nodes_and_no_more_than_the_quota() {
    let (_folder, local) = local().await;
    let id = local.id("/computes/cluster");
    let made = local.put(&id, &cluster()).await.expect(201);
    assert_eq!(made.body["properties"]["properties"]["allocationState"], "Resizing");
    local.wait();
    let body = local.get(&id).await.expect(200).body;
    assert_eq!(body["properties"]["properties"]["currentNodeCount"], 2);
    assert_eq!(body["properties"]["properties"]["allocationState"], "Steady");
    let location = format!(
        "/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/westeurope/usages",
        local.variable("AZUREML_ARM_SUBSCRIPTION")
    );
    let usages = local.get(&location).await.expect(200).body;
    let usage = usages["value"].as_array().unwrap().iter();
    let usage = usage.clone().find(|usage| usage["name"]["value"] == "standardDSv2Family").unwrap();
    assert_eq!(usage["currentValue"], 8);

    let mut large = cluster();
    large["properties"]["properties"]["scaleSettings"]["maxNodeCount"] = json!(26);
    let made = local.put(&local.id("/computes/large"), &large).await.expect(201);
    let operation = made.header("azure-asyncoperation").to_owned();
    local.wait();
    // That it failed is no failure of the question.
    let done = local.follow(&operation).await.expect(200);
    assert_eq!(done.body["status"], "Failed");
    assert_eq!(done.body["error"]["details"][0]["code"], "ClusterCoreQuotaReached");
    assert_eq!(done.header("retry-after"), "");
}
