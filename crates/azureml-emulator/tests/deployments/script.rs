//! Scoring scripts under the official inference server, of a Python that has it.

use std::{env, path::Path};

use serde_json::json;
use spinney_azureml_emulator::Emulator;

use crate::site::{Site, blue, with_container};

const SCORE: &str = r#"
import json, os

def init():
    global factor
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "factor.json")) as file:
        factor = json.load(file)
    print("loaded the factor", factor)

def run(body):
    data = json.loads(body)["data"]
    if data == "wrong":
        raise ValueError("wrong")
    return [number * factor for number in data]
"#;

const BROKEN: &str = r#"
def init():
    raise RuntimeError("no model")

def run(body):
    return body
"#;

async fn with_code(site: &Site, score: &'static str) -> serde_json::Value {
    site.upload("codes/one/score.py", score).await;
    site.upload("models/factor.json", "3").await;
    let (container, _) = site.local.container().await;
    let code = site.local.id("/codes/one/versions/1");
    let uri = json!({"properties": {"codeUri": format!("{container}/codes/one")}});
    site.local.put(&code, &uri).await.expect(201);
    let uri = "azureml://datastores/workspaceblobstore/paths/models/factor.json";
    site.local.register("factor", "1", uri).await.expect(201);
    let mut body = blue();
    body["properties"]["model"] = json!("azureml:factor:1");
    body["properties"]["environmentId"] =
        json!("azureml://registries/azureml/environments/sklearn-1.5/labels/latest");
    body["properties"]["codeConfiguration"] = json!({"codeId": code, "scoringScript": "score.py"});
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_python_that_has_the_server_it_is_said_what_is_missing() {
    let site = Site::by(with_container).await;
    let body = with_code(&site, SCORE).await;
    let ended = site.deploy("blue", &body).await;
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(message.contains("--python PATH"), "{message}");
    site.local.emulator.shutdown().await;
    // This is no Python at all.
    let site = Site::by(|folder: &Path| Emulator::builder(folder).python("/bin/false")).await;
    let body = with_code(&site, SCORE).await;
    let ended = site.deploy("blue", &body).await;
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(message.contains("pip install azureml-inference-server-http"), "{message}");
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Python with azureml-inference-server-http in SPINNEY_INFERENCE_PYTHON"]
async fn a_script_scores_under_the_official_server() {
    let python = env::var_os("SPINNEY_INFERENCE_PYTHON").unwrap_or_else(|| {
        panic!("SPINNEY_INFERENCE_PYTHON names a Python with azureml-inference-server-http")
    });
    let site = Site::by(|folder: &Path| Emulator::builder(folder).python(&python)).await;
    let body = with_code(&site, SCORE).await;
    site.deployed("blue", &body).await;
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let reply = site.score(&json!({"data": [1, 2.5]})).await.expect(200);
    assert_eq!(reply.body, json!([3, 7.5]));
    assert_eq!(reply.header("x-ms-run-function-failed"), "False");
    let reply = site.score(&json!({"data": "wrong"})).await.expect(424);
    assert_eq!(reply.header("ms-azureml-model-error-statuscode"), "500");
    let log = site.log("blue").await;
    assert!(log.contains("loaded the factor 3") && log.contains("ValueError: wrong"), "{log}");
    // It listens for this machine alone, which is not its own choice.
    assert!(log.contains("Listening at: http://127.0.0.1:"), "{log}");

    let mut broken = body.clone();
    site.upload("codes/two/score.py", BROKEN).await;
    let (container, _) = site.local.container().await;
    let code = site.local.id("/codes/two/versions/1");
    let uri = json!({"properties": {"codeUri": format!("{container}/codes/two")}});
    site.local.put(&code, &uri).await.expect(201);
    broken["properties"]["codeConfiguration"]["codeId"] = json!(code);
    let ended = site.deploy("green", &broken).await;
    assert_eq!(ended["status"], "Failed");
    assert!(ended["error"]["message"].as_str().unwrap().contains("no model"), "{ended}");
    site.local.emulator.shutdown().await;
}
