//! Deployments of batch endpoints as resources.

use serde_json::{Value, json};

use crate::office::{Office, SUMS, endpoint, merge};

#[tokio::test(flavor = "multi_thread")]
async fn deployments_come_change_and_go() {
    let office = Office::with(None).await;
    let local = &office.local;
    office.deploy("blue", SUMS, json!({})).await;
    let path = local.id("/batchEndpoints/sums/deployments");
    let blue = local.get(&format!("{path}/blue")).await.expect(200).body;
    let properties = &blue["properties"];
    for (name, assumed) in [
        ("miniBatchSize", json!(10)),
        ("errorThreshold", json!(-1)),
        ("outputAction", json!("AppendRow")),
        ("outputFileName", json!("predictions.csv")),
        ("retrySettings", json!({"maxRetries": 3, "timeout": "PT30S"})),
        ("loggingLevel", json!("Info")),
    ] {
        assert_eq!(properties[name], assumed, "{name}");
    }
    let list = local.get(&path).await.expect(200).body;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);

    let patch = json!({"tags": {"a": "b"}, "properties": {"description": "nightly"}});
    let request = local.request(reqwest::Method::PATCH, &format!("{path}/blue"));
    let patched = crate::support::send(request.body(patch.to_string())).await.expect(200).body;
    assert_eq!(
        (&patched["tags"]["a"], &patched["properties"]["description"]),
        (&json!("b"), &json!("nightly"))
    );
    let request = local.request(reqwest::Method::PATCH, &format!("{path}/blue"));
    let refused =
        crate::support::send(request.body(json!({"properties": {"miniBatchSize": 2}}).to_string()));
    assert!(refused.await.expect(400).message().contains("miniBatchSize"));

    let larger = office.deployment("blue", json!({"miniBatchSize": 20}));
    let body = office.made("/batchEndpoints/sums/deployments/blue", &larger).await;
    assert_eq!(body["properties"]["miniBatchSize"], 20);

    // A default is one that is there, and no default any more when it is gone.
    let green = endpoint(json!({"deploymentName": "green"}));
    let id = local.id("/batchEndpoints/sums");
    assert!(local.put(&id, &green).await.expect(400).message().contains("green"));
    office.made("/batchEndpoints/sums", &endpoint(json!({"deploymentName": "blue"}))).await;
    local.delete(&format!("{path}/blue")).await.expect(202);
    local.wait();
    local.get(&format!("{path}/blue")).await.expect(404);
    local.delete(&format!("{path}/blue")).await.expect(204);
    let now = local.get(&id).await.expect(200).body;
    assert_eq!(now["properties"]["defaults"], json!({"deploymentName": null}));

    // Deployments go with their endpoint.
    office.deploy("blue2", SUMS, json!({})).await;
    local.delete(&id).await.expect(202);
    local.wait();
    local.get(&id).await.expect(404);
    office.made("/batchEndpoints/sums", &endpoint(json!({}))).await;
    local.get(&format!("{path}/blue2")).await.expect(404);
    // The name is part of an address, which both kinds of endpoints have.
    let online = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
    let taken = local.put(&local.id("/onlineEndpoints/sums"), &online).await.expect(409);
    assert!(taken.message().contains("sums"), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deployment_cannot_be_is_refused() {
    let office = Office::with(None).await;
    let local = &office.local;
    office.deploy("blue", SUMS, json!({})).await;
    let instance = json!({"location": "westeurope", "properties": {
        "computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS3_v2"},
    }});
    local.put(&local.id("/computes/machine"), &instance).await.expect(201);
    let missing = |path: &str| local.id(path);
    let reference = |id: String| json!({"referenceType": "Id", "assetId": id});
    let code = |script: &str| json!({"codeId": local.id("/codes/blue/versions/1"), "scoringScript": script});
    for (status, changes, why) in [
        (400, json!({"model": reference(missing("/models/other/versions/1"))}), "models"),
        (400, json!({"model": null}), "model"),
        (400, json!({"compute": missing("/computes/other")}), "computes/other was not found"),
        (400, json!({"compute": "machine"}), "is no cluster"),
        (400, json!({"environmentId": missing("/environments/e/versions/1")}), "environments"),
        (
            400,
            json!({"codeConfiguration": {"codeId": missing("/codes/c/versions/1"), "scoringScript": "score.py"}}),
            "codes",
        ),
        (400, json!({"codeConfiguration": code("../score.py")}), "scoringScript"),
        (400, json!({"miniBatchSize": 0}), "miniBatchSize"),
        (400, json!({"retrySettings": {"timeout": "soon"}}), "timeout"),
        (400, json!({"outputFileName": "a/b"}), "outputFileName"),
        (
            400,
            json!({"deploymentConfiguration": {"deploymentConfigurationType": "Other"}}),
            "deploymentConfigurationType",
        ),
        (
            400,
            json!({"deploymentConfiguration": {"deploymentConfigurationType": "PipelineComponent"}}),
            "has no model",
        ),
        (501, json!({"model": {"referenceType": "DataPath", "path": "x"}}), "DataPath"),
        (501, json!({"codeConfiguration": null}), "without a scoring script"),
    ] {
        let body = office.deployment("blue", changes);
        let reply = local.put(&local.id("/batchEndpoints/sums/deployments/red"), &body).await;
        let reply = reply.expect(status);
        assert!(reply.message().contains(why), "{why}: {}", reply.message());
    }
    let component = |id: &str, settings: Value| {
        json!({"location": "westeurope", "properties": {"deploymentConfiguration": {
            "deploymentConfigurationType": "PipelineComponent",
            "componentId": {"referenceType": "Id", "assetId": local.id(id)},
            "settings": settings,
        }}})
    };
    let spec =
        json!({"type": "command", "command": "true", "environment": crate::office::ENVIRONMENT});
    let command = json!({"properties": {"componentSpec": spec}});
    local.put(&local.id("/components/one/versions/1"), &command).await.expect(201);
    let pipeline = json!({"properties": {"componentSpec": {"type": "pipeline", "jobs": {}}}});
    local.put(&local.id("/components/two/versions/1"), &pipeline).await.expect(201);
    for (status, id, settings, why) in [
        (400, "/components/none/versions/1", json!({}), "was not found"),
        (400, "/components/one/versions/1", json!({}), "type pipeline"),
        (400, "/components/two/versions/1", json!({"default_compute": "nothing"}), "nothing"),
        (501, "/components/two/versions/1", json!({"colour": "red"}), "colour"),
    ] {
        let body = component(id, settings);
        let reply = local.put(&local.id("/batchEndpoints/sums/deployments/red"), &body).await;
        let reply = reply.expect(status);
        assert!(reply.message().contains(why), "{why}: {}", reply.message());
    }
    let mut nowhere = office.deployment("blue", json!({}));
    merge(&mut nowhere, json!({"location": "mars"}));
    local.put(&local.id("/batchEndpoints/sums/deployments/red"), &nowhere).await.expect(409);
    local.put(&local.id("/batchEndpoints/none/deployments/red"), &nowhere).await.expect(404);
}
