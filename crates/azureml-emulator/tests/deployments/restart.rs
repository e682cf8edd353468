use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{
    site::{Site, blue, until, with_container, with_runtime},
    support::{Local, Worker, send},
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

/// The program, which dies with the test.
struct Program(Child);

impl Program {
    fn start(state: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spinney-azureml-emulator"));
        command.arg("--state").arg(state).args(["--port", "0", "--proxy-port", "0"]);
        let mut program = Self(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        program
    }

    /// As by `kill -9`.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processes that run with a state's folder in their environment, as the emulator's programs do.
#[cfg(target_os = "linux")]
fn programs_of(state: &Path) -> Vec<String> {
    let mark = format!("SPINNEY_EMULATOR_STATE={}\0", state.canonicalize().unwrap().display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&mark)
        })
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_is_killed_leaves_nothing_running_that_the_next_does_not_end() {
    let site = Site::by(with_runtime).await;
    let (state, id) = (site.state(), "/onlineEndpoints/houses/deployments/blue");
    site.set_traffic(json!({})).await.expect(200);
    site.local.emulator.shutdown().await;
    let mut program = Program::start(&state);
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
    let told = Command::new("kill").arg(program.0.id().to_string()).status().unwrap();
    assert!(told.success());
    until("nothing runs", async || programs_of(&state).is_empty()).await;
}
