use std::{fs, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support,
    support::{program::Program, send},
    work::ENVIRONMENT,
};

async fn put(worker: &support::Worker, path: &str, body: &Value) {
    let token = &worker.learning_token;
    let request = worker.arm(Method::PUT, path).header("x-azureml-token", token);
    send(request.body(body.to_string())).await.expect(201);
}

async fn status(worker: &support::Worker) -> Value {
    let job = send(worker.arm(Method::GET, "/jobs/survivor")).await.expect(200);
    job.body["properties"]["status"].clone()
}

async fn wait_for(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..1500 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_goes_on_after_kill_9_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mark = |name: &str| folder.path().join(name);
    let n_lines =
        |name: &str| fs::read_to_string(mark(name)).map_or(0, |text| text.lines().count());
    let mut program = Program::start(&state);
    let mut worker = support::Worker::new(&state).await;
    // The first leaves a mark and ends; the second leaves one, and ends only when it may.
    let first = format!("echo ran >> {}; echo 1 > ${{{{outputs.y}}}}", mark("first").display());
    let second = format!(
        "echo $$ >> {}; while [ ! -e {} ]; do sleep 0.02; done; cat ${{{{inputs.x}}}}; echo ended >> {}",
        mark("second").display(),
        mark("go").display(),
        mark("ended").display(),
    );
    for (name, command) in [("first", first), ("second", second)] {
        let spec = json!({
            "type": "command",
            "command": command,
            "environment": ENVIRONMENT,
            "inputs": if name == "second" { json!({"x": {"type": "uri_file"}}) } else { json!({}) },
            "outputs": if name == "first" { json!({"y": {"type": "uri_file"}}) } else { json!({}) },
        });
        let path = format!("/components/{name}/versions/1");
        put(&worker, &path, &json!({"properties": {"componentSpec": spec}})).await;
    }
    let body = json!({"properties": {
        "jobType": "Pipeline",
        "settings": {"default_compute": "serverless"},
        "jobs": {
            "first": {"type": "command", "componentId": "azureml:first:1"},
            "second": {"type": "command", "componentId": "azureml:second:1", "inputs": {
                "x": {"job_input_type": "literal", "value": "${{parent.jobs.first.outputs.y}}"},
            }},
        },
    }});
    put(&worker, "/jobs/survivor", &body).await;
    for n_starts in 1..=3 {
        wait_for("the second step runs", async || n_lines("second") == n_starts).await;
        assert_eq!(status(&worker).await, "Running");
        program.kill();
        let id = fs::read_to_string(mark("second")).unwrap().lines().last().unwrap().to_owned();
        program = Program::start(&state);
        // What ran in a process that was killed is ended by the next.
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        assert!(environment.is_empty(), "{id}");
        worker = support::Worker::new(&state).await;
    }
    wait_for("the second step runs", async || n_lines("second") == 4).await;
    fs::write(mark("go"), "").unwrap();
    wait_for("the pipeline completes", async || status(&worker).await == "Completed").await;
    // What had completed was not run again, and what ran ended once.
    assert_eq!((n_lines("first"), n_lines("ended")), (1, 1));
    drop(program);
}
