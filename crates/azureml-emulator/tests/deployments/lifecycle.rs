use serde_json::{Value, json};
use spinney_artifact::ModelBundle;

use crate::site::{BUNDLE, Site, blue, named, until, with_runtime};

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_deployed_asked_and_deleted() {
    let site = Site::by(with_runtime).await;
    let reply = site.local.put(&site.deployment("blue"), &blue()).await.expect(201);
    let properties = &reply.body["properties"];
    assert_eq!(properties["provisioningState"], "Creating");
    assert_eq!(properties["scaleSettings"], json!({"scaleType": "Default"}));
    assert_eq!(properties["requestSettings"]["maxQueueWait"], "PT0.5S");
    assert_eq!(properties["livenessProbe"]["timeout"], "PT2S");
    assert_eq!(reply.body["sku"], json!({"name": "Default", "capacity": 1}));
    // Until it is ready it cannot be changed.
    site.local.put(&site.deployment("blue"), &blue()).await.expect(409);
    assert_eq!(site.ended(&reply).await["status"], "Succeeded");
    let made = site.local.get(&site.deployment("blue")).await.expect(200).body;
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    let all = site.local.get(&site.endpoint("/deployments")).await.expect(200).body;
    assert_eq!(all["value"].as_array().unwrap().len(), 1);

    // It gets requests when it has traffic, or when it is named.
    let bundle = ModelBundle::load(BUNDLE).unwrap();
    let expected: Value = serde_json::from_slice(
        &std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/bundles/v1/expected.json"
        ))
        .unwrap(),
    )
    .unwrap();
    let expected = expected.as_array().unwrap();
    let rows = expected.iter().find(|one| one["file"] == "prices.bundle").unwrap()["rows"].clone();
    // Of the others some are for models that were trained with missing values.
    let rows = json!([rows[0], rows[1]]);
    assert_eq!(site.score(&rows).await.expect(404).code(), "NoDeployment");
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let reply = site.score(&rows).await.expect(200);
    assert_eq!(reply.header("azureml-model-deployment"), "blue");
    assert!(!reply.header("x-request-id").is_empty());
    let records = serde_json::from_value::<Vec<_>>(rows).unwrap();
    let predicted = bundle.predict_records(&records).unwrap().to_vec();
    let answered: Vec<f64> = serde_json::from_value(reply.body["predictions"].clone()).unwrap();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&answered), bits(&predicted));

    let log = site.log("blue").await;
    assert!(log.contains("UserContainerStart: Succeeded") && log.contains("serving on"), "{log}");
    let kind = json!({"containerType": "StorageInitializer"});
    let id = format!("{}/getLogs", site.deployment("blue"));
    let log = site.local.post(&id, &kind).await.expect(200).body;
    assert!(log["content"].as_str().unwrap().contains("model prices:1: 1 files"), "{log}");
    let skus = site.local.get(&format!("{}/skus", site.deployment("blue"))).await.expect(200).body;
    assert_eq!(skus["value"][0]["capacity"]["maximum"], 41);

    let refused = site.local.delete(&site.deployment("blue")).await.expect(400);
    assert!(refused.message().contains("traffic"), "{refused:?}");
    site.set_traffic(json!({"blue": 0})).await.expect(200);
    let reply = site.local.delete(&site.deployment("blue")).await.expect(202);
    site.local.wait();
    assert_eq!(site.ended(&reply).await["status"], "Succeeded");
    site.local.get(&site.deployment("blue")).await.expect(404);
    site.local.delete(&site.deployment("blue")).await.expect(204);
    // Nothing refers to it any more.
    let endpoint = site.local.get(&site.endpoint("")).await.expect(200).body;
    assert_eq!(endpoint["properties"]["traffic"], json!({}));
    let files = site.state().join("deployments");
    until("its files are gone", async || std::fs::read_dir(&files).unwrap().count() == 0).await;
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_up_says_why_and_can_be_mended() {
    let site = Site::new().await;
    let mut body = blue();
    body["properties"]["environmentVariables"]["FAIL_AT_START"] = json!("1");
    let ended = site.deploy("blue", &body).await;
    assert_eq!(
        (&ended["status"], &ended["error"]["code"]),
        (&json!("Failed"), &json!("BadArgument"))
    );
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("exit status: 3")
            && message.contains("the model is not what it should be"),
        "{message}"
    );
    let made = site.local.get(&site.deployment("blue")).await.expect(200).body;
    assert_eq!(made["properties"]["provisioningState"], "Failed");
    let log = site.log("blue").await;
    assert!(
        log.contains("UserContainerStart: Failed") && log.contains("not what it should be"),
        "{log}"
    );
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let reply = site.score(&json!({})).await.expect(503);
    assert_eq!(reply.header("ms-azureml-model-error-reason"), "model_not_ready");

    let mut body = blue();
    body["properties"]["environmentVariables"]["NEVER_READY"] = json!("1");
    body["properties"]["readinessProbe"]["failureThreshold"] = json!(1);
    let ended = site.deploy("blue", &body).await;
    assert_eq!(ended["error"]["code"], "ResourceNotReady", "{ended}");
    // In Azure's words, a deployment that asks for too much fails later.
    body["sku"]["capacity"] = json!(50);
    let reply = site.local.put(&site.deployment("green"), &body).await.expect(201);
    site.local.wait();
    assert_eq!(site.ended(&reply).await["error"]["code"], "OutOfQuota");

    site.deployed("blue", &blue()).await;
    assert_eq!(site.score(&json!({})).await.expect(200).body["name"], "blue");
    // What worked goes on when what is to replace it does not.
    body = named("other");
    body["properties"]["environmentVariables"]["FAIL_AT_START"] = json!("1");
    assert_eq!(site.deploy("blue", &body).await["status"], "Failed");
    assert_eq!(site.score(&json!({})).await.expect(200).body["name"], "blue");
    site.deployed("blue", &named("other")).await;
    assert_eq!(site.score(&json!({})).await.expect(200).body["name"], "other");
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deployment_says_must_be_there_and_be_possible() {
    let site = Site::new().await;
    let set = |pointer: &str, value: Value| {
        let mut body = blue();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    for (pointer, value, status, word) in [
        ("/location", json!(null), 400, "location"),
        ("/properties/endpointComputeType", json!(null), 400, "endpointComputeType"),
        ("/properties/endpointComputeType", json!("Kubernetes"), 501, "Kubernetes"),
        ("/properties/instanceType", json!("Standard_X"), 400, "Standard_X"),
        ("/properties/model", json!("azureml:prices:2"), 400, "azureml:prices:2"),
        ("/properties/model", json!("azureml:prices@latest"), 400, "azureml:NAME:VERSION"),
        ("/properties/model", json!("azureml://registries/r/models/m/versions/1"), 501, "registry"),
        ("/properties/environmentId", json!("azureml:nothing:1"), 400, "azureml:nothing:1"),
        ("/properties/environmentId", json!(null), 501, "environmentId"),
        (
            "/properties/codeConfiguration",
            json!({"codeId": "azureml:c:1", "scoringScript": "score.py"}),
            400,
            "azureml:c:1",
        ),
        ("/properties/codeConfiguration", json!({"codeId": "azureml:c:1"}), 400, "scoringScript"),
        (
            "/properties/codeConfiguration",
            json!({"codeId": "azureml:c:1", "scoringScript": "../score.py"}),
            400,
            "within the code",
        ),
        ("/sku/capacity", json!(0), 400, "capacity"),
        ("/sku/capacity", json!("1"), 400, "capacity"),
        ("/properties/requestSettings/requestTimeout", json!("PT3M1S"), 400, "PT3M"),
        ("/properties/requestSettings/requestTimeout", json!("5"), 400, "PT5S"),
        (
            "/properties/requestSettings/maxConcurrentRequestsPerInstance",
            json!(0),
            400,
            "maxConcurrent",
        ),
        ("/properties/livenessProbe/period", json!("PT0S"), 400, "livenessProbe"),
        ("/properties/readinessProbe/failureThreshold", json!(0), 400, "failureThreshold"),
        ("/properties/scaleSettings", json!({"scaleType": "TargetUtilization"}), 501, "scale"),
        ("/properties/dataCollector", json!({"collections": {}}), 501, "collecting"),
        ("/properties/egressPublicNetworkAccess", json!("Disabled"), 501, "network"),
        (
            "/properties/environmentVariables",
            json!({"A": "${{azureml://connections/c}}"}),
            501,
            "A: a secret",
        ),
        ("/properties/environmentVariables", json!({"A=B": "1"}), 400, "A=B"),
        ("/properties/modelMountPath", json!("models"), 400, "modelMountPath"),
    ] {
        let reply = site.local.put(&site.deployment("blue"), &set(pointer, value)).await;
        assert_eq!(reply.status, status, "{pointer}: {reply:?}");
        assert!(reply.message().contains(word), "{pointer}: {reply:?}");
    }
    site.local.put(&site.deployment("b"), &blue()).await.expect(400);
    site.local.get(&site.deployment("blue")).await.expect(404);
    site.local.post(&format!("{}/getLogs", site.deployment("blue")), &json!({})).await.expect(404);
    // A registry's environment is taken for what it is called, and an id in any letters.
    let model = site.local.id("/models/prices/versions/1").to_uppercase();
    let mut body = set("/properties/model", json!(format!("azureml:{model}")));
    body["properties"]["environmentId"] =
        json!("azureml://registries/azureml/environments/sklearn-1.5/labels/latest");
    site.deployed("blue", &body).await;
    body["properties"]["instanceType"] = json!("Standard_DS3_v2");
    let refused = site.local.put(&site.deployment("blue"), &body).await.expect(400);
    assert!(refused.message().contains("instanceType"), "{refused:?}");
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_and_tags_are_patched_and_an_endpoint_takes_its_deployments_along() {
    let site = Site::new().await;
    site.deployed("blue", &blue()).await;
    let id = site.deployment("blue");
    let patch = async |body: Value| {
        crate::support::send(site.local.request(reqwest::Method::PATCH, &id).body(body.to_string()))
            .await
    };
    let reply = patch(json!({"tags": {"a": "b"}})).await.expect(200);
    assert_eq!(reply.body["tags"], json!({"a": "b"}));
    patch(json!({"properties": {"model": "x"}})).await.expect(400);
    patch(json!({"sku": {"capacity": 0}})).await.expect(400);
    let reply = patch(json!({"sku": {"name": "Default", "capacity": 2}})).await.expect(200);
    assert_eq!(site.ended(&reply).await["status"], "Succeeded");
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let body = json!({"sleep": 200});
    let answers = futures_util::future::join_all((0..8).map(|_| site.score(&body))).await;
    let mut processes: Vec<u64> =
        answers.iter().map(|answer| answer.body["process"].as_u64().unwrap()).collect();
    processes.sort_unstable();
    processes.dedup();
    assert_eq!(processes.len(), 2);
    let log = site.log("blue").await;
    assert!(
        log.contains("Container logs of instance 1:") && log.matches("listens at").count() == 2,
        "{log}"
    );

    let reply = site.local.delete(&site.endpoint("")).await.expect(202);
    site.local.wait();
    assert_eq!(site.ended(&reply).await["status"], "Succeeded");
    site.local.get(&id).await.expect(404);
    let is_there = |process: &u64| std::path::Path::new(&format!("/proc/{process}")).exists();
    until("its processes end", async || !processes.iter().any(is_there)).await;
    site.local.emulator.shutdown().await;
}

/// What is being started is given up when it is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_never_gets_ready_can_be_deleted() {
    let site = Site::new().await;
    let mut body = blue();
    body["properties"]["environmentVariables"]["NEVER_READY"] = json!("1");
    body["properties"]["readinessProbe"]["period"] = json!("PT1H");
    let begun = site.local.put(&site.deployment("blue"), &body).await.expect(201);
    until("its program runs", async || site.log("blue").await.contains("listens at")).await;
    let deleted = site.local.delete(&site.deployment("blue")).await.expect(202);
    assert_eq!(site.ended(&begun).await["error"]["code"], "Canceled");
    site.local.wait();
    assert_eq!(site.ended(&deleted).await["status"], "Succeeded");
    site.local.get(&site.deployment("blue")).await.expect(404);
    site.local.emulator.shutdown().await;
}
