use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::work::{Work, pipeline, step};

async fn machine(work: &Work, name: &str) -> Value {
    let compute = work.local.get(&work.local.id(&format!("/computes/{name}"))).await.expect(200);
    compute.body["properties"]["properties"].clone()
}

/// Waits until a compute is as it should be.
async fn becomes(work: &Work, name: &str, is_so: impl Fn(&Value) -> bool) {
    for _ in 0..500 {
        if is_so(&machine(work, name).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{}", machine(work, name).await);
}

async fn cluster(work: &Work, max: u64) {
    let body = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2",
        "scaleSettings": {"minNodeCount": 0, "maxNodeCount": max, "nodeIdleTimeBeforeScaleDown": "PT5M"},
    }}});
    work.local.put(&work.local.id("/computes/cluster"), &body).await.expect(201);
    work.local.wait();
}

/// A pipeline of one step that runs on a compute until a file is there.
async fn waiting(work: &Work, name: &str, compute: &str) -> std::path::PathBuf {
    let go = work.mark(name);
    let command = format!("while [ ! -e {} ]; do sleep 0.02; done", go.display());
    let component = work.component(&command, &[], &[]).await;
    let mut body = pipeline(json!({}), json!({"only": step(&component, &[])}));
    body["properties"]["settings"]["default_compute"] =
        json!(work.local.id(&format!("/computes/{compute}")));
    work.submit(name, &body).await;
    go
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_scales_with_its_queue_and_back_to_nothing() {
    let work = Work::new().await;
    cluster(&work, 2).await;
    assert_eq!(machine(&work, "cluster").await["currentNodeCount"], 0);
    let mut marks = Vec::new();
    for name in ["first", "second", "third"] {
        marks.push(waiting(&work, name, "cluster").await);
    }
    becomes(&work, "cluster", |machine| {
        machine["targetNodeCount"] == 2 && machine["allocationState"] == "Resizing"
    })
    .await;
    let steps = ["first", "second", "third"].map(|name| work.steps(name)["only"].clone());
    for step in &steps {
        work.reaches(step, &["Queued"]).await;
    }
    work.local.wait();
    becomes(&work, "cluster", |machine| machine["nodeStateCounts"]["runningNodeCount"] == 2).await;
    assert_eq!(machine(&work, "cluster").await["allocationState"], "Steady");
    for (step, status) in steps.iter().zip(["Running", "Running", "Queued"]) {
        assert_eq!(work.status(step).await, status);
    }
    // A node that has become free takes the next.
    fs::write(&marks[0], "").unwrap();
    work.completes("first").await;
    work.reaches(&steps[2], &["Running"]).await;
    for mark in &marks[1..] {
        fs::write(mark, "").unwrap();
    }
    work.completes("second").await;
    work.completes("third").await;
    becomes(&work, "cluster", |machine| machine["nodeStateCounts"]["idleNodeCount"] == 2).await;
    work.clock().advance(Duration::from_secs(4 * 60));
    assert_eq!(machine(&work, "cluster").await["currentNodeCount"], 2);
    work.clock().advance(Duration::from_secs(60));
    becomes(&work, "cluster", |machine| machine["currentNodeCount"] == 0).await;
    assert_eq!(machine(&work, "cluster").await["targetNodeCount"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_fails_whose_compute_is_deleted_or_never_was() {
    let work = Work::new().await;
    cluster(&work, 1).await;
    waiting(&work, "running", "cluster").await;
    waiting(&work, "queued", "cluster").await;
    work.local.wait();
    work.reaches(&work.steps("running")["only"], &["Running"]).await;
    let delete = work.local.id("/computes/cluster?underlyingResourceAction=Delete");
    work.local.delete(&delete).await.expect(202);
    for name in ["running", "queued"] {
        work.reaches(name, &["Failed"]).await;
        let error = work.error(&work.steps(name)["only"]);
        assert_eq!(error["code"], "ComputeNotFound", "{error}");
    }
    // Beyond the quota: accepted, and fails later.
    let body = json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 26},
    }}});
    work.local.put(&work.local.id("/computes/large"), &body).await.expect(201);
    waiting(&work, "hopeless", "large").await;
    work.local.wait();
    work.reaches("hopeless", &["Failed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_runs_one_job_at_a_time_and_not_while_it_is_stopped() {
    let work = Work::new().await;
    let id = work.local.id("/computes/ci1");
    let body = json!({"location": "westeurope", "properties": {"computeType": "ComputeInstance", "properties": {
        "vmSize": "Standard_DS11_v2", "idleTimeBeforeShutdown": "PT60M",
    }}});
    work.local.put(&id, &body).await.expect(201);
    let first = waiting(&work, "first", "ci1").await;
    let second = waiting(&work, "second", "ci1").await;
    let steps = ["first", "second"].map(|name| work.steps(name)["only"].clone());
    work.reaches(&steps[0], &["Queued"]).await;
    work.local.wait();
    work.reaches(&steps[0], &["Running"]).await;
    assert_eq!(machine(&work, "ci1").await["state"], "JobRunning");
    assert_eq!(work.status(&steps[1]).await, "Queued");
    // It is not idle while a job runs.
    work.clock().advance(Duration::from_secs(50 * 60));
    fs::write(&first, "").unwrap();
    work.completes("first").await;
    work.reaches(&steps[1], &["Running"]).await;
    work.local.post(&format!("{id}/stop"), &Value::Null).await.expect(202);
    work.reaches("second", &["Failed"]).await;
    let error = work.error(&steps[1]);
    assert_eq!(error["code"], "ComputeStopped", "{error}");
    fs::write(&second, "").unwrap();
    work.local.wait();
    waiting(&work, "third", "ci1").await;
    let third = work.steps("third")["only"].clone();
    work.reaches(&third, &["Queued"]).await;
    fs::write(work.mark("third"), "").unwrap();
    work.local.post(&format!("{id}/start"), &Value::Null).await.expect(202);
    work.local.wait();
    work.completes("third").await;
    becomes(&work, "ci1", |machine| machine["state"] == "Running").await;
}
