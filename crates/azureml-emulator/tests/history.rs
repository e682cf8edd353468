//! Run history, request by request, by both doors.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{fs, time::Duration};

use reqwest::{Certificate, Method, Proxy};
use serde_json::{Value, json};
use support::{Local, Reply, local, send};

const HISTORY: &str = "https://ml.azure.com";

struct History {
    local: Local,
    token: String,
    _folder: tempfile::TempDir,
}

impl History {
    async fn new() -> Self {
        let (folder, local) = local().await;
        let token = local.sign_in(HISTORY).await;
        Self { local, token, _folder: folder }
    }

    async fn submit(&self, name: &str, properties: Value) {
        let id = self.local.id(&format!("/jobs/{name}"));
        let reply = self.local.put(&id, &json!({"properties": properties})).await;
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
    }

    async fn command(&self, name: &str, command: &str) {
        let environment = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
        self.submit(
            name,
            json!({"jobType": "Command", "experimentName": "tests", "command": command, "environmentId": environment,
                "outputs": {"text": {"jobOutputType": "uri_file"}, "model": {"jobOutputType": "custom_model"}}}),
        )
        .await;
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let (service, rest) = path.split_once(':').unwrap_or(("history", path));
        let separator = if rest.contains('?') { '&' } else { '?' };
        let scope = self.local.id("");
        let url = format!(
            "{}/{service}/v1.0{scope}/{rest}{separator}api-version=v1.0",
            self.local.base()
        );
        let mut request = self.local.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        send(request).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// The details of a run that has ended.
    async fn ended(&self, run: &str) -> Value {
        loop {
            let details = self.get(&format!("runs/{run}/details")).await.expect(200).body;
            if ["Completed", "Failed", "Canceled"].iter().any(|end| details["status"] == *end) {
                return details;
            }
            // What operations take here passes; commands take what they take.
            self.local.wait();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_run_is_told_of_with_its_logs_and_outputs() {
    let history = History::new().await;
    let command = "echo 'a line'; mkdir logs; echo more > 'logs/ä b.txt'; echo text > ${{outputs.text}}; echo m > ${{outputs.model}}/m";
    history.command("run1", command).await;
    let details = history.ended("run1").await;
    assert_eq!(details["status"], "Completed", "{details}");
    assert_eq!((&details["runId"], &details["rootRunId"]), (&json!("run1"), &json!("run1")));
    assert!(details["startTimeUtc"].as_str() <= details["endTimeUtc"].as_str(), "{details}");
    assert_eq!(details["error"], Value::Null);

    let logs = details["logFiles"].as_object().unwrap();
    let names: Vec<&String> = logs.keys().collect();
    assert_eq!(
        names,
        ["logs/ä b.txt", "system_logs/lifecycler/lifecycler.log", "user_logs/std_log.txt"]
    );
    let client = &history.local.client;
    for (name, text) in [("user_logs/std_log.txt", "a line\n"), ("logs/ä b.txt", "more\n")] {
        let url = logs[name].as_str().unwrap();
        assert_eq!(send(client.get(url)).await.expect(200).body, text, "{url}");
        // To be read alone, and no other blob by it.
        let written = client.put(url).header("x-ms-blob-type", "BlockBlob").body("x");
        send(written).await.expect(403);
        let other = url.replace("std_log", "other").replace("b.txt", "c.txt");
        send(client.get(other)).await.expect(403);
    }
    let url = logs["user_logs/std_log.txt"].as_str().unwrap();
    history.local.clock.advance(Duration::from_secs(2 * 3600));
    send(client.get(url)).await.expect(403);

    let token = history.local.sign_in(HISTORY).await;
    let history = History { token, ..history };
    let data = json!({"runId": "run1", "selectRunMetadata": true});
    let metadata = history.post("rundata", &data).await.expect(200).body["runMetadata"].take();
    assert_eq!(
        (&metadata["experimentId"], &metadata["displayName"]),
        (&json!("tests"), &json!("run1"))
    );
    assert_eq!(metadata, history.get("runs/run1").await.expect(200).body);
    assert_eq!(metadata["outputs"]["text"]["type"], "uri_file");
    assert_eq!(metadata["outputs"]["model"]["type"], "CustomModel");
    let id = |name: &str| metadata["outputs"][name]["assetId"].as_str().unwrap();
    for (service, output, field) in
        [("data:dataversion", "text", "uri"), ("modelregistry:models", "model", "path")]
    {
        let path = format!("{service}/batchGetResolvedUris");
        let ids = json!({"values": [id(output), "azureml://locations/x/nothing", "", id("text"), id("model")]});
        let values = history.post(&path, &ids).await.expect(200).body["values"].take();
        assert_eq!(values.as_object().unwrap().len(), 1, "{values}");
        let uri = values[id(output)][field].as_str().unwrap();
        assert!(
            uri.starts_with("azureml://") && uri.contains("/datastores/workspaceblobstore/paths/"),
            "{uri}"
        );
        assert!(uri.contains("run1") && uri.contains(output), "{uri}");
        history.post(&path, &json!({"values": "x"})).await.expect(400);
    }
}

#[tokio::test]
async fn by_azures_names_the_addresses_are_azures() {
    let history = History::new().await;
    history.command("run1", "echo 'a line'; exit 4").await;
    let details = history.ended("run1").await;
    assert_eq!(details["error"]["error"]["code"], "UserError", "{details}");
    let message = details["error"]["error"]["message"].as_str().unwrap();
    assert!(message.contains("status code 4") && message.ends_with("a line"), "{message}");

    let local = &history.local;
    let ca = Certificate::from_pem(&fs::read(local.emulator.ca_path()).unwrap()).unwrap();
    let proxy = Proxy::https(local.variable("HTTPS_PROXY")).unwrap();
    let azure = reqwest::Client::builder().tls_certs_only([ca]).proxy(proxy).build().unwrap();
    let base = "https://westeurope.api.azureml.ms";
    let found = send(azure.get(format!("{base}/discovery"))).await.expect(200);
    assert_eq!(found.body["api"], base);
    let url = format!("{base}/history/v1.0{}/runs/run1/details", local.id(""));
    let details = send(azure.get(url).bearer_auth(&history.token)).await.expect(200).body;
    let url = details["logFiles"]["user_logs/std_log.txt"].as_str().unwrap();
    assert!(
        url.starts_with("https://spinneystorage.blob.core.windows.net/azureml-artifacts-"),
        "{url}"
    );
    assert_eq!(send(azure.get(url)).await.expect(200).body, "a line\n");
}

#[tokio::test]
async fn what_may_be_changed_is() {
    let history = History::new().await;
    history.command("run1", "true").await;
    history.ended("run1").await;
    let change = |path: &'static str, body: Value| {
        let history = &history;
        async move { history.ask(Method::PATCH, path, Some(&body)).await }
    };
    let body = json!({"displayName": "new", "description": "words", "tags": {"a": "1"}, "hidden": true, "runType": null});
    let run = change("experiments/tests/runs/run1", body).await.expect(200).body;
    assert_eq!((&run["displayName"], &run["hidden"]), (&json!("new"), &json!(true)));
    let run =
        change("runs/run1", json!({"tags": {"b": "2"}, "hidden": false})).await.expect(200).body;
    assert_eq!(run["tags"], json!({"a": "1", "b": "2"}));
    let job = history.local.get(&history.local.id("/jobs/run1")).await.expect(200).body;
    assert_eq!(job["properties"]["tags"], json!({"a": "1", "b": "2"}));
    assert_eq!(job["properties"]["description"], "words");
    assert_eq!(job["properties"]["isArchived"], false);

    change("experiments/other/runs/run1", json!({})).await.expect(404);
    change("runs/none", json!({})).await.expect(404);
    for body in
        [json!([]), json!({"tags": {"a": 1}}), json!({"hidden": "yes"}), json!({"displayName": {}})]
    {
        change("runs/run1", body).await.expect(400);
    }
    let refused = change("runs/run1", json!({"status": "Completed"})).await.expect(501);
    assert_eq!(refused.code(), "NotImplementedInEmulator");
}

#[tokio::test]
async fn history_is_for_who_has_a_token_for_it() {
    let history = History::new().await;
    history.command("run1", "true").await;
    let local = &history.local;
    let url = format!("{}/history/v1.0{}/runs/run1", local.base(), local.id(""));
    assert_eq!(send(local.client.get(&url)).await.expect(401).code(), "AuthenticationFailed");
    for (resource, status) in [
        (HISTORY, 200),
        ("https://ml.azure.test", 200),
        ("https://management.azure.com", 200),
        ("https://storage.azure.com", 401),
        ("https://ml.azure.com.example.org", 401),
    ] {
        let token = local.sign_in(resource).await;
        let reply = send(local.client.get(&url).bearer_auth(token)).await;
        assert_eq!(reply.status, status, "{resource}: {reply:?}");
    }
    send(local.client.get(&url).bearer_auth("a.b.c")).await.expect(401);
}

#[tokio::test]
async fn nothing_that_is_asked_breaks_it() {
    let history = History::new().await;
    history.command("run1", "true").await;
    for (path, status) in [
        ("runs/none/details", 404),
        ("runs/run1/children?$top=x", 400),
        ("runs/run1/children?$filter=a", 501),
        ("runs/run1/children?$continuationtoken=99999999999", 200),
        ("runs/run1/metrics", 501),
        ("experiments/none/runs/run1", 404),
        ("experiments", 501),
        ("", 501),
        ("data:runs/run1", 501),
        ("runs/..%2f..%2fcomputes%2fx/details", 404),
        ("runs/%00/details", 404),
    ] {
        let reply = history.get(path).await;
        assert_eq!(reply.status, status, "{path}: {reply:?}");
    }
    assert_eq!(
        history.get("runs/run1/serviceinstances/0").await.expect(200).body,
        json!({"instances": {}})
    );
    assert_eq!(history.get("runs/run1/children").await.expect(200).body, json!({"value": []}));
    history.post("rundata", &json!({"runId": 5})).await.expect(400);
    history.post("rundata", &json!(null)).await.expect(400);
    let base = history.local.base();
    for (path, status) in [
        ("/history", 501),
        ("/history/v2.0/a", 501),
        ("/history/v1.0/subscriptions/a/b/c/d/e/f/g/runs/x", 404),
    ] {
        let request = history.local.client.get(format!("{base}{path}")).bearer_auth(&history.token);
        assert_eq!(send(request).await.status, status, "{path}");
    }
}
