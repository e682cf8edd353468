use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use spinney_azureml_emulator::{Clock, Emulator};
use tempfile::TempDir;

use crate::support::{Local, Reply, send};

/// A Python that has pandas, too.
pub(crate) fn python() -> OsString {
    env::var_os("SPINNEY_PEERS_PYTHON").unwrap_or_else(|| panic!("cargo xtask test sets it"))
}

/// For each file its name, and the sum of its numbers times the factor that the model is.
pub(crate) const SUMS: &str = r#"
import os

def init():
    global factor
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "factor.txt")) as file:
        factor = int(file.read())
    print("the factor is", factor)

def run(mini_batch):
    rows = []
    for path in mini_batch:
        with open(path) as file:
            rows.append(f"{os.path.basename(path)} {factor * sum(map(int, file))}")
    return rows
"#;

pub(crate) const ENVIRONMENT: &str =
    "azureml://registries/azureml/environments/minimal/labels/latest";

/// An emulator with a cluster, a model, a batch endpoint `sums`, and a folder that scripts can leave marks in.
pub(crate) struct Office {
    folder: TempDir,
    pub(crate) local: Local,
    pub(crate) token: String,
}

impl Office {
    pub(crate) async fn new() -> Self {
        Self::with(Some(python())).await
    }

    pub(crate) async fn with(python: Option<OsString>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = Emulator::builder(folder.path().join("state"));
        if let Some(python) = python {
            builder = builder.python(python);
        }
        let local = Local::start_with(builder, Clock::scaled(100.0).unwrap()).await;
        let token = local.sign_in("https://ml.azure.com").await;
        let office = Self { folder, local, token };
        let cluster = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
            "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1},
        }}});
        let id = office.local.id("/computes/batch-cluster");
        office.local.put(&id, &cluster).await.expect(201);
        let uri = office.upload("models/factor.txt", "3").await;
        office.local.register("factor", "1", &uri).await.expect(201);
        office.made("/batchEndpoints/sums", &endpoint(json!({}))).await;
        office
    }

    pub(crate) fn mark(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file into the default datastore.
    pub(crate) async fn upload(&self, path: &str, text: &str) -> String {
        let (container, sas) = self.local.container().await;
        let put = self.local.client.put(format!("{container}/{path}?{sas}"));
        let put = put.header("x-ms-blob-type", "BlockBlob").body(text.to_owned());
        send(put).await.expect(201);
        datastore(path)
    }

    /// Puts a resource, and waits until the operation is over.
    pub(crate) async fn made(&self, path: &str, body: &Value) -> Value {
        let id = self.local.id(path);
        let reply = self.local.put(&id, body).await;
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
        for _ in 0..1000 {
            let found = self.local.get(&id).await.expect(200).body;
            match found["properties"]["provisioningState"].as_str() {
                Some("Creating" | "Updating") => {}
                state => {
                    assert_eq!(state, Some("Succeeded"), "{found}");
                    return found;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} was not made");
    }

    /// A deployment of the model with a script, `sums/NAME`. With changes of its properties.
    pub(crate) async fn deploy(&self, name: &str, script: &str, changes: Value) {
        let script = script.replace("{marks}", self.folder.path().to_str().unwrap());
        self.upload(&format!("codes/{name}/score.py"), &script).await;
        let (container, _) = self.local.container().await;
        let id = self.local.id(&format!("/codes/{name}/versions/1"));
        let code = json!({"properties": {"codeUri": format!("{container}/codes/{name}")}});
        self.local.put(&id, &code).await.expect(201);
        let body = self.deployment(name, changes);
        self.made(&format!("/batchEndpoints/sums/deployments/{name}"), &body).await;
    }

    pub(crate) fn deployment(&self, code: &str, changes: Value) -> Value {
        let code = self.local.id(&format!("/codes/{code}/versions/1"));
        let mut body = json!({"location": "westeurope", "properties": {
            "model": {"referenceType": "Id", "assetId": self.local.id("/models/factor/versions/1")},
            "codeConfiguration": {"codeId": code, "scoringScript": "score.py"},
            "environmentId": ENVIRONMENT,
            "compute": self.local.id("/computes/batch-cluster"),
        }});
        merge(&mut body["properties"], changes);
        body
    }

    /// Uploads files of numbers to a folder, and says where it is.
    pub(crate) async fn numbers(&self, folder: &str, files: &[&str]) -> String {
        for (number, file) in files.iter().enumerate() {
            self.upload(&format!("{folder}/{file}"), &format!("{number}\n1\n")).await;
        }
        datastore(folder)
    }

    /// Asks at the endpoint's own address.
    pub(crate) async fn at_endpoint(
        &self,
        method: Method,
        path: &str,
        deployment: Option<&str>,
        body: &Value,
    ) -> Reply {
        let url = format!("{}/inference/westeurope/sums{path}", self.local.base());
        let mut request = self.local.client.request(method, url).bearer_auth(&self.token);
        if let Some(deployment) = deployment {
            request = request.header("azureml-model-deployment", deployment);
        }
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        send(request).await
    }

    pub(crate) async fn invoke(&self, deployment: &str, properties: Value) -> Reply {
        let body = json!({"properties": properties});
        self.at_endpoint(Method::POST, "/jobs", Some(deployment), &body).await
    }

    /// Has a folder scored, and waits for the end. Returns the job.
    pub(crate) async fn score(&self, deployment: &str, folder: &str) -> Value {
        let reply = self.invoke(deployment, folder_input(folder)).await.expect(201);
        self.ends(reply.body["name"].as_str().unwrap()).await
    }

    pub(crate) async fn job(&self, name: &str) -> Value {
        self.local.get(&self.local.id(&format!("/jobs/{name}"))).await.expect(200).body
    }

    pub(crate) async fn ends(&self, name: &str) -> Value {
        for _ in 0..3000 {
            let job = self.job(name).await;
            let status = job["properties"]["status"].as_str().unwrap();
            if ["Completed", "Failed", "Canceled"].contains(&status) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{name} has not ended");
    }

    /// Asks run history.
    async fn history(&self, path: &str) -> Value {
        let scope = self.local.id("");
        let url = format!("{}/history/v1.0{scope}/{path}", self.local.base());
        send(self.local.client.get(url).bearer_auth(&self.token)).await.expect(200).body
    }

    /// The step of a job, as run history has it.
    pub(crate) async fn step(&self, job: &str) -> Value {
        let children = self.history(&format!("runs/{job}/children")).await;
        let [child] = children["value"].as_array().unwrap().as_slice() else {
            panic!("{children}");
        };
        child.clone()
    }

    /// What the step of a job has printed.
    pub(crate) async fn log(&self, job: &str) -> String {
        let step = self.step(job).await;
        let path = format!("runs/{}/details", step["runId"].as_str().unwrap());
        let details = self.history(&path).await;
        let url = details["logFiles"]["user_logs/std_log.txt"].as_str();
        let url = url.unwrap_or_else(|| panic!("{details}"));
        self.text(url).await
    }

    /// Why the step of a job has failed.
    pub(crate) async fn error(&self, job: &Value) -> String {
        assert_eq!(job["properties"]["status"], "Failed", "{job}");
        let step = self.step(job["name"].as_str().unwrap()).await;
        step["error"]["error"]["message"].as_str().unwrap().to_owned()
    }

    async fn text(&self, url: &str) -> String {
        self.local.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// A file of a job's output `score`.
    pub(crate) async fn output(&self, job: &Value, file: &str) -> Option<String> {
        assert_eq!(job["properties"]["status"], "Completed", "{job}");
        let uri = job["properties"]["outputs"]["score"]["uri"].as_str()?;
        self.file(&format!("{uri}/{file}")).await
    }

    /// A file of the default datastore by its address.
    pub(crate) async fn file(&self, uri: &str) -> Option<String> {
        let (_, path) = uri.split_once("/paths/").unwrap();
        let (container, sas) = self.local.container().await;
        let url = format!("{container}/{path}?{sas}");
        let response = self.local.client.get(url).send().await.unwrap();
        let is_there = response.status().is_success();
        let text = response.text().await.unwrap();
        is_there.then_some(text)
    }
}

fn datastore(path: &str) -> String {
    format!("azureml://datastores/workspaceblobstore/paths/{path}")
}

pub(crate) fn endpoint(defaults: Value) -> Value {
    let mut body = json!({"location": "westeurope", "properties": {"authMode": "AADToken"}});
    body["properties"]["defaults"] = defaults;
    body
}

pub(crate) fn folder_input(uri: &str) -> Value {
    json!({"inputData": {"UriFolder": {"jobInputType": "UriFolder", "uri": uri}}})
}

pub(crate) fn merge(into: &mut Value, changes: Value) {
    let Value::Object(changes) = changes else { panic!("{changes} are no fields") };
    for (name, value) in changes {
        into[name] = value;
    }
}

/// Waits until a script has left a mark with something in it.
pub(crate) async fn marked(path: &Path) -> String {
    for _ in 0..3000 {
        if let Ok(text) = std::fs::read_to_string(path)
            && text.ends_with('\n')
        {
            return text.trim().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} is not there", path.display());
}

/// Waits until a process is no more.
pub(crate) async fn is_gone(process: &str) {
    for _ in 0..1000 {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // Behind the name is the state: Z has ended, and only waits for its parent to look.
        if state.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z')) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the process {process} goes on");
}
