//! Jobs against a scripted server: submitting, waiting, outputs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use loopback::{Answer, Fault, Server, TOKEN, WORKSPACE};
use serde_json::{Value, json};
use spinney_azureml::{
    AssetType, CommandJob, Error, InputMode, JobInput, JobListView, JobOutput, JobStatus,
};

const ENVIRONMENT: &str = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";

fn job(status: &str) -> Answer {
    Answer::json(
        200,
        json!({"id": "/x/jobs/j", "name": "j", "properties": {"jobType": "Command", "status": status, "tags": null}}),
    )
}

/// Where run history is.
fn with_services(server: &Server) {
    let workspace =
        json!({"name": "w", "properties": {"discoveryUrl": format!("{}/discovery", server.url)}});
    server.on("GET", "", Answer::json(200, workspace));
    server.enqueue("GET", "/discovery", Answer::json(200, json!({"api": server.url})));
}

/// As azure-ai-ml 1.35.2 sends it, but for an empty object `properties` of `resources`, and PT1H for an hour.
#[tokio::test]
async fn a_command_job_is_the_sdks() {
    let server = Server::start().await;
    server.on("PUT", "/jobs/job1", job("Starting"));
    let command =
        CommandJob::new("python t.py ${{inputs.a}} ${{inputs.n}} ${{outputs.o}}", ENVIRONMENT)
            .name("job1")
            .display_name("dd")
            .experiment_name("ex")
            .compute("/subscriptions/x/computes/c")
            .input(
                "a",
                JobInput::uri_file("azureml://datastores/x/paths/y.csv").mode(InputMode::Download),
            )
            .input("n", JobInput::literal(5))
            .input("x", JobInput::literal(0.5))
            .input("t", JobInput::literal(true))
            .output("o", AssetType::UriFolder, JobOutput::new())
            .environment_variable("K", "v")
            .instance_count(2)
            .timeout(Duration::from_secs(3600));
    let submitted = server.client().jobs().submit(&command).await.unwrap();
    assert_eq!(submitted.properties.status, JobStatus::Starting);
    let seen = &server.seen()[0];
    assert_eq!(
        seen.json()["properties"],
        json!({
            "displayName": "dd", "experimentName": "ex", "jobType": "Command", "isArchived": false,
            "command": "python t.py ${{inputs.a}} ${{inputs.n}} ${{outputs.o}}",
            "computeId": "/subscriptions/x/computes/c", "environmentId": ENVIRONMENT, "properties": {}, "tags": {},
            "inputs": {
                "a": {"uri": "azureml://datastores/x/paths/y.csv", "mode": "Download", "jobInputType": "uri_file"},
                "n": {"value": "5", "jobInputType": "literal"}, "x": {"value": "0.5", "jobInputType": "literal"},
                "t": {"value": "True", "jobInputType": "literal"},
            },
            "outputs": {"o": {"jobOutputType": "uri_folder"}},
            "environmentVariables": {"K": "v"}, "resources": {"instanceCount": 2},
            "limits": {"timeout": "PT60M", "jobLimitsType": "Command"},
        })
    );
    assert_eq!(seen.headers["x-azureml-token"], TOKEN);
    server.check();
}

#[tokio::test]
async fn a_job_is_the_same_however_often_it_is_submitted() {
    let server = Server::start().await;
    let command = CommandJob::new("run", ENVIRONMENT).compute("serverless");
    let path = format!("/jobs/{}", command.job_name());
    server.on("PUT", &path, Answer::fault(Fault::Reset)).on("PUT", &path, job("Starting"));
    server.on("PUT", &path, job("Starting"));
    let client = server.client();
    client.jobs().submit(&command).await.unwrap();
    client.jobs().submit(command.clone()).await.unwrap();
    assert!(server.seen()[0].json()["properties"].get("computeId").is_none());
    server.check();

    let error = client.jobs().submit(command.name("a b")).await.unwrap_err();
    assert!(matches!(error, Error::InvalidName { .. }));
    let error = client.jobs().cancel("a b").await.unwrap_err();
    assert!(matches!(error, Error::InvalidName { .. }));
    assert_eq!(server.seen().len(), 3);
}

/// A credential whose tokens tell what they are for and how many there were.
#[derive(Debug, Default)]
struct CountingToken(AtomicUsize);

#[async_trait]
impl TokenCredential for CountingToken {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let expires = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(format!("{number} {}", scopes[0]), expires))
    }
}

#[tokio::test]
async fn a_submission_has_two_tokens_and_both_are_renewed_when_it_is_refused() {
    let server = Server::start().await;
    let command = CommandJob::new("run", ENVIRONMENT).name("j");
    server.on("PUT", "/jobs/j", Answer::error(401, "Unauthorized", "expired"));
    server.on("PUT", "/jobs/j", job("Starting"));
    let client = server.builder().credential(Arc::new(CountingToken::default())).build().unwrap();
    client.jobs().submit(&command).await.unwrap();
    let tokens: Vec<(String, String)> = server
        .seen()
        .iter()
        .map(|seen| {
            (seen.headers["authorization"].clone(), seen.headers["x-azureml-token"].clone())
        })
        .collect();
    let (arm, ml) = ("https://management.azure.com/.default", "https://ml.azure.com/.default");
    let expected = |a, b| (format!("Bearer {a} {arm}"), format!("{b} {ml}"));
    assert_eq!(tokens, [expected(0, 1), expected(2, 3)]);
}

#[tokio::test]
async fn waiting_ends_with_the_job() {
    let server = Server::start().await;
    for status in ["NotStarted", "Queued", "Running", "Running", "Finalizing", "Completed"] {
        server.on("GET", "/jobs/j", job(status));
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&seen);
    let ended = server
        .client()
        .jobs()
        .wait("j")
        .delays(Duration::ZERO, Duration::ZERO)
        .on_status(move |status| report.lock().unwrap().push(status.to_string()))
        .await
        .unwrap();
    assert_eq!(ended.properties.status, JobStatus::Completed);
    let seen = seen.lock().unwrap().join(" ");
    assert_eq!(seen, "NotStarted Queued Running Running Finalizing Completed");
    server.check();
}

#[tokio::test]
async fn a_job_that_does_not_end_well_is_an_error_with_the_reason() {
    let server = Server::start().await;
    with_services(&server);
    server.on("GET", "/jobs/j", job("Failed"));
    let error = json!({"error": {"code": "UserError", "message": "exit code 1"}});
    let details = json!({"status": "Failed", "logFiles": null, "error": error});
    let path = format!("/history/v1.0{WORKSPACE}/runs/j/details");
    server.enqueue("GET", &path, Answer::json(200, details));
    let error = server.client().jobs().wait("j").await.unwrap_err();
    assert_eq!(error.to_string(), "job j: failed, UserError: exit code 1");
    server.check();

    // Run history may have nothing to say, or not answer.
    for (status, details) in [
        ("Canceled", Answer::json(200, json!({"status": "Canceled"}))),
        ("NotResponding", Answer::error(404, "UserError", "no run")),
        ("Failed", Answer::json(200, json!({"status": "Running"}))),
    ] {
        let server = Server::start().await;
        with_services(&server);
        server.on("GET", "/jobs/j", job(status));
        server.enqueue("GET", &path, details);
        let error = server.client().jobs().wait("j").await.unwrap_err();
        let expected = format!("job j: failed, {status}: no reason is given; its logs may tell");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn waiting_has_a_limit_if_it_is_given_one() {
    let server = Server::start().await;
    server.always("GET", "/jobs/j", job("Queued"));
    let wait = server.client().jobs().wait("j").deadline(Duration::from_millis(5));
    let error = wait.delays(Duration::from_millis(1), Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "job j has not ended within 5ms; its status is Queued");
    assert!(matches!(server.client().jobs().wait("a b").await, Err(Error::InvalidName { .. })));
}

#[tokio::test]
async fn words_that_are_new_are_kept() {
    let server = Server::start().await;
    let body = json!({"name": "j", "properties": {"jobType": "FineTuning", "status": "Pondering", "x": 1}});
    server.on("GET", "/jobs/j", Answer::json(200, body.clone()));
    let job = server.client().jobs().get("j").await.unwrap();
    assert_eq!(job.properties.status, JobStatus::Other("Pondering".to_owned()));
    assert!(!job.properties.status.is_terminal());
    let written = serde_json::to_value(&job).unwrap();
    assert_eq!(written["properties"]["status"], "Pondering");
    assert_eq!(written["properties"]["x"], 1);

    for (view, word) in [(JobListView::ArchivedOnly, "ArchivedOnly"), (JobListView::All, "All")] {
        server.on("GET", "/jobs", Answer::json(200, json!({"value": [body.clone()]})));
        assert_eq!(server.client().jobs().list(view).collect().await.unwrap().len(), 1);
        let query = server.seen().last().unwrap().query.clone();
        assert!(query.contains(&("listViewType".to_owned(), word.to_owned())));
    }
}

#[tokio::test]
async fn outputs_that_the_job_names() {
    let server = Server::start().await;
    let outputs = json!({
        "default": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.j"},
        "o": {"jobOutputType": "uri_file", "uri": "azureml://datastores/x/paths/o.csv"},
    });
    let body = json!({"name": "j", "properties": {"jobType": "Command", "status": "Completed", "outputs": outputs}});
    server.on("GET", "/jobs/j", Answer::json(200, body));
    let outputs = server.client().jobs().outputs("j").await.unwrap();
    assert_eq!(outputs["o"], "azureml://datastores/x/paths/o.csv");
    assert_eq!(outputs.len(), 2);
    server.check();
}

#[tokio::test]
async fn outputs_that_only_run_history_knows() {
    let server = Server::start().await;
    with_services(&server);
    let outputs = json!({
        "data": {"jobOutputType": "uri_file", "uri": null}, "model": {"jobOutputType": "custom_model"},
        "none": {"jobOutputType": "uri_file"}, "o": {"jobOutputType": "uri_file", "uri": "azureml://own"},
    });
    let body = json!({"name": "j", "properties": {"jobType": "Command", "status": "Completed", "outputs": outputs}});
    server.on("GET", "/jobs/j", Answer::json(200, body));
    let metadata = json!({"outputs": {
        "data": {"assetId": "azureml://data/1", "type": "UriFile"},
        "model": {"assetId": "azureml://model/1", "type": "CustomModel"},
        "o": {"assetId": "azureml://data/2", "type": "UriFile"},
        "none": {"assetId": "azureml://data/3", "type": "UriFile"},
    }});
    let history = format!("/history/v1.0{WORKSPACE}/rundata");
    // It only reads: what breaks is asked for again.
    server.enqueue("POST", &history, Answer::fault(Fault::Reset));
    server.enqueue("POST", &history, Answer::json(200, json!({"runMetadata": metadata})));
    let data = format!("/data/v1.0{WORKSPACE}/dataversion/batchGetResolvedUris");
    let values = json!({
        "azureml://data/1": {"uri": "azureml://datastores/x/paths/data.csv", "type": "UriFile"},
        "azureml://data/2": {"uri": "azureml://other", "type": "UriFile"},
    });
    server.enqueue("POST", &data, Answer::json(200, json!({"values": values})));
    let models = format!("/modelregistry/v1.0{WORKSPACE}/models/batchGetResolvedUris");
    let values = json!({"azureml://model/1": {"path": "azureml://datastores/x/paths/model"}});
    server.enqueue("POST", &models, Answer::json(200, json!({"values": values})));

    let outputs = server.client().jobs().outputs("j").await.unwrap();
    let outputs: Vec<(&str, &str)> =
        outputs.iter().map(|(name, uri)| (name.as_str(), uri.as_str())).collect();
    assert_eq!(
        outputs,
        [
            ("data", "azureml://datastores/x/paths/data.csv"),
            ("model", "azureml://datastores/x/paths/model"),
            ("o", "azureml://own"),
        ]
    );
    let seen = server.seen();
    let asked =
        |path: &str| -> Value { seen.iter().rev().find(|seen| seen.path == path).unwrap().json() };
    assert_eq!(asked(&history), json!({"runId": "j", "selectRunMetadata": true}));
    let values = ["azureml://data/1", "azureml://data/3", "azureml://data/2"];
    assert_eq!(asked(&data), json!({"values": values}));
    assert_eq!(asked(&models), json!({"values": ["azureml://model/1"]}));
    server.check();
}

#[tokio::test]
async fn components_are_listed_and_read() {
    let server = Server::start().await;
    let client = server.client();
    let container = json!({"name": "prep", "properties": {"latestVersion": "3"}});
    server.on("GET", "/components", Answer::json(200, json!({"value": [container]})));
    let components = client.components().list().collect().await.unwrap();
    assert_eq!(components[0].properties.latest_version.as_deref(), Some("3"));

    let version = json!({
        "id": "/x/components/prep/versions/3", "name": "3",
        "properties": {"componentSpec": {"type": "command", "command": "run"}, "isAnonymous": false},
    });
    server.on("GET", "/components/prep/versions", Answer::json(200, json!({"value": [version]})));
    let versions = client.components().versions("prep").unwrap().collect().await.unwrap();
    assert_eq!(versions[0].segment("components"), Some("prep"));
    server.on("GET", "/components/prep/versions/3", Answer::json(200, version.clone()));
    let read = client.components().get("prep", "3").await.unwrap();
    assert_eq!(read.properties.component_spec["command"], "run");

    server.on("PUT", "/components/prep/versions/1.0", Answer::json(201, version));
    let spec = spinney_azureml::ComponentSpec::new("prep", "run", ENVIRONMENT).description("d");
    let made = client.components().create(&spec, "1.0").await.unwrap();
    assert_eq!(made.id(), "/x/components/prep/versions/3");
    let body = server.seen().last().unwrap().json();
    assert_eq!(body["properties"]["isAnonymous"], false);
    assert_eq!(body["properties"]["componentSpec"]["name"], "prep");
    assert_eq!(body["properties"]["componentSpec"]["version"], "1.0");
    let count = server.seen().len();
    // Full stops alone would be another address.
    for version in ["..", ".", "", "a/b", "1 0"] {
        assert!(client.components().create(&spec, version).await.is_err(), "{version}");
        assert!(client.components().get("prep", version).await.is_err(), "{version}");
    }
    assert!(client.components().get("..", "1").await.is_err());
    assert_eq!(server.seen().len(), count);
    server.check();
}
