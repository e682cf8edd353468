use std::{env, path::Path, time::Duration};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use spinney_azureml_emulator::{Emulator, EmulatorBuilder};
use tempfile::TempDir;

use crate::{
    container,
    support::{Local, Reply, send},
};

/// The bundle that is deployed.
pub(crate) const BUNDLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/bundles/v1/prices.bundle");

/// An emulator with an endpoint, a model and an environment.
pub(crate) struct Site {
    pub(crate) local: Local,
    pub(crate) folder: TempDir,
}

pub(crate) fn with_container(folder: &Path) -> EmulatorBuilder {
    Emulator::builder(folder).scoring_program(env::current_exe().unwrap(), container::ARGS)
}

/// The program itself, with its runtime.
pub(crate) fn with_runtime(folder: &Path) -> EmulatorBuilder {
    let program = env!("CARGO_BIN_EXE_spinney-azureml-emulator");
    Emulator::builder(folder).scoring_program(program, ["serve"])
}

impl Site {
    /// Whose deployments are the container of these tests.
    pub(crate) async fn new() -> Self {
        Self::by(with_container).await
    }

    pub(crate) async fn by(builder: impl FnOnce(&Path) -> EmulatorBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let local = Local::start_by(builder(&folder.path().join("state"))).await;
        let site = Self { local, folder };
        let body = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
        site.local.put(&site.endpoint(""), &body).await.expect(201);
        site.local.wait();
        site.upload("models/prices.bundle", std::fs::read(BUNDLE).unwrap()).await;
        let uri = "azureml://datastores/workspaceblobstore/paths/models/prices.bundle";
        site.local.register("prices", "1", uri).await.expect(201);
        let image = json!({"properties": {"image": "example.azurecr.io/spinney-scoring:1"}});
        let id = site.local.id("/environments/serving/versions/1");
        site.local.put(&id, &image).await.expect(201);
        site
    }

    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn endpoint(&self, rest: &str) -> String {
        self.local.id(&format!("/onlineEndpoints/houses{rest}"))
    }

    pub(crate) fn deployment(&self, name: &str) -> String {
        self.endpoint(&format!("/deployments/{name}"))
    }

    /// Puts a blob into the default datastore.
    pub(crate) async fn upload(&self, path: &str, content: impl Into<reqwest::Body>) {
        let (container, sas) = self.local.container().await;
        let request = self.local.client.put(format!("{container}/{path}?{sas}"));
        send(request.header("x-ms-blob-type", "BlockBlob").body(content)).await.expect(201);
    }

    /// Waits for an operation that a reply has named, and returns how it ended.
    pub(crate) async fn ended(&self, reply: &Reply) -> Value {
        let url = reply.header("azure-asyncoperation").to_owned();
        assert!(!url.is_empty(), "{reply:?}");
        for _ in 0..600 {
            let status = self.local.follow(&url).await.expect(200).body;
            if status["status"] != "InProgress" {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the operation does not end");
    }

    /// Deploys, and returns how the operation ended.
    pub(crate) async fn deploy(&self, name: &str, body: &Value) -> Value {
        let reply = self.local.put(&self.deployment(name), body).await;
        assert!([200, 201].contains(&reply.status), "{reply:?}");
        self.ended(&reply).await
    }

    /// Deploys what must succeed.
    #[track_caller]
    pub(crate) fn deployed<'a>(
        &'a self,
        name: &'a str,
        body: &'a Value,
    ) -> impl Future<Output = ()> + 'a {
        async move {
            let ended = self.deploy(name, body).await;
            assert_eq!(ended["status"], "Succeeded", "{ended}");
        }
    }

    pub(crate) async fn set_traffic(&self, traffic: Value) -> Reply {
        let mut body = self.local.get(&self.endpoint("")).await.expect(200).body;
        body["properties"]["traffic"] = traffic;
        let reply = self.local.put(&self.endpoint(""), &body).await;
        self.local.wait();
        reply
    }

    pub(crate) async fn keys(&self) -> [String; 2] {
        let id = self.endpoint("/listKeys");
        let keys = self.local.post(&id, &Value::Null).await.expect(200).body;
        ["primaryKey", "secondaryKey"].map(|name| keys[name].as_str().unwrap().to_owned())
    }

    /// A request to the endpoint by this machine's door.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/inference/westeurope/houses{path}", self.local.base());
        self.local.client.request(method, url)
    }

    /// Asks for predictions with the primary key.
    pub(crate) async fn score(&self, body: &Value) -> Reply {
        let [key, _] = self.keys().await;
        send(self.ask(Method::POST, "/score").bearer_auth(key).body(body.to_string())).await
    }

    pub(crate) async fn log(&self, name: &str) -> String {
        let id = format!("{}/getLogs", self.deployment(name));
        let log = self.local.post(&id, &json!({"tail": 1000})).await.expect(200).body;
        log["content"].as_str().unwrap().to_owned()
    }
}

/// A deployment of the model that is asked often, for a short time, while it starts.
pub(crate) fn blue() -> Value {
    json!({"location": "westeurope", "sku": {"name": "Default", "capacity": 1}, "properties": {
        "endpointComputeType": "Managed",
        "instanceType": "Standard_D2as_v4",
        "model": "azureml:prices:1",
        "environmentId": "azureml:serving:1",
        "environmentVariables": {"NAME": "blue"},
        "requestSettings": {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 10},
        "readinessProbe": {"initialDelay": "PT0S", "period": "PT1S", "failureThreshold": 20},
        "livenessProbe": {"initialDelay": "PT0S", "period": "PT1S", "failureThreshold": 3},
    }})
}

/// Likewise, with another name.
pub(crate) fn named(name: &str) -> Value {
    let mut body = blue();
    body["properties"]["environmentVariables"]["NAME"] = json!(name);
    body
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come to pass: {what}");
}
