//! An emulator of its own for each test, and a client that says every request in full.
#![allow(dead_code, reason = "each test binary uses its share")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

pub(crate) mod ml_client;
pub(crate) mod program;
pub(crate) mod traffic;

use std::{collections::BTreeMap, path::Path, time::Duration};

use reqwest::{Certificate, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use spinney_azureml_emulator::{Clock, Emulator, EmulatorBuilder, Way};
use tempfile::TempDir;

pub(crate) struct Local {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Clock,
    pub(crate) client: reqwest::Client,
    pub(crate) token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    /// Asserts the status, and shows the whole reply if it is another.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

pub(crate) async fn local() -> (TempDir, Local) {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::start(folder.path()).await;
    (folder, local)
}

impl Local {
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::start_by(Emulator::builder(folder)).await
    }

    /// Starts what has been built, at ports that are free.
    pub(crate) async fn start_by(builder: EmulatorBuilder) -> Self {
        Self::start_with(builder, Clock::default()).await
    }

    /// Likewise, by a clock.
    pub(crate) async fn start_with(builder: EmulatorBuilder, clock: Clock) -> Self {
        let builder = builder.port(0).proxy_port(0).clock(clock.clone());
        let emulator = traffic::recorded(builder).start().await.unwrap();
        let client = client(&emulator.ca_path());
        let mut local = Self { emulator, clock, client, token: String::new() };
        local.token = local.sign_in("https://management.azure.com").await;
        local
    }

    pub(crate) fn variable(&self, name: &str) -> String {
        let variables = self.emulator.environment().variables(Way::Proxy);
        variables.into_iter().find(|(key, _)| *key == name).unwrap().1
    }

    pub(crate) fn base(&self) -> String {
        format!("https://localhost:{}", self.emulator.address().port())
    }

    pub(crate) async fn sign_in(&self, resource: &str) -> String {
        let tenant = self.variable("AZURE_TENANT_ID");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.variable("AZURE_CLIENT_ID")),
            ("client_secret", &self.variable("AZURE_CLIENT_SECRET")),
            ("scope", &format!("{resource}/.default")),
        ];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.base());
        let reply = send(self.client.post(url).body(form)).await.expect(200);
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    /// The id of the resource group that there is.
    pub(crate) fn group(&self) -> String {
        format!("/subscriptions/{}/resourceGroups/rg", self.variable("AZUREML_ARM_SUBSCRIPTION"))
    }

    /// The id of something in the workspace that there is.
    pub(crate) fn id(&self, path: &str) -> String {
        format!(
            "{}/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws{path}",
            self.group()
        )
    }

    pub(crate) fn request(&self, method: Method, id: &str) -> RequestBuilder {
        let separator = if id.contains('?') { '&' } else { '?' };
        let url = format!("{}{id}{separator}api-version=2025-12-01", self.base());
        self.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, id: &str) -> Reply {
        send(self.request(Method::GET, id)).await
    }

    pub(crate) async fn put(&self, id: &str, body: &Value) -> Reply {
        send(self.request(Method::PUT, id).body(body.to_string())).await
    }

    pub(crate) async fn post(&self, id: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, id).body(body.to_string())).await
    }

    pub(crate) async fn delete(&self, id: &str) -> Reply {
        send(self.request(Method::DELETE, id)).await
    }

    /// Asks at an address that a reply has given.
    pub(crate) async fn follow(&self, url: &str) -> Reply {
        send(self.client.get(url).bearer_auth(&self.token)).await
    }

    /// Lets pass what every operation takes here.
    pub(crate) fn wait(&self) {
        self.clock.advance(Duration::from_secs(10));
    }

    pub(crate) async fn register(&self, name: &str, version: &str, uri: &str) -> Reply {
        let id = self.id(&format!("/models/{name}/versions/{version}"));
        self.put(&id, &json!({"properties": {"modelUri": uri}})).await
    }

    /// The container of the default datastore, and a signature for it.
    pub(crate) async fn container(&self) -> (String, String) {
        let id = self.id("/datastores/workspaceblobstore");
        let datastore = self.get(&id).await.expect(200);
        let properties = &datastore.body["properties"];
        let container = properties["containerName"].as_str().unwrap();
        let account = properties["accountName"].as_str().unwrap();
        let suffix = properties["endpoint"].as_str().unwrap();
        let wish = json!({"expirableSecret": true, "expireAfterHours": 1});
        let secret = self.post(&format!("{id}/listSecrets"), &wish).await.expect(200);
        let sas = secret.body["sasToken"].as_str().unwrap().to_owned();
        (format!("https://{account}.blob.{suffix}/{container}"), sas)
    }
}

pub(crate) fn client(ca: &Path) -> reqwest::Client {
    let ca = Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
    reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap()
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Reply { status, headers, body }
}

/// A client of an emulator in another process, which signs in with what the state folder says.
pub(crate) struct Worker {
    pub(crate) client: reqwest::Client,
    base: String,
    /// The id of the resource group.
    pub(crate) group: String,
    /// The id of the workspace that there is.
    workspace: String,
    arm_token: String,
    /// For Azure ML itself.
    pub(crate) learning_token: String,
    blob_token: String,
    container: String,
}

impl Worker {
    pub(crate) async fn new(state: &Path) -> Self {
        let environment = spinney_azureml_emulator::Environment::read(state).unwrap();
        let mut variables: BTreeMap<_, _> = environment.variables(Way::Proxy).into_iter().collect();
        variables.extend(environment.variables(Way::CloudMetadata));
        let base =
            variables["ARM_CLOUD_METADATA_URL"].split("/metadata").next().unwrap().to_owned();
        let client = client(&environment.ca_path());
        let sign_in = async |resource: &str| {
            let body = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}&scope={resource}/.default",
                variables["AZURE_CLIENT_ID"], variables["AZURE_CLIENT_SECRET"]
            );
            let url = format!("{base}/{}/oauth2/v2.0/token", variables["AZURE_TENANT_ID"]);
            let reply = send(client.post(url).body(body)).await.expect(200);
            reply.body["access_token"].as_str().unwrap().to_owned()
        };
        let group =
            format!("/subscriptions/{}/resourceGroups/rg", variables["AZUREML_ARM_SUBSCRIPTION"]);
        let workspace =
            format!("{group}/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws");
        let arm_token = sign_in("https://management.azure.com").await;
        let learning_token = sign_in("https://ml.azure.com").await;
        let blob_token = sign_in("https://storage.azure.com").await;
        let container = String::new();
        let mut worker = Self {
            client,
            base,
            group,
            workspace,
            arm_token,
            learning_token,
            blob_token,
            container,
        };
        let store =
            send(worker.arm(Method::GET, "/datastores/workspaceblobstore")).await.expect(200);
        store.body["properties"]["containerName"]
            .as_str()
            .unwrap()
            .clone_into(&mut worker.container);
        worker
    }

    /// A request for something in the workspace that there is.
    pub(crate) fn arm(&self, method: Method, path: &str) -> RequestBuilder {
        self.at(method, &format!("{}{path}", self.workspace))
    }

    /// A request for whatever has this id.
    pub(crate) fn at(&self, method: Method, id: &str) -> RequestBuilder {
        let separator = if id.contains('?') { '&' } else { '?' };
        let url = format!("{}{id}{separator}api-version=2025-12-01", self.base);
        self.client.request(method, url).bearer_auth(&self.arm_token)
    }

    /// A request for a blob of that workspace.
    pub(crate) fn blob(&self, method: Method, name: &str) -> RequestBuilder {
        self.blob_in(&self.container, method, name)
    }

    pub(crate) fn blob_in(&self, container: &str, method: Method, name: &str) -> RequestBuilder {
        let url = format!("{}/devstoreaccount1/{container}/{name}", self.base);
        self.client
            .request(method, url)
            .bearer_auth(&self.blob_token)
            .header("x-ms-blob-type", "BlockBlob")
    }
}
