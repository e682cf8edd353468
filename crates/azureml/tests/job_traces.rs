//! Jobs and pipelines beside the recorded traffic of Microsoft's SDK: the same methods, paths and bodies but for what is listed here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;
mod notebook;

use std::time::Duration;

use loopback::{Answer, Exchange, Server, TOKEN, compare, step};
use notebook::{Notebook, code_id};
use serde_json::{Value, json};
use spinney_azureml::{Component, JobListView, JobStatus};

const JOB: &str = "witty_picture_4fdvkwf9n6";

/// The SDK marks what its own builders made; Azure does not need it.
fn without_source(body: &mut Value) {
    match body {
        Value::Object(fields) => {
            fields.remove("_source");
            fields.values_mut().for_each(without_source);
        }
        Value::Array(items) => items.iter_mut().for_each(without_source),
        _ => {}
    }
}

/// Meant differences: no `_source`. The component versions are hashes, but other ones; the replies have the recorded ids.
#[tokio::test]
async fn the_notebooks_pipeline_is_the_sdks() {
    let recorded = step("pipeline_submit");
    let components: Vec<&Exchange> =
        recorded.iter().filter(|exchange| exchange.path.contains("/components/")).collect();
    let submitted = recorded.last().unwrap();
    let notebook = Notebook::new(&code_id(&recorded));
    assert_eq!(components.len(), notebook.specs().len());

    let server = Server::start().await;
    for (spec, exchange) in notebook.specs().iter().zip(&components) {
        let version = spec.anonymous_version();
        let path = format!("/components/azureml_anonymous/versions/{version}");
        server.on("PUT", &path, exchange.answer(&server.url));
    }
    server.replay(submitted);

    let client = server.client();
    let mut registered: Vec<Component> = Vec::new();
    for spec in notebook.specs() {
        registered.push(client.components().create_anonymous(spec).await.unwrap());
    }
    let job = notebook.pipeline(JOB, &registered);
    let job = client.jobs().submit(&job).await.unwrap();
    assert_eq!((job.name.as_str(), &job.properties.status), (JOB, &JobStatus::Preparing));
    assert!(job.properties.studio_url().unwrap().starts_with("https://ml.azure.com/runs/"));

    let seen = server.seen();
    for (seen, exchange) in seen.iter().zip(components.iter().chain([&submitted])) {
        let mut expected = exchange.body.clone();
        without_source(&mut expected);
        assert_eq!(seen.json(), expected, "{}", exchange.short());
    }
    let submission = seen.last().unwrap();
    assert_eq!(submission.short(), submitted.short());
    assert_eq!(submission.headers["x-azureml-token"], TOKEN);
    assert_eq!(submission.headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(seen[..7].iter().all(|seen| !seen.headers.contains_key("x-azureml-token")));
    server.check();
}

#[tokio::test]
async fn equal_components_are_one_and_others_are_not() {
    let recorded = step("pipeline_submit");
    let (one, other) = (Notebook::new(&code_id(&recorded)), Notebook::new("azureml:other:1"));
    let versions = |notebook: &Notebook| {
        notebook.specs().iter().map(|spec| spec.anonymous_version()).collect::<Vec<_>>()
    };
    assert_eq!(versions(&one), versions(&one.clone()));
    let mut all: Vec<String> = versions(&one).into_iter().chain(versions(&other)).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 14);
}

#[tokio::test]
async fn get_and_list() {
    let (server, recorded) = Server::replaying("job_get").await;
    let job = server.client().jobs().get(JOB).await.unwrap();
    assert_eq!(job.properties.job_type, "Pipeline");
    assert_eq!(job.properties.display_name.as_deref(), Some("train_and_deploy"));
    assert_eq!(job.properties.other["jobs"].as_object().unwrap().len(), 8);
    compare(&server, 0, &recorded, &[]);
    server.check();

    let (server, recorded) = Server::replaying("job_list").await;
    let jobs = server.client().jobs().list(JobListView::ActiveOnly).collect().await.unwrap();
    assert_eq!(jobs[0].name, JOB);
    compare(&server, 0, &recorded, &[]);
    assert_eq!(server.seen()[0].query("listViewType"), Some("ActiveOnly"));
    server.check();
}

/// A meant difference: the SDK asks for the result's address once more when the operation has succeeded, which has nothing to say.
#[tokio::test]
async fn cancel() {
    let (server, recorded) = Server::replaying("job_cancel").await;
    server.client().jobs().cancel(JOB).await.unwrap();
    compare(&server, 0, &recorded[..3], &[]);
    assert!(recorded[3].path.contains("mfeOperationResults"));
}

/// Meant differences: the SDK reads the job first, which tells nothing here, and not the workspace, which it has read before.
#[tokio::test]
async fn children() {
    let (server, recorded) = Server::replaying("job_children").await;
    let services = step("job_stream");
    services[1..3].iter().for_each(|exchange| server.replay(exchange));
    let client = server.client();
    let children = client.jobs().children(JOB).await.unwrap().collect().await.unwrap();
    assert_eq!(children, []);
    let expected = [services[1].clone(), services[2].clone(), recorded[1].clone()];
    compare(&server, 0, &expected, &[]);

    server.replay(&recorded[1]);
    client.jobs().children(JOB).await.unwrap().collect().await.unwrap();
    assert_eq!(server.seen().len(), 4);
}

/// Meant differences: the SDK reads the job first, for its type; which logs to show is clear from their names. The recorded job had not
/// ended: here it does, so its logs are looked at once more, and only if they have changed.
#[tokio::test]
async fn stream() {
    let (server, recorded) = (Server::start().await, step("job_stream"));
    recorded[1..].iter().for_each(|exchange| server.replay(exchange));
    let details = &recorded[3];
    let mut ended = details.answer(&server.url);
    let mut body: Value = serde_json::from_slice(&ended.body).unwrap();
    body["status"] = json!("Completed");
    ended.body = body.to_string().into();
    server.enqueue("GET", &details.path, ended);
    server.enqueue("GET", &recorded[4].path, Answer::new(304));

    let client = server.client();
    let mut logs = client.jobs().logs(JOB).delays(Duration::ZERO, Duration::ZERO);
    let lines = logs.next().await.unwrap().unwrap();
    assert_eq!(lines.log, "logs/azureml/executionlogs.txt");
    assert_eq!(
        lines.lines,
        [
            "[2026-01-01 12:00:00Z] Submitting 8 runs",
            "[2026-01-01 12:00:05Z] Completing processing"
        ]
    );
    assert_eq!(logs.status(), Some(&JobStatus::Running));
    assert_eq!(logs.next().await.unwrap(), None);
    assert_eq!(logs.status(), Some(&JobStatus::Completed));
    assert!(logs.error().is_none());

    let again = [details, &recorded[4]];
    compare(&server, 0, recorded[1..].iter().chain(again), &[]);
    assert_eq!(server.seen().len(), 6);
    server.check();
}
