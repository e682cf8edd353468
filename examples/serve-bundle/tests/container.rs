//! What `container/` holds, without an engine for containers: the program as the Dockerfile builds it, in an empty root, and the YAML
//! files as Azure's SDK reads them.
// The image is for such machines alone.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and tells a size"
)]

mod houses;
mod outside;
mod program;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use houses::{houses, predictions, rows};
use outside::{python, script, text};
use program::Program;
use reqwest::blocking::Client;
use serde_json::{Value, json};

/// Where Azure ML mounts a model, seen from inside.
const MODEL_DIR: &str = "/var/azureml-app/azureml-models/houses/1";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("container")
}

/// The Dockerfile's instructions of each stage, with what comes after their name.
fn stages() -> Vec<Vec<(String, String)>> {
    let text = fs::read_to_string(folder().join("Dockerfile")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut stages: Vec<Vec<(String, String)>> = Vec::new();
    for line in lines {
        let (name, rest) = line.split_once(' ').unwrap();
        if name == "FROM" {
            stages.push(Vec::new());
        }
        stages.last_mut().unwrap().push((name.to_owned(), rest.to_owned()));
    }
    stages
}

/// What one stage says with an instruction.
fn said<'a>(stage: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    stage.iter().filter(|(said, _)| said == name).map(|(_, rest)| rest.as_str()).collect()
}

/// The variables that a stage sets.
fn variables(stage: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = said(stage, "ENV").into_iter().map(|text| text.split_once('=').unwrap());
    pairs.map(|(name, value)| (name, value.trim_matches('\''))).collect()
}

/// Builds the program as the Dockerfile does, and returns what its image would hold. That is a build from scratch on a new machine.
fn build(stages: &[Vec<(String, String)>]) -> PathBuf {
    let [build, image] = stages else { panic!("a stage that builds, and the image") };
    // The compiler that all else is tested with.
    let compiler = concat!("rust:", env!("CARGO_PKG_RUST_VERSION"), "-slim AS build");
    assert_eq!(said(build, "FROM"), [compiler]);
    let [command] = said(build, "RUN")[..] else { panic!("one command builds") };
    let [copied] = said(image, "COPY")[..] else { panic!("one file is in the image") };
    let binary = copied
        .strip_prefix("--from=build /workspace/target/")
        .and_then(|copied| copied.strip_suffix(" /serve-bundle"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("static");
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    shell.envs(variables(build)).env("CARGO_TARGET_DIR", &target);
    text(&shell.output().unwrap());
    target.join(binary.unwrap())
}

/// The types of a program's segments, and of its sections: see `elf.h`.
fn types_in_elf(program: &[u8]) -> (Vec<u64>, Vec<u64>) {
    let number = |at: usize, n: usize| {
        program[at..at + n].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    };
    assert_eq!(&program[..6], b"\x7fELF\x02\x01", "64 bits, the lowest byte first");
    let table = |start: usize, size: usize, count: usize, field: usize| {
        let (start, size) = (number(start, 8) as usize, number(size, 2) as usize);
        (0..number(count, 2) as usize).map(|i| number(start + i * size + field, 4)).collect()
    };
    (table(0x20, 0x36, 0x38, 0), table(0x28, 0x3a, 0x3c, 4))
}

/// Starts a command in a root of its own, as the Dockerfile's user. Root may do that; others may in a namespace of their own.
fn in_root(root: &Path, user: &str) -> Command {
    let is_root = text(&Command::new("id").arg("-u").output().unwrap()).trim() == "0";
    let (uid, gid) = user.split_once(':').unwrap();
    let mut command;
    if is_root {
        command = Command::new("chroot");
        command.arg(format!("--userspec={user}")).arg(root);
    } else {
        command = Command::new("unshare");
        command.args(["--user", &format!("--map-user={uid}"), &format!("--map-group={gid}")]);
        command.arg(format!("--root={}", root.display()));
    }
    // It is to need no variable but those of the image; where the two commands are is for this machine.
    command.env_clear().env("PATH", env::var_os("PATH").unwrap());
    command
}

#[test]
#[ignore = "builds the program anew, for minutes: cargo xtask test"]
fn the_program_of_the_image_serves_with_nothing_around_it() {
    let stages = stages();
    let binary = build(&stages);
    let program = fs::read(&binary).unwrap();
    println!("the image's program has {:.1} MB", program.len() as f64 / 1e6);
    const PT_INTERP: u64 = 3;
    const SHT_SYMTAB: u64 = 2;
    let (segments, sections) = types_in_elf(&program);
    assert!(!segments.is_empty() && !segments.contains(&PT_INTERP), "it asks for a loader");
    assert!(!sections.is_empty() && !sections.contains(&SHT_SYMTAB), "it is not stripped");

    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    fs::copy(binary, root.join("serve-bundle")).unwrap();
    let model_dir = root.join(MODEL_DIR.trim_start_matches('/'));
    fs::create_dir_all(&model_dir).unwrap();
    let bundle = houses(1.0);
    bundle.save(model_dir.join("houses.bundle")).unwrap();
    // The folder was made for its maker alone.
    assert!(Command::new("chmod").args(["-R", "a+rX,go-w"]).arg(root).status().unwrap().success());

    let image = stages.last().unwrap();
    let mut command = in_root(root, said(image, "USER")[0]);
    command.envs(variables(image)).env("AZUREML_MODEL_DIR", MODEL_DIR);
    let entry: Vec<String> = serde_json::from_str(said(image, "ENTRYPOINT")[0]).unwrap();
    command.args(entry).args(["--host", "127.0.0.1", "--port", "0"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let server = Program::start(command);
    let client = Client::new();
    let get = |path: &str| {
        let response = client.get(format!("{}{path}", server.url)).send().unwrap();
        (response.status().as_u16(), response.text().unwrap())
    };
    assert_eq!(get("/"), (200, "Healthy".to_owned()));
    assert_eq!(get("/v2/health/ready"), (200, r#"{"ready":true}"#.to_owned()));
    let body = json!({"data": rows()}).to_string();
    let response = client.post(format!("{}/score", server.url)).body(body).send().unwrap();
    let answer: Value = serde_json::from_str(&response.text().unwrap()).unwrap();
    assert_eq!(answer, json!({"predictions": predictions(&bundle, &rows())}));
    assert!(server.stop().0.success());
}

#[test]
#[ignore = "needs azure-ai-ml: cargo xtask test"]
fn the_sdk_of_azure_reads_the_files_and_their_routes_are_the_servers() {
    let output = python().arg(script("azure_yaml.py")).arg(folder()).output().unwrap();
    let read: Value = serde_json::from_str(&text(&output)).unwrap();
    let (environment, deployment) = (&read["environment"], &read["deployment"]);
    assert_eq!(deployment["environment"]["inference_config"], environment["inference_config"]);
    // No port is where the image does not listen.
    let stages = stages();
    let image = stages.last().unwrap();
    let [port] = said(image, "EXPOSE")[..] else { panic!("one port is exposed") };
    assert!(variables(image).contains(&("SPINNEY_PORT", port)));
    assert!(variables(image).contains(&("SPINNEY_HOST", "0.0.0.0")));
    let routes = environment["inference_config"].as_object().unwrap();
    assert_eq!(routes.len(), 3);
    for route in routes.values() {
        assert_eq!(route["port"].to_string(), port);
    }

    let folder = tempfile::tempdir().unwrap();
    houses(1.0).save(folder.path().join("houses.bundle")).unwrap();
    // With the variables that Azure ML would set, and those of the deployment.
    let mut command = program::command();
    command.env("AZUREML_MODEL_DIR", folder.path());
    for (name, value) in deployment["environment_variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let server = Program::start(command);
    let client = Client::new();
    let path = |route: &str| format!("{}{}", server.url, routes[route]["path"].as_str().unwrap());
    for route in ["liveness_route", "readiness_route"] {
        assert_eq!(client.get(path(route)).send().unwrap().status(), 200, "{route}");
    }
    let body = json!({"data": rows()}).to_string();
    let response = client.post(path("scoring_route")).body(body).send().unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("x-ms-run-function-failed"), "it scored");

    // The server gives up before Azure ML does.
    let own = deployment["environment_variables"]["SCORING_TIMEOUT_MS"].as_str().unwrap();
    let azure = deployment["request_settings"]["request_timeout_ms"].as_u64().unwrap();
    assert!(own.parse::<u64>().unwrap() < azure);
}
