//! The road as clients walk it: the notebook's pipeline as the SDK sends it, and one of the project's own client.

use std::{fs, path::Path, sync::Arc, time::Duration};

use reqwest::{Certificate, Proxy};
use serde_json::{Value, json};
use spinney_azureml::{
    AssetType, Component, ComponentInput, ComponentOutput, ComponentSpec,
    ComputeIdentityCredential, JobOutput, JobSpec, JobStatus, MlClient, PipelineJob, WorkspaceId,
};
use spinney_azureml_emulator::{Clock, Emulator, Way};

use crate::work::{ENVIRONMENT, Work};

/// The body that the SDK has sent, and the reply that it has accepted.
fn recorded() -> (Value, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(
        "../../fixtures/azureml/traces/071-pipeline_submit-put-witty_picture_4fdvkwf9n6.json",
    );
    let trace: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    (trace["request"]["body"].clone(), trace["response"]["body"].clone())
}

/// Every key that one has the other has, too.
fn assert_shape(expected: &Value, found: &Value, path: &str) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in expected {
                let found = found.get(name).unwrap_or_else(|| panic!("{path}/{name} is missing"));
                assert_shape(value, found, &format!("{path}/{name}"));
            }
        }
        (Value::Null, _) => {}
        _ => assert_eq!(
            std::mem::discriminant(expected),
            std::mem::discriminant(found),
            "{path}: {expected} and {found}"
        ),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notebooks_pipeline_is_taken_as_the_sdk_sends_it() {
    let work = Work::new().await;
    let (body, reply) = recorded();
    let subscription = work.local.variable("AZUREML_ARM_SUBSCRIPTION");
    let mut body: Value =
        serde_json::from_str(&body.to_string().replace("SUBSCRIPTION-ID", &subscription)).unwrap();
    let cluster = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1},
    }}});
    work.local.put(&work.local.id("/computes/mlops-cluster"), &cluster).await.expect(201);
    let uri = work.upload("ames.csv", "a,b\n1,2\n").await;
    let data = json!({"properties": {"dataType": "uri_file", "dataUri": uri}});
    let id = work.local.id("/data/ames-housing-raw/versions/1");
    work.local.put(&id, &data).await.expect(201);
    // Components with the ports that the steps use, each of which writes all that it has to.
    let jobs = body["properties"]["jobs"].as_object_mut().unwrap();
    for (name, job) in jobs {
        let mut inputs = serde_json::Map::new();
        for (input, given) in job["inputs"].as_object().unwrap() {
            let value = given["value"].as_str().unwrap();
            let is_data = value.contains(".outputs.") || value.contains("dataset_uri");
            let is_model = value.ends_with("model_path}}");
            let kind = if is_model {
                "custom_model"
            } else if is_data {
                "uri_file"
            } else {
                "string"
            };
            inputs.insert(input.clone(), json!({"type": kind}));
        }
        let mut outputs = serde_json::Map::new();
        let mut command = format!("echo {name}");
        for (output, given) in job["outputs"].as_object().into_iter().flatten() {
            outputs.insert(output.clone(), json!({"type": given["job_output_type"]}));
            // A model is a folder, unless its command makes something else of it.
            let file = if given["job_output_type"] == "custom_model" { "/model" } else { "" };
            command += &format!("; echo {output} > ${{{{outputs.{output}}}}}{file}");
        }
        let spec = json!({"type": "command", "command": command, "environment": ENVIRONMENT, "inputs": inputs, "outputs": outputs});
        let id = work.local.id(&format!("/components/azureml_anonymous/versions/{name}"));
        let component = json!({"properties": {"componentSpec": spec, "isAnonymous": true}});
        work.local.put(&id, &component).await.expect(201);
        job["componentId"] = json!(id);
    }
    let taken = work.submit("witty_picture_4fdvkwf9n6", &body).await;
    assert_shape(&reply, &taken, "");
    assert_eq!(taken["properties"]["status"], reply["properties"]["status"]);
    work.local.wait();
    let done = work.completes("witty_picture_4fdvkwf9n6").await;
    assert_shape(&reply, &done, "");
    let model =
        work.local.get(&work.local.id("/models/minimal-model/versions/1")).await.expect(200);
    assert_eq!(model.body["properties"]["modelType"], "custom_model");
}

async fn client(emulator: &Emulator) -> MlClient {
    let variables = emulator.environment().variables(Way::Proxy);
    let named =
        |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let certificate = Certificate::from_pem(&fs::read(emulator.ca_path()).unwrap()).unwrap();
    let proxy = Proxy::https(named("HTTPS_PROXY").unwrap()).unwrap();
    let http = reqwest::Client::builder().add_root_certificate(certificate).proxy(proxy);
    let credential = ComputeIdentityCredential::new(
        &named("MSI_ENDPOINT").unwrap(),
        named("MSI_SECRET").unwrap(),
        None,
        reqwest::Client::builder().no_proxy().build().unwrap(),
    );
    MlClient::builder(WorkspaceId::from_environment(named).unwrap().unwrap())
        .credential(Arc::new(credential.unwrap()))
        .http_client(http.build().unwrap())
        .poll_interval(Duration::from_millis(50))
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_projects_client_submits_a_pipeline_and_gets_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Emulator::builder(folder.path()).port(0).proxy_port(0);
    let emulator = builder.clock(Clock::scaled(100.0).unwrap()).start().await.unwrap();
    let client = client(&emulator).await;
    let write = ComponentSpec::new("write", "echo ${{inputs.n}} > ${{outputs.file}}", ENVIRONMENT)
        .input("n", ComponentInput::string())
        .output("file", ComponentOutput::uri_file());
    let copy = "cp ${{inputs.file}} ${{outputs.model}}";
    let train = ComponentSpec::new("train", copy, ENVIRONMENT)
        .input("file", ComponentInput::uri_file())
        .output("model", ComponentOutput::new(AssetType::CustomModel));
    let write: Component = client.components().create_anonymous(&write).await.unwrap();
    let train: Component = client.components().create_anonymous(&train).await.unwrap();
    let pipeline = PipelineJob::builder("road").default_compute("serverless");
    let n = pipeline.input_literal("n", "seven").unwrap();
    let written = pipeline.step("write", &write).unwrap().bind("n", n).unwrap();
    let step = pipeline.step("train", &train).unwrap();
    let step = step.bind("file", written.output("file").unwrap()).unwrap();
    let settings = JobOutput::new().register_as("road-model");
    pipeline.output("model", &step.output("model").unwrap(), settings).unwrap();
    let job: JobSpec = pipeline.build().unwrap().into();
    let submitted = client.jobs().submit(job).await.unwrap();
    let mut status = submitted.properties.status;
    for _ in 0..1000 {
        if status.is_terminal() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        status = client.jobs().get(&submitted.name).await.unwrap().properties.status;
    }
    assert_eq!(status, JobStatus::Completed);
    let copy = folder.path().join("copy");
    client.models().download("road-model", "1", &copy, &Default::default()).await.unwrap();
    let files = fs::read_dir(&copy).unwrap().map(|file| file.unwrap().path());
    let texts: Vec<String> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    assert_eq!(texts, ["seven\n"]);
    emulator.shutdown().await;
}
