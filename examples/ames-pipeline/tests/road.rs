//! The whole road against the emulator: the numbers of one process, and nothing left in the end.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The program in a folder that is its temporary one too, to see what it leaves there.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ames-pipeline"));
    command.current_dir(folder).env("TMPDIR", folder.join("tmp"));
    for name in ["HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "MSI_ENDPOINT", "AZURE_CLIENT_ID"] {
        command.env_remove(name);
    }
    fs::create_dir_all(folder.join("tmp")).unwrap();
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json_file(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Whether anything that was started from a folder runs still.
fn runs_from(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = text(&fs::read(entry.ok()?.path().join("cmdline")).ok()?);
        line.contains(folder.to_str()?).then_some(line)
    });
    processes.collect()
}

#[track_caller]
fn left_nothing(folder: &Path) {
    let left: Vec<_> =
        fs::read_dir(folder.join("tmp")).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(runs_from(&folder.join("tmp")), Vec::<String>::new());
    }
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let (printed, complaint) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}\n{complaint}");
    printed
}

#[test]
fn the_road_ends_where_one_process_ends_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let args = ["--report", "road.json", "--html", "page/report.html"];
    let printed = succeeded(&program(folder).args(args).output().unwrap());
    for expected in [
        "[1/9] workspace  mlops-ws in an emulator on 127.0.0.1:",
        "[2/9] data       ames-housing-raw:1 of ",
        "[3/9] compute    cluster ames-cluster: 0 to 1 x Standard_DS3_v2, identity ames-pipeline",
        "environment ames-pipeline-serving:1",
        "[6/9] model      ames-housing-model:1",
        "traffic: blue 100 %",
        "{\"predictions\":[210830.93,232084.33666666667]} from blue",
        "deleted cluster ames-cluster",
        "nothing billable is left",
    ] {
        assert!(printed.contains(expected), "{expected} is not in {printed}");
    }
    left_nothing(folder);

    let one = ["run", "--bundle", "one.bundle", "--report", "one.json"];
    succeeded(&program(folder).args(one).output().unwrap());
    let (road, one) = (json_file(folder.join("road.json")), json_file(folder.join("one.json")));
    assert_eq!(road["metrics"], one["metrics"]);
    assert_eq!(road["predictions_test"], one["predictions_test"]);
    assert_eq!(road["endpoint_answer"], one["endpoint_answer"]);
    for metric in ["r2", "mae", "rmse"] {
        let tag: f64 = road["model"]["tags"][metric].as_str().unwrap().parse().unwrap();
        assert_eq!(Some(tag), one["metrics"][metric].as_f64(), "{metric}");
    }
    let steps = road["steps"].as_object().unwrap();
    assert_eq!(steps.len(), 8, "{steps:?}");
    assert!(steps.values().all(|status| status == "Completed"), "{steps:?}");
    let page = fs::read_to_string(folder.join("page/report.html")).unwrap();
    assert!(page.contains("<dd>$18,123</dd>"));
    assert!(page.contains(road["model"]["fingerprint"].as_str().unwrap()));
}

/// What a step complains of reaches whoever walks the road, and everything is taken away all the same.
#[test]
fn a_step_that_fails_is_heard_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bad.csv"), "LotFrontage,SalePrice\n1,2\n").unwrap();
    let output = program(folder).args(["--data", "bad.csv"]).output().unwrap();
    let (printed, complaint) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success(), "{printed}");
    assert!(printed.contains("bad.csv: column `GrLivArea` is not in the header"), "{printed}");
    assert!(complaint.contains("has ended Failed"), "{complaint}");
    assert!(printed.contains("nothing billable is left"), "{printed}");
    left_nothing(folder);
}

/// Waits until a file has a text in it.
#[track_caller]
fn wait_for(path: &Path, expected: &str) -> String {
    let begun = Instant::now();
    loop {
        let printed = fs::read_to_string(path).unwrap_or_default();
        if printed.contains(expected) {
            return printed;
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "{expected} is not in {printed}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn interrupt(id: u32) {
    assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
}

/// Ends the road, however its test ends.
struct Walking(std::process::Child);

impl Drop for Walking {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn walking(folder: &Path, args: &[&str]) -> Walking {
    let output = fs::File::create(folder.join("printed")).unwrap();
    let command = &mut program(folder);
    Walking(command.args(args).stdout(output).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn an_interrupted_road_is_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut walking = walking(folder, &[]);
    wait_for(&folder.join("printed"), "split ");
    interrupt(walking.0.id());
    assert!(!walking.0.wait().unwrap().success());
    let printed = fs::read_to_string(folder.join("printed")).unwrap();
    assert!(printed.contains("nothing billable is left"), "{printed}");
    left_nothing(folder);
}

/// What is kept can be asked by others, until the interruption.
#[test]
fn what_is_kept_answers_until_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let args = ["--keep", "--endpoint", "kept", "--n-estimators", "5", "--html", "report.html"];
    let mut walking = walking(folder, &args);
    let printed = wait_for(&folder.join("printed"), "AZUREML_ARM_WORKSPACE_NAME=");
    assert!(!printed.contains("clean-up"), "{printed}");
    let variables = printed.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once("='")?;
        Some((name, value.trim_end_matches('\'')))
    });
    // A stage of the pipeline does as a client from outside.
    fs::write(folder.join("request.json"), "[{\"a\": 1}]").unwrap();
    let mut stage = program(folder);
    stage.args(["test", "--endpoint_name", "kept", "--example_payload", "request.json"]);
    let output = stage.envs(variables).output().unwrap();
    let complaint = text(&output.stderr);
    // The model wants other columns, and the endpoint's answer says so: it is there.
    assert!(!output.status.success() && complaint.contains("LotFrontage"), "{complaint}");
    interrupt(walking.0.id());
    assert!(walking.0.wait().unwrap().success());
    left_nothing(folder);
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let args = ["--dry-run", "--endpoint", "prices", "--data", "none.csv", "--n-estimators", "7"];
    let printed = succeeded(&program(folder).args(args).output().unwrap());
    for expected in [
        " 1. workspace  an emulator in this process",
        " 2. data       register none.csv as ames-housing-raw",
        "cluster ames-cluster: 0 to 1 x Standard_DS3_v2",
        "train (7 trees, seed 42), evaluate, tag, deploy, test",
        " 7. endpoint   prices, made by deploy: blue with all the traffic on 1 x Standard_D2as_v4",
        " 9. clean-up   delete the endpoint, the cluster and the identity",
    ] {
        assert!(printed.contains(expected), "{expected} is not in {printed}");
    }
    let args = ["--dry-run", "--keep", "--target", "azure", "--config", "mine/config.json"];
    let printed = succeeded(&program(folder).args(args).output().unwrap());
    assert!(
        printed.contains("the workspace of mine/config.json: machines cost money"),
        "{printed}"
    );
    assert!(printed.contains(" 9. clean-up   none"), "{printed}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    left_nothing(folder);
}

#[test]
fn what_cannot_be_walked_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("script"), "#!/bin/sh\n").unwrap();
    for (args, expected) in [
        (
            &["--target", "azure", "--binary", "script"][..],
            "script would not run on Azure's machines",
        ),
        (&["--target", "azure", "--binary", "none"], "could not read none"),
        (&["--binary", "none"], "could not take none"),
        (&["--data", "none.csv"], "none.csv"),
        (&["--test-size", "half"], "invalid value 'half'"),
        (&["--target", "moon"], "invalid value 'moon'"),
        (&["--keep", "run"], "cannot be used with"),
    ] {
        let output = program(folder).args(args).output().unwrap();
        let complaint = text(&output.stderr);
        assert!(!output.status.success() && complaint.contains(expected), "{args:?}: {complaint}");
        left_nothing(folder);
    }
}
