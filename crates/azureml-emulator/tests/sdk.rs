//! Azure's own SDK, unchanged, against the emulator: what leads it there are environment variables.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

#[path = "support/azurite.rs"]
mod peer;
mod support;

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, Output},
};

use peer::RunningAzurite;
use spinney_azureml_emulator::{Azurite, Clock, Emulator, EmulatorBuilder, Way};
use support::traffic;
use tokio::runtime::Runtime;

fn start(runtime: &Runtime, folder: &Path) -> Emulator {
    // The SDK asks again after a second at the earliest: what takes three here is over by then.
    let clock = Clock::scaled(10.0).unwrap();
    let builder = Emulator::builder(folder.join("state")).port(0).proxy_port(0).clock(clock);
    start_with(runtime, builder)
}

fn start_with(runtime: &Runtime, builder: EmulatorBuilder) -> Emulator {
    let builder = builder
        .python(clients_python())
        .scoring_program(env!("CARGO_BIN_EXE_spinney-azureml-emulator"), ["serve"]);
    runtime.block_on(traffic::recorded(builder).start()).unwrap()
}

fn clients_python() -> OsString {
    let python = env::var_os("SPINNEY_CLIENTS_PYTHON");
    python.expect("cargo xtask test sets the clients up and says where they are")
}

/// The SDK's Python, in an environment that has nothing but what the emulator says.
fn python(emulator: &Emulator, way: Way) -> Command {
    let mut command = Command::new(clients_python());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy().to_uppercase();
        if text.ends_with("PROXY") || text.starts_with("AZURE") || text.ends_with("BUNDLE") {
            command.env_remove(&name);
        }
    }
    command.envs(emulator.environment().variables(way));
    let bundles = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/bundles/v1");
    command.env("SPINNEY_BUNDLES", bundles);
    command
}

fn drive(python: Command, folder: &Path, login: &str, more: &[&str]) -> String {
    run("drive.py", python, folder, login, more)
}

/// Runs one of the scripts, and says its last line.
fn run(script: &str, mut python: Command, folder: &Path, login: &str, more: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(script);
    let work = folder.join(login);
    std::fs::create_dir(&work).unwrap();
    let Output { status, stdout, stderr } =
        python.arg(script).arg(work).arg(login).args(more).output().unwrap();
    let [out, err] = [&stdout, &stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(status.success(), "{login}: {status}\n{out}\n{err}");
    out.lines().last().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs the official SDK: cargo xtask test"]
fn takes_the_emulator_for_azure_through_the_proxy() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    let folder = folder.path();
    let emulator = start(&runtime, folder);
    let walked = drive(python(&emulator, Way::Proxy), folder, "client-secret", &["whole"]);
    assert!(walked.ends_with(r#"{"login": "client-secret", "walked": true}"#), "{walked}");
    runtime.block_on(emulator.shutdown());
}

#[test]
#[ignore = "needs the official SDK: cargo xtask test"]
fn takes_the_emulator_for_a_cloud_of_its_own() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    let folder = folder.path();
    let emulator = start(&runtime, folder);
    let python = python(&emulator, Way::CloudMetadata);
    let walked = drive(python, folder, "managed-identity", &["whole"]);
    assert!(walked.ends_with(r#"{"login": "managed-identity", "walked": true}"#), "{walked}");
    runtime.block_on(emulator.shutdown());
}

#[cfg(unix)]
#[test]
#[ignore = "needs the official SDK: cargo xtask test"]
fn runs_jobs_in_both_ways() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    for (way, login) in [(Way::Proxy, "client-secret"), (Way::CloudMetadata, "managed-identity")] {
        let folder = folder.path().join(login);
        std::fs::create_dir(&folder).unwrap();
        let emulator = start(&runtime, &folder);
        let ran = run("jobs.py", python(&emulator, way), &folder, login, &[]);
        assert!(ran.ends_with(&format!(r#"{{"login": "{login}", "jobs": true}}"#)), "{ran}");
        runtime.block_on(emulator.shutdown());
    }
}

#[cfg(unix)]
#[test]
#[ignore = "needs the official SDK: cargo xtask test"]
fn scores_batches_in_both_ways() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    for (way, login) in [(Way::Proxy, "client-secret"), (Way::CloudMetadata, "managed-identity")] {
        let folder = folder.path().join(login);
        std::fs::create_dir(&folder).unwrap();
        let emulator = start(&runtime, &folder);
        let scored = run("batch.py", python(&emulator, way), &folder, login, &[]);
        assert!(scored.ends_with(&format!(r#"{{"login": "{login}", "batch": true}}"#)), "{scored}");
        runtime.block_on(emulator.shutdown());
    }
}

#[test]
#[ignore = "needs the official SDK and Azurite: cargo xtask azurite"]
fn sees_no_difference_with_azurite_behind_it() {
    for (way, login) in [(Way::Proxy, "client-secret"), (Way::CloudMetadata, "managed-identity")] {
        let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
        let azurite = RunningAzurite::start();
        let builder = Emulator::builder(folder.path().join("state")).port(0).proxy_port(0);
        let builder = builder.azurite(Azurite::at(&azurite.url()).unwrap());
        let emulator = start_with(&runtime, builder.clock(Clock::scaled(10.0).unwrap()));
        let walked = drive(python(&emulator, way), folder.path(), login, &["whole"]);
        assert!(walked.ends_with(r#""walked": true}"#), "{walked}");
        runtime.block_on(emulator.shutdown());
    }
}

#[test]
#[ignore = "needs the official SDK: cargo xtask test"]
fn signs_in_in_every_way_that_the_emulator_knows() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    let emulator = start(&runtime, folder.path());
    let variables = emulator.environment().variables(Way::Proxy);
    let value = |name: &str| variables.iter().find(|(key, _)| *key == name).unwrap().1.clone();
    let inside = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    };

    drive(python(&emulator, Way::Proxy), &inside("environment"), "default", &[]);
    drive(python(&emulator, Way::CloudMetadata), &inside("compute"), "default", &[]);

    let mut machine = python(&emulator, Way::Proxy);
    machine.env_remove("MSI_ENDPOINT").env_remove("MSI_SECRET").env_remove("AZURE_CLIENT_ID");
    machine.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.environment().imds_url());
    drive(machine, &inside("machine"), "managed-identity", &[]);

    let mut app = python(&emulator, Way::CloudMetadata);
    app.env_remove("MSI_ENDPOINT").env_remove("MSI_SECRET");
    app.env("IDENTITY_ENDPOINT", value("MSI_ENDPOINT")).env("IDENTITY_HEADER", value("MSI_SECRET"));
    drive(app, &inside("app"), "managed-identity", &[]);

    let mut here = python(&emulator, Way::CloudMetadata);
    for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
        here.env(name, value(name));
    }
    drive(here, &inside("here"), "client-secret-here", &[]);

    let mut wrong = python(&emulator, Way::Proxy);
    wrong.env("AZURE_CLIENT_SECRET", "guess");
    let refused = drive(wrong, &inside("wrong"), "wrong-secret", &[]);
    assert!(refused.ends_with(r#"{"login": "wrong-secret", "refused": true}"#), "{refused}");
    runtime.block_on(emulator.shutdown());
}
