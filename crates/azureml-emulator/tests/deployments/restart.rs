use std::{path::Path, process::Command};

use serde_json::json;

use crate::{
    site::{Site, blue, until, with_container, with_runtime},
    support::{
        Local, Worker,
        program::{Program, programs_of},
        send,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn deployments_come_back_with_the_emulator() {
    let mut site = Site::new().await;
    site.deployed("blue", &blue()).await;
    // One that has never worked, beside it, and what was to replace the first.
    let mut broken = blue();
    broken["properties"]["environmentVariables"]["FAIL_AT_START"] = json!("1");
    assert_eq!(site.deploy("blue", &broken).await["status"], "Failed");
    assert_eq!(site.deploy("red", &broken).await["status"], "Failed");
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let before = site.score(&json!({})).await.expect(200).body["process"].as_u64().unwrap();
    let state = site.state();
    let former = site.local.emulator;
    former.shutdown().await;
    assert!(!Path::new(&format!("/proc/{before}")).exists());
    site.local = Local::start_by(with_container(&state)).await;
    until("it answers", async || site.score(&json!({})).await.status == 200).await;
    let made = site.local.get(&site.deployment("red")).await.expect(200).body;
    assert_eq!(made["properties"]["provisioningState"], "Failed");
    assert!(site.log("red").await.contains("not what it should be"));

    // What was under way goes on.
    let begun = site.local.put(&site.deployment("green"), &blue()).await.expect(201);
    let name = begun.body["name"].clone();
    let former = site.local.emulator;
    former.shutdown().await;
    site.local = Local::start_by(with_container(&state)).await;
    until("it is ready", async || {
        let made = site.local.get(&site.deployment("green")).await.expect(200).body;
        assert_eq!(made["name"], name);
        made["properties"]["provisioningState"] == "Succeeded"
    })
    .await;
    site.local.emulator.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_is_killed_leaves_nothing_running_that_the_next_does_not_end() {
    let site = Site::by(with_runtime).await;
    let (state, id) = (site.state(), "/onlineEndpoints/houses/deployments/blue");
    site.set_traffic(json!({})).await.expect(200);
    site.local.emulator.shutdown().await;
    let program = Program::start(&state);
    let worker = Worker::new(&state).await;
    let put = worker.arm(reqwest::Method::PUT, id).body(blue().to_string());
    send(put).await.expect(201);
    until("it is ready", async || {
        let made = send(worker.arm(reqwest::Method::GET, id)).await.expect(200).body;
        made["properties"]["provisioningState"] == "Succeeded"
    })
    .await;
    let before = programs_of(&state);
    assert_eq!(before.len(), 1);
    program.kill();
    // Nobody was told to end it.
    assert_eq!(programs_of(&state), before);
    let program = Program::start(&state);
    until("another runs in its place", async || {
        let now = programs_of(&state);
        now.len() == 1 && now != before
    })
    .await;
    // And told to end, the emulator leaves nothing.
    let told = Command::new("kill").arg(program.id()).status().unwrap();
    assert!(told.success());
    until("nothing runs", async || programs_of(&state).is_empty()).await;
}
