//! Batch endpoints against a scripted server. Bodies are those that azure-ai-ml 1.35.2 makes, but for what is listed here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::time::Duration;

use loopback::{Answer, Fault, Server, TOKEN, WORKSPACE};
use serde_json::{Value, json};
use spinney_azureml::{BatchDeploymentSpec, BatchEndpointSpec, BatchInvocation, Error, MlClient};

fn endpoint(server: &Server) -> Answer {
    Answer::json(
        200,
        json!({
            "id": format!("{WORKSPACE}/batchEndpoints/nightly"), "name": "nightly", "location": "westeurope",
            "properties": {
                "authMode": "AADToken", "provisioningState": "Succeeded", "defaults": {"deploymentName": "blue"},
                "scoringUri": format!("{}/nightly/jobs", server.url), "swaggerUri": null,
            },
        }),
    )
}

fn client(server: &Server) -> MlClient {
    server.builder().location("westeurope").build().unwrap()
}

#[tokio::test]
async fn endpoints_come_and_go() {
    let server = Server::start().await;
    let operation = format!("{}/operations/1", server.url);
    let created =
        Answer::json(201, json!({"name": "nightly", "properties": {"authMode": "AADToken"}}))
            .header("Azure-AsyncOperation", &operation);
    server.on("PUT", "/batchEndpoints/nightly", created);
    server.enqueue("GET", "/operations/1", Answer::json(200, json!({"status": "Creating"})));
    server.enqueue("GET", "/operations/1", Answer::json(200, json!({"status": "Succeeded"})));
    server.on("GET", "/batchEndpoints/nightly", endpoint(&server));
    let spec = BatchEndpointSpec::new().description("d").tag("a", "b").default_deployment("blue");
    let client = client(&server);
    let made = client.batch_endpoints().create("nightly", &spec).await.unwrap();
    assert_eq!(made.properties.defaults.deployment_name.as_deref(), Some("blue"));
    // The SDK writes `aadToken`; the specification has `AADToken`.
    assert_eq!(
        server.seen()[0].json(),
        json!({
            "location": "westeurope", "tags": {"a": "b"},
            "properties": {
                "description": "d", "authMode": "AADToken", "properties": {}, "defaults": {"deploymentName": "blue"},
            },
        })
    );

    let page = json!({"value": [{"name": "nightly", "properties": {"defaults": null}}]});
    server.on("GET", "/batchEndpoints", Answer::json(200, page));
    assert_eq!(client.batch_endpoints().list().collect().await.unwrap()[0].name, "nightly");

    let deleted = Answer::new(202).header("Location", format!("{}/operations/2", server.url));
    server.on("DELETE", "/batchEndpoints/nightly", deleted);
    server.enqueue("GET", "/operations/2", Answer::new(202));
    server.enqueue("GET", "/operations/2", Answer::new(204));
    client.batch_endpoints().delete("nightly").await.unwrap();
    server.on("DELETE", "/batchEndpoints/nightly", Answer::error(404, "NotFound", "gone"));
    client.batch_endpoints().delete("nightly").await.unwrap();
    server.check();
}

#[tokio::test]
async fn deployments_come_and_go() {
    let server = Server::start().await;
    let client = client(&server);
    let answer = || {
        Answer::json(200, json!({"name": "blue", "properties": {"provisioningState": "Succeeded"}}))
    };
    let model = BatchDeploymentSpec::model("/x/models/m/versions/1", "mlops-cluster")
        .environment("/x/environments/e/versions/1")
        .code("/x/codes/1", "score.py")
        .instance_count(2)
        .max_concurrency_per_instance(2)
        .retries(3, Duration::from_secs(30));
    let component = BatchDeploymentSpec::pipeline_component("/x/components/c/versions/1")
        .default_compute("mlops-cluster");
    let path = "/batchEndpoints/nightly/deployments/blue";
    for spec in [&model, &component] {
        server.on("PUT", path, answer());
        let made = client.batch_endpoints().create_deployment("nightly", "blue", spec).await;
        assert_eq!(made.unwrap().properties.provisioning_state.as_deref(), Some("Succeeded"));
    }
    server.on("GET", path, answer());
    assert_eq!(client.batch_endpoints().deployment("nightly", "blue").await.unwrap().name, "blue");
    let bodies: Vec<Value> = server
        .seen()
        .iter()
        .filter(|seen| seen.method == "PUT")
        .map(|seen| seen.json()["properties"].clone())
        .collect();
    let compute = format!("{WORKSPACE}/computes/mlops-cluster");
    // The SDK adds two empty objects `properties` and writes the level `info`, against the specification.
    assert_eq!(
        bodies[0],
        json!({
            "environmentId": "/x/environments/e/versions/1",
            "model": {"assetId": "/x/models/m/versions/1", "referenceType": "Id"},
            "codeConfiguration": {"codeId": "/x/codes/1", "scoringScript": "score.py"},
            "outputFileName": "predictions.csv", "outputAction": "AppendRow", "errorThreshold": -1,
            "resources": {"instanceCount": 2}, "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
            "loggingLevel": "Info", "miniBatchSize": 10, "maxConcurrencyPerInstance": 2, "compute": compute,
        })
    );
    // The SDK adds a model deployment's settings, which mean nothing here.
    assert_eq!(
        bodies[1],
        json!({"deploymentConfiguration": {
            "settings": {"default_compute": compute},
            "componentId": {"assetId": "/x/components/c/versions/1", "referenceType": "Id"},
            "deploymentConfigurationType": "PipelineComponent",
        }})
    );
    server.on(
        "GET",
        "/batchEndpoints/nightly/deployments",
        Answer::json(200, json!({"value": [{"name": "blue", "properties": {}}]})),
    );
    let deployments = client.batch_endpoints().deployments("nightly").unwrap();
    assert_eq!(deployments.collect().await.unwrap().len(), 1);
    server.on("DELETE", path, Answer::new(204));
    client.batch_endpoints().delete_deployment("nightly", "blue").await.unwrap();
    server.check();
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let client = client(&server);
    let endpoints = || client.batch_endpoints();
    let spec = BatchDeploymentSpec::model("/x/models/m/versions/1", "mlops-cluster");
    let errors: Vec<String> = [
        endpoints().get("x/y").await.err(),
        endpoints().create("no", &BatchEndpointSpec::new()).await.err(),
        endpoints()
            .create("nightly", &BatchEndpointSpec::new().default_deployment("-"))
            .await
            .err(),
        endpoints().delete("").await.err(),
        endpoints().delete_deployment("nightly", "..").await.err(),
        endpoints().create_deployment("nightly", "b", &spec).await.err(),
        endpoints()
            .create_deployment("nightly", "blue", &spec.clone().mini_batch_size(0))
            .await
            .err(),
        endpoints().invoke("nightly", &BatchInvocation::folder("data/")).await.err(),
        endpoints().invoke("nightly", &BatchInvocation::new().literal("n", f64::NAN)).await.err(),
        endpoints().invoke("nightly", &BatchInvocation::new().literal("a-b", 1)).await.err(),
        endpoints()
            .invoke("nightly", &BatchInvocation::new().output_file("o", "x.csv"))
            .await
            .err(),
        endpoints().invoke("nightly", &BatchInvocation::new().deployment("x\r\ny")).await.err(),
        endpoints().invoke("nightly", &BatchInvocation::new().job_name("a b")).await.err(),
    ]
    .into_iter()
    .map(|error| error.unwrap().to_string())
    .collect();
    assert!(errors[6].starts_with("the mini batch size of a batch deployment is 0"), "{errors:?}");
    assert!(errors[7].starts_with("the address of an input is `data/`"), "{errors:?}");
    assert_eq!(server.seen_short(), [""; 0]);
}

#[tokio::test]
async fn invocations_are_the_sdks() {
    let server = Server::start().await;
    server.always("GET", "/batchEndpoints/nightly", endpoint(&server));
    let job = json!({"id": "/x/jobs/batchjob-1", "name": "batchjob-1", "properties": {"status": "Preparing"}});
    server.always_at("POST", "/nightly/jobs", Answer::json(201, job));
    let client = client(&server);
    let uri = "azureml://datastores/x/paths/y/";
    let name =
        client.batch_endpoints().invoke("nightly", &BatchInvocation::folder(uri)).await.unwrap();
    assert_eq!(name, "batchjob-1");
    let run = BatchInvocation::new()
        .uri_file("data", "https://example.org/y.csv")
        .literal("n", 0.5)
        .literal("s", "hi")
        .literal("i", 5)
        .literal("b", true)
        .output_file("score", "azureml://datastores/workspaceblobstore/paths/o.csv")
        .job_name("jn")
        .experiment_name("e")
        .deployment("blue");
    client.batch_endpoints().invoke("nightly", &run).await.unwrap();

    let seen = server.seen();
    let (first, second) = (&seen[1], &seen[3]);
    assert_eq!(
        first.json(),
        json!({"properties": {"inputData": {"UriFolder": {"jobInputType": "UriFolder", "uri": uri}}}})
    );
    assert_eq!(
        second.json(),
        json!({"properties": {
            "inputData": {
                "data": {"jobInputType": "UriFile", "uri": "https://example.org/y.csv"},
                "n": {"jobInputType": "Literal", "value": 0.5}, "s": {"jobInputType": "Literal", "value": "hi"},
                "i": {"jobInputType": "Literal", "value": 5}, "b": {"jobInputType": "Literal", "value": true},
            },
            "outputData": {"score": {
                "jobOutputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/o.csv",
            }},
            "name": "jn", "properties": {"experimentName": "e"},
        }})
    );
    assert_eq!(first.headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(!first.headers.contains_key("azureml-model-deployment"));
    assert_eq!(second.headers["azureml-model-deployment"], "blue");
    let ids = [first, second].map(|seen| seen.headers["repeatability_request-id"].clone());
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_job_is_asked_for_once() {
    let failing = [
        Answer::fault(Fault::Reset),
        Answer::fault(Fault::Truncated),
        Answer::error(500, "X", "x"),
    ];
    for answer in failing {
        let server = Server::start().await;
        server.on("GET", "/batchEndpoints/nightly", endpoint(&server));
        server.enqueue("POST", "/nightly/jobs", answer);
        let client = client(&server);
        let uri = "azureml://datastores/x/paths/y/";
        let invoked =
            client.batch_endpoints().invoke("nightly", &BatchInvocation::folder(uri)).await;
        assert!(matches!(invoked, Err(Error::Transport { .. } | Error::Service(_))), "{invoked:?}");
        server.check();
        assert_eq!(server.seen().len(), 2);
    }
    // Asked to come back, it does: nothing has begun.
    let server = Server::start().await;
    server.on("GET", "/batchEndpoints/nightly", endpoint(&server));
    server.enqueue(
        "POST",
        "/nightly/jobs",
        Answer::error(429, "Busy", "later").header("Retry-After", "0"),
    );
    server.enqueue("POST", "/nightly/jobs", Answer::json(201, json!({"name": "j"})));
    let uri = "azureml://datastores/x/paths/y/";
    let invoked =
        client(&server).batch_endpoints().invoke("nightly", &BatchInvocation::file(uri)).await;
    assert_eq!(invoked.unwrap(), "j");
    server.check();
}

#[tokio::test]
async fn no_token_goes_where_it_can_be_read() {
    let server = Server::start().await;
    let properties = json!({"scoringUri": "http://nightly.example.org/jobs"});
    server.on(
        "GET",
        "/batchEndpoints/nightly",
        Answer::json(200, json!({"name": "nightly", "properties": properties})),
    );
    let uri = "azureml://datastores/x/paths/y/";
    let error =
        client(&server).batch_endpoints().invoke("nightly", &BatchInvocation::file(uri)).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "no token is sent to nightly.example.org/jobs: it is neither https nor this machine"
    );
    server.on(
        "GET",
        "/batchEndpoints/nightly",
        Answer::json(200, json!({"name": "nightly", "properties": {}})),
    );
    let error =
        client(&server).batch_endpoints().invoke("nightly", &BatchInvocation::file(uri)).await;
    assert_eq!(error.unwrap_err().to_string(), "GET batch endpoint nightly: it has no scoringUri");
}
