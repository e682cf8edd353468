//! Deployments of components that are pipelines.

use reqwest::Method;
use serde_json::{Value, json};

use crate::office::{ENVIRONMENT, Office};

/// A pipeline of two steps: numbers of a file are added, and what comes of it is written behind a word.
async fn deploy(office: &Office, settings: Value) {
    let local = &office.local;
    let command = |name: &str, command: &str, inputs: Value| {
        let spec = json!({
            "type": "command", "name": name, "version": "1", "command": command,
            "environment": ENVIRONMENT, "inputs": inputs, "outputs": {"out": {"type": "uri_file"}},
        });
        (
            local.id(&format!("/components/{name}/versions/1")),
            json!({"properties": {"componentSpec": spec}}),
        )
    };
    let (add, body) = command(
        "add",
        "awk '{n += $1} END {print n}' ${{inputs.numbers}} > ${{outputs.out}}",
        json!({"numbers": {"type": "uri_file"}}),
    );
    local.put(&add, &body).await.expect(201);
    let (write, body) = command(
        "write",
        "echo \"${{inputs.word}} $(cat ${{inputs.sum}})\" > ${{outputs.out}}",
        json!({"word": {"type": "string"}, "sum": {"type": "uri_file"}}),
    );
    local.put(&write, &body).await.expect(201);
    let bind = |value: &str| json!({"job_input_type": "literal", "value": value});
    let spec = json!({
        "type": "pipeline", "name": "whole", "version": "1",
        "inputs": {
            "numbers": {"type": "uri_file"},
            "word": {"type": "string", "default": "sum"},
            "times": {"type": "integer", "optional": true},
        },
        "outputs": {"result": {"type": "uri_file"}},
        "jobs": {
            "adding": {"type": "command", "componentId": add, "inputs": {"numbers": bind("${{parent.inputs.numbers}}")}},
            "writing": {
                "type": "command", "componentId": write,
                "inputs": {"word": bind("${{parent.inputs.word}}"), "sum": bind("${{parent.jobs.adding.outputs.out}}")},
                "outputs": {"out": {"type": "literal", "value": "${{parent.outputs.result}}"}},
            },
        },
    });
    let id = local.id("/components/whole/versions/1");
    local.put(&id, &json!({"properties": {"componentSpec": spec}})).await.expect(201);
    let body = json!({"location": "westeurope", "properties": {"deploymentConfiguration": {
        "deploymentConfigurationType": "PipelineComponent",
        "componentId": {"referenceType": "Id", "assetId": id},
        "settings": settings,
        "tags": {"from": "deployment"},
    }}});
    office.made("/batchEndpoints/sums/deployments/pipeline", &body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_run_with_what_is_given() {
    let office = Office::with(None).await;
    let compute = office.local.id("/computes/batch-cluster");
    deploy(&office, json!({"default_compute": compute, "continue_on_step_failure": "false", "force_rerun": "True"})).await;
    let uri = office.upload("in/numbers", "4\n5\n").await;
    let place = "azureml://datastores/workspaceblobstore/paths/results/total.txt";
    let asked = json!({
        "inputData": {
            "numbers": {"jobInputType": "UriFile", "uri": uri},
            "word": {"jobInputType": "Literal", "value": "total"},
        },
        "outputData": {"result": {"jobOutputType": "UriFile", "uri": place}},
        "tags": {"own": "yes"},
    });
    let reply = office.invoke("pipeline", asked).await.expect(201);
    let job = office.ends(reply.body["name"].as_str().unwrap()).await;
    assert_eq!(job["properties"]["status"], "Completed", "{job}");
    assert_eq!(office.file(place).await.as_deref(), Some("total 9\n"));
    assert_eq!(job["properties"]["tags"], json!({"own": "yes", "from": "deployment"}));
    // What the component assumes, where it does not matter.
    let asked = json!({"inputData": {"numbers": {"jobInputType": "UriFile", "uri": uri}}});
    let reply = office.invoke("pipeline", asked).await.expect(201);
    let job = office.ends(reply.body["name"].as_str().unwrap()).await;
    let uri = job["properties"]["outputs"]["result"]["uri"].as_str().unwrap();
    assert_eq!(office.file(uri).await.as_deref(), Some("sum 9\n"));
    let jobs = office.at_endpoint(Method::GET, "/jobs", None, &Value::Null).await.expect(200);
    assert_eq!(jobs.body["value"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_component_does_not_take_is_refused() {
    let office = Office::with(None).await;
    deploy(&office, json!({"default_compute": "batch-cluster"})).await;
    let uri = office.upload("in/numbers", "4\n5\n").await;
    let numbers = json!({"jobInputType": "UriFile", "uri": uri});
    let literal = |value: Value| json!({"jobInputType": "Literal", "value": value});
    for (properties, why) in [
        (json!({}), "the required input inputData.numbers"),
        (json!({"inputData": {"numbers": numbers, "other": numbers}}), "no input other"),
        (json!({"inputData": {"numbers": literal(json!("x"))}}), "must be of type uri_file"),
        (json!({"inputData": {"numbers": numbers, "word": numbers}}), "must be of type string"),
        (json!({"inputData": {"numbers": numbers, "times": literal(json!("many"))}}), "many"),
        (
            json!({"inputData": {"numbers": numbers}, "outputData": {"score": {"jobOutputType": "UriFile"}}}),
            "no output score",
        ),
        (json!({"inputData": {"numbers": numbers}, "miniBatchSize": 3}), "miniBatchSize"),
    ] {
        let reply = office.invoke("pipeline", properties).await.expect(400);
        assert!(reply.message().contains(why), "{why}: {}", reply.message());
    }
}
