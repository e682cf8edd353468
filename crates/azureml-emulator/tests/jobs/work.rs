//! Pipelines of shell commands, and what comes of them.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use spinney_azureml_emulator::Clock;
use tempfile::TempDir;

use crate::support::{Local, Reply, local, send};

pub(crate) const ENVIRONMENT: &str =
    "azureml://registries/azureml/environments/minimal/labels/latest";

/// An emulator, and a folder that commands can leave marks in.
pub(crate) struct Work {
    folder: TempDir,
    pub(crate) local: Local,
    token: String,
    n_components: AtomicUsize,
}

/// A component's id, and the names of its outputs.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    id: String,
    outputs: Vec<String>,
}

impl Work {
    pub(crate) async fn new() -> Self {
        let (folder, local) = local().await;
        let token = local.sign_in("https://ml.azure.com").await;
        Self { folder, local, token, n_components: AtomicUsize::new(0) }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.local.clock
    }

    /// A file outside of the state that commands can reach by its path.
    pub(crate) fn mark(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Registers a command. Ports are `name:type`, optional ones with a question mark at the end.
    pub(crate) async fn component(
        &self,
        command: &str,
        inputs: &[&str],
        outputs: &[&str],
    ) -> Component {
        self.component_with(command, inputs, outputs, json!({})).await
    }

    pub(crate) async fn component_with(
        &self,
        command: &str,
        inputs: &[&str],
        outputs: &[&str],
        more: Value,
    ) -> Component {
        let port = |text: &&str| {
            let (name, kind) = text.split_once(':').unwrap();
            let is_optional = kind.ends_with('?');
            let port = json!({"type": kind.trim_end_matches('?'), "optional": is_optional});
            (name.to_owned(), port)
        };
        let number = self.n_components.fetch_add(1, Ordering::SeqCst);
        let mut spec = json!({
            "type": "command",
            "name": "shell",
            "version": "1",
            "command": command,
            "environment": ENVIRONMENT,
            "is_deterministic": true,
            "inputs": inputs.iter().map(port).collect::<BTreeMap<_, _>>(),
            "outputs": outputs.iter().map(port).collect::<BTreeMap<_, _>>(),
        });
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let id = self.local.id(&format!("/components/shell/versions/{number}"));
        self.local.put(&id, &json!({"properties": {"componentSpec": spec}})).await.expect(201);
        let names = outputs.iter().map(|text| text.split_once(':').unwrap().0.to_owned());
        Component { id, outputs: names.collect() }
    }

    pub(crate) async fn put(&self, name: &str, body: &Value) -> Reply {
        let id = self.local.id(&format!("/jobs/{name}"));
        let request = self.local.request(Method::PUT, &id).body(body.to_string());
        send(request.header("x-azureml-token", &self.token)).await
    }

    /// Submits a pipeline on machines as they are found, unless the settings say otherwise.
    pub(crate) async fn submit(&self, name: &str, pipeline: &Value) -> Value {
        self.put(name, pipeline).await.expect(201).body
    }

    pub(crate) async fn job(&self, name: &str) -> Value {
        self.local.get(&self.local.id(&format!("/jobs/{name}"))).await.expect(200).body
    }

    pub(crate) async fn status(&self, name: &str) -> String {
        self.job(name).await["properties"]["status"].as_str().unwrap().to_owned()
    }

    /// Waits until a job has a status.
    pub(crate) async fn reaches(&self, name: &str, statuses: &[&str]) -> Value {
        for _ in 0..3000 {
            let job = self.job(name).await;
            let status = job["properties"]["status"].as_str().unwrap();
            if statuses.contains(&status) {
                return job;
            }
            let is_over = ["Completed", "Failed", "Canceled"].contains(&status);
            assert!(!is_over, "{status} and not {statuses:?}: {}", self.errors(name));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{name} is {} and not {statuses:?}", self.status(name).await);
    }

    pub(crate) async fn completes(&self, name: &str) -> Value {
        self.reaches(name, &["Completed"]).await
    }

    pub(crate) async fn cancel(&self, name: &str) -> Reply {
        let id = self.local.id(&format!("/jobs/{name}/cancel"));
        self.local.post(&id, &Value::Null).await.expect(202)
    }

    fn rows<T>(&self, query: &str, name: &str, read: fn(&rusqlite::Row<'_>) -> T) -> Vec<T> {
        let state = rusqlite::Connection::open(self.folder.path().join("state.db")).unwrap();
        let mut query = state.prepare(query).unwrap();
        query.query_map([name], |row| Ok(read(row))).unwrap().map(Result::unwrap).collect()
    }

    /// The runs of a pipeline's steps.
    pub(crate) fn steps(&self, name: &str) -> BTreeMap<String, String> {
        let query = "SELECT step, name FROM run WHERE parent LIKE '%/jobs/' || ?1";
        self.rows(query, name, |row| (row.get(0).unwrap(), row.get(1).unwrap()))
            .into_iter()
            .collect()
    }

    fn errors(&self, name: &str) -> String {
        let query = "SELECT name, step, error FROM run WHERE (parent LIKE '%/jobs/' || ?1 OR name = ?1) AND error IS NOT NULL";
        let errors: Vec<(String, Option<String>, String)> = self.rows(query, name, |row| {
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap())
        });
        format!("{errors:?}")
    }

    /// Why a run has failed.
    pub(crate) fn error(&self, name: &str) -> Value {
        let query = "SELECT error FROM run WHERE name = ?1";
        let found: Vec<Option<String>> = self.rows(query, name, |row| row.get(0).unwrap());
        found[0].as_ref().map_or(Value::Null, |error| serde_json::from_str(error).unwrap())
    }

    /// The statuses of a pipeline's steps.
    pub(crate) async fn statuses(&self, name: &str) -> BTreeMap<String, String> {
        let mut statuses = BTreeMap::new();
        for (step, run) in self.steps(name) {
            statuses.insert(step, self.status(&run).await);
        }
        statuses
    }

    /// What is in the file of an output of a step.
    pub(crate) async fn output(&self, pipeline: &str, step: &str, output: &str) -> String {
        let job = self.job(&self.steps(pipeline)[step]).await;
        self.text(job["properties"]["outputs"][output]["uri"].as_str().unwrap()).await
    }

    /// What is in a file of the default datastore.
    pub(crate) async fn text(&self, uri: &str) -> String {
        let (_, path) = uri.split_once("/datastores/workspaceblobstore/paths/").unwrap();
        let (container, sas) = self.local.container().await;
        let url = format!("{container}/{path}?{sas}");
        // The SDK's way through the local door.
        send(self.local.client.get(url)).await.expect(200).body.to_text()
    }

    /// What a pipeline says of its progress.
    pub(crate) async fn log(&self, name: &str) -> String {
        let id = self.local.id("/datastores/workspaceartifactstore");
        let store = self.local.get(&id).await.expect(200).body;
        let container = store["properties"]["containerName"].as_str().unwrap();
        let token = self.local.sign_in("https://storage.azure.com").await;
        let url = format!(
            "{}/devstoreaccount1/{container}/ExperimentRun/dcid.{name}/logs/azureml/executionlogs.txt",
            self.local.base()
        );
        let get = self.local.client.get(url).bearer_auth(token);
        send(get.header("x-ms-version", "2021-12-02")).await.expect(200).body.to_text()
    }

    /// Puts a file into the default datastore.
    pub(crate) async fn upload(&self, path: &str, text: &str) -> String {
        let (container, sas) = self.local.container().await;
        let url = format!("{container}/{path}?{sas}");
        let put = self.local.client.put(url).header("x-ms-blob-type", "BlockBlob");
        send(put.body(text.to_owned())).await.expect(201);
        format!("azureml://datastores/workspaceblobstore/paths/{path}")
    }
}

trait ToText {
    fn to_text(self) -> String;
}

impl ToText for Value {
    fn to_text(self) -> String {
        match self {
            Self::String(text) => text,
            // What looks like JSON was read as such.
            other => other.to_string(),
        }
    }
}

/// A pipeline's body, without a compute.
pub(crate) fn pipeline(inputs: Value, jobs: Value) -> Value {
    let mut body = json!({"properties": {
        "jobType": "Pipeline",
        "displayName": "pipeline",
        "experimentName": "tests",
        "outputs": {},
        "settings": {"default_compute": "serverless"},
    }});
    body["properties"]["inputs"] = inputs;
    body["properties"]["jobs"] = jobs;
    body
}

/// A step, whose inputs are texts with bindings.
pub(crate) fn step(component: &Component, inputs: &[(&str, &str)]) -> Value {
    let inputs: BTreeMap<&str, Value> = inputs
        .iter()
        .map(|(name, value)| (*name, json!({"job_input_type": "literal", "value": value})))
        .collect();
    let outputs: BTreeMap<&str, Value> =
        component.outputs.iter().map(|name| (name.as_str(), json!({}))).collect();
    json!({"type": "command", "componentId": component.id, "inputs": inputs, "outputs": outputs})
}

pub(crate) fn literal(value: &str) -> Value {
    json!({"jobInputType": "literal", "value": value})
}
