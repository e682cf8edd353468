//! Starting, stopping and starting again: what a state folder holds, and who may have it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use spinney_azureml_emulator::{Clock, Emulator, Environment, Error, Shell, Way};
use support::Local;

#[tokio::test]
async fn resources_operations_contents_and_secrets_survive() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::start(folder.path()).await;
    local.register("m", "1", "azureml://datastores/d/paths/x").await.expect(201);
    let id = local.id("/onlineEndpoints/abc");
    let body = json!({"location": "westeurope", "properties": {"authMode": "Key"}});
    let made = local.put(&id, &body).await.expect(201);
    let operation = made.header("azure-asyncoperation").to_owned();
    let keys = local.post(&format!("{id}/listKeys"), &Value::Null).await.expect(200).body;
    let (token, ca) = (local.token.clone(), std::fs::read(local.emulator.ca_path()).unwrap());
    let old_base = local.base();
    local.emulator.shutdown().await;

    let mut local = Local::start(folder.path()).await;
    assert_eq!(std::fs::read(local.emulator.ca_path()).unwrap(), ca);
    // Tokens hold as long as they say.
    local.token = token;
    local.get(&local.id("/models/m/versions/1")).await.expect(200);
    let again = local.post(&format!("{id}/listKeys"), &Value::Null).await.expect(200).body;
    assert_eq!(again, keys);
    local.wait();
    let operation = operation.replace(&old_base, &local.base());
    assert_eq!(local.follow(&operation).await.expect(200).body["status"], "Succeeded");
}

#[tokio::test]
async fn a_state_has_one_emulator_and_the_names_of_its_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |location: &str| {
        Emulator::builder(folder.path()).port(0).proxy_port(0).location(location).start()
    };
    let emulator = start("northeurope").await.unwrap();
    assert!(matches!(start("northeurope").await.unwrap_err(), Error::InUse { .. }));
    emulator.shutdown().await;
    let refused = start("westeurope").await.unwrap_err();
    assert!(matches!(refused, Error::InvalidOption { .. }), "{refused}");
    start("northeurope").await.unwrap().shutdown().await;

    let other = tempfile::tempdir().unwrap();
    for builder in [
        Emulator::builder(other.path()).subscription("mine"),
        Emulator::builder(other.path()).workspace("a"),
        Emulator::builder(other.path()).resource_group("a/b"),
        Emulator::builder(other.path()).location("West Europe"),
    ] {
        let refused = builder.port(0).proxy_port(0).start().await.unwrap_err();
        assert!(matches!(refused, Error::InvalidOption { .. }), "{refused}");
    }
    assert!(Clock::scaled(0.0).is_err() && Clock::scaled(f64::NAN).is_err());
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let emulator = Emulator::builder(one.path()).port(0).proxy_port(0).start().await.unwrap();
    let port = emulator.address().port();
    let refused =
        Emulator::builder(other.path()).port(port).proxy_port(0).start().await.unwrap_err();
    assert_eq!(refused.to_string(), format!("listening at 127.0.0.1:{port}"));
}

fn program(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spinney-azureml-emulator"));
    command.arg("--state").arg(state);
    command
}

#[tokio::test]
async fn the_environment_is_printed_for_each_shell_and_way() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).args(["env", "--shell", "posix"]).output().unwrap();
    assert!(!output.status.success());
    let emulator = Emulator::builder(folder.path()).port(0).proxy_port(0).start().await.unwrap();
    // Whether the emulator runs or not.
    for is_running in [true, false] {
        let environment = Environment::read(folder.path()).unwrap();
        for (shell_name, shell) in [("posix", Shell::Posix), ("powershell", Shell::PowerShell)] {
            for (way_name, way) in [("proxy", Way::Proxy), ("cloud-metadata", Way::CloudMetadata)] {
                let args = ["env", "--shell", shell_name, "--way", way_name];
                let output = program(folder.path()).args(args).output().unwrap();
                let printed = String::from_utf8(output.stdout).unwrap();
                assert_eq!(printed, environment.script(way, shell), "{is_running}");
                let start = if shell == Shell::Posix { "export " } else { "$env:" };
                assert!(printed.lines().all(|line| line.starts_with(start)), "{printed}");
            }
        }
        assert!(!format!("{environment:?}").contains("secret"));
    }
    emulator.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_secret() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let emulator = Emulator::builder(&state).port(0).proxy_port(0).start().await.unwrap();
    let mode =
        |name: &str| std::fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for name in ["ca-key.pem", "secrets.json", "state.db", "state.db-wal", "names.json"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!(mode("ca.pem"), 0o644);
    emulator.shutdown().await;
}

/// Contents of any length go through a process that stays small.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_stays_the_same_however_long_a_content_is() {
    use std::io::{BufRead, BufReader};

    use futures_util::{StreamExt, stream};

    const PARTS: usize = 4096;
    const PART: usize = 64 << 10;

    let folder = tempfile::tempdir().unwrap();
    let mut program = program(folder.path());
    program.args(["--port", "0", "--proxy-port", "0"]).stdout(std::process::Stdio::piped());
    let mut program = program.spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "ready"));

    let worker = support::Worker::new(folder.path()).await;
    let parts = stream::iter((0..PARTS).map(|_| Ok::<_, std::io::Error>(vec![7; PART])));
    let put = worker.blob(reqwest::Method::PUT, "long");
    let put = put.header("content-length", (PARTS * PART).to_string());
    support::send(put.body(reqwest::Body::wrap_stream(parts))).await.expect(201);
    let read = worker.blob(reqwest::Method::GET, "long").send().await.unwrap();
    let length = read.bytes_stream().fold(0, async |sum, part| sum + part.unwrap().len()).await;
    assert_eq!(length, PARTS * PART);

    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    // 256 MiB went in and out.
    assert!(peak < 64 << 10, "{peak} KiB");
}
