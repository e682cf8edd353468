//! What an operator does with the program: keys and bundles that change, two deployments, logs, traces, and how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

mod program;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use program::{Program, bundle, command};
use serde_json::{Value, json};

fn saved(folder: &tempfile::TempDir, name: &str, factor: f64) -> PathBuf {
    let path = folder.path().join(name);
    bundle(factor).save(&path).unwrap();
    path
}

/// Waits until something holds, which it has to within some seconds.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

fn version(program: &Program) -> String {
    let (status, headers, _) = program.score("", &json!([{"area": 7}]));
    assert_eq!(status, 200);
    headers["x-spinney-model-version"].to_str().unwrap().to_owned()
}

#[test]
fn a_hangup_loads_the_bundle_that_is_there_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "a.bundle", 1.0);
    let program = Program::serve(&path, &[]);
    assert_eq!(version(&program), "1");
    bundle(2.0).save(&path).unwrap();
    assert_eq!(version(&program), "1", "nothing changes by itself");
    program.signal("HUP");
    eventually("the new bundle", || version(&program) == "2");
    // A bad bundle is refused, and the old one stays.
    fs::write(&path, b"spinney bundle\r\n").unwrap();
    program.signal("HUP");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(version(&program), "2");
    let (status, log) = program.stop();
    assert!(status.success());
    assert!(
        log.contains("the model is not loaded") && log.contains("the bundle is cut off"),
        "{log}"
    );
}

#[test]
fn a_watched_bundle_is_loaded_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "a.bundle", 1.0);
    let program = Program::serve(folder.path(), &["--watch", "1"]);
    assert_eq!(version(&program), "1");
    bundle(3.0).save(&path).unwrap();
    eventually("the new bundle", || version(&program) == "3");
}

#[test]
fn keys_rotate_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "a.bundle", 1.0);
    let keys = folder.path().join("keys");
    fs::write(&keys, "one\ntwo\n").unwrap();
    let program = Program::serve(&path, &["--key-file", keys.to_str().unwrap()]);
    let status = |key: &str| program.score(key, &json!([{"area": 1}])).0;
    assert_eq!((status("one"), status("two"), status("three")), (200, 200, 401));
    fs::write(&keys, "three\ntwo\n").unwrap();
    eventually("the new key", || status("three") == 200);
    assert_eq!((status("one"), status("two")), (401, 200));
    fs::write(&keys, "").unwrap();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!((status("three"), status("two")), (200, 200), "an empty file changes nothing");
}

#[test]
fn keys_come_from_the_environment_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command();
    command.env("AZUREML_MODEL_DIR", folder.path());
    command.env("SPINNEY_PRIMARY_KEY", "one").env("SPINNEY_SECONDARY_KEY", "two");
    saved(&folder, "a.bundle", 1.0);
    let program = Program::start(command);
    let status = |key: &str| program.score(key, &json!([{"area": 1}])).0;
    assert_eq!((status("one"), status("two"), status("")), (200, 200, 401));
}

#[test]
fn two_deployments_share_the_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (blue, green) = (saved(&folder, "b.bundle", 1.0), saved(&folder, "g.bundle", 2.0));
    let mut command = command();
    let deployment = |name: &str, path: &PathBuf| format!("{name}={}", path.display());
    command.args(["--deployment", &deployment("blue", &blue)]);
    command.args(["--deployment", &deployment("green", &green), "--traffic", "blue=75,green=25"]);
    let program = Program::start(command);
    let n_green = (0..100).filter(|_| version(&program) == "2").count();
    assert_eq!(n_green, 25);
}

#[test]
fn logs_are_json_if_asked_for_and_hold_no_payload() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "a.bundle", 1.0);
    let program =
        Program::serve(&path, &["--log-format", "json", "--log", "debug", "--key", "Ali Baba"]);
    program.score("Ali Baba", &json!([{"area": "Kerkstraat 12"}]));
    program.score("Ali Baba", &json!([{"area": 12.25}]));
    program.score("forty thieves", &json!([{"area": 12.25}]));
    reqwest::blocking::get(format!("{}/score?area=Kerkstraat", program.url)).unwrap();
    let (_, log) = program.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = |status: u64| {
        lines.iter().any(|line| {
            line["message"] == "answered" && line["status"] == status && line["path"] == "/score"
        })
    };
    assert!(answered(200) && answered(401) && answered(422), "{log}");
    for secret in ["Kerkstraat", "12.25", "Ali Baba", "thieves"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

/// The first connection, which has to come within some seconds.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    eventually("a connection", || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}

/// A request of a client that is being traced leaves a span in that trace.
#[test]
fn spans_go_to_a_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", collector.local_addr().unwrap());
    let received = thread::spawn(move || {
        let mut stream = accept(&collector);
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 65536];
        // Until the head and as much body as it says is there.
        loop {
            let n = stream.read(&mut buffer).unwrap();
            bytes.extend(&buffer[..n]);
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            let Some(head_len) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
                continue;
            };
            let length = text.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if bytes.len() >= head_len + 4 + length {
                break;
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        bytes
    });
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "a.bundle", 1.0);
    let program = Program::serve(&path, &["--otlp-endpoint", &endpoint]);
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = reqwest::blocking::Client::new().post(format!("{}/score", program.url));
    let request = request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"));
    assert_eq!(request.body(r#"[{"area": 1}]"#).send().unwrap().status(), 200);
    // The last spans are sent at the end.
    assert!(program.stop().0.success());
    let bytes = received.join().unwrap();
    let id: Vec<u8> =
        (0..16).map(|i| u8::from_str_radix(&trace_id[2 * i..2 * i + 2], 16).unwrap()).collect();
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(bytes.starts_with(b"POST /v1/traces HTTP/1.1"));
    assert!(has(&id) && has(b"spinney-scoring") && has(b"/score"), "a span of the trace");
}

#[test]
fn exit_codes_tell_what_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "a.bundle", 1.0);
    let bundle = path.to_str().unwrap();
    let missing = folder.path().join("none");
    for (args, variable, code, message) in [
        (&["--answer-style", "xml", bundle][..], None, 2, "no answer style"),
        (&["--no-such-option"], None, 2, "unexpected argument"),
        (&["no/such.bundle"], None, 3, "could not load no/such.bundle"),
        (&[missing.to_str().unwrap()], None, 3, "could not load"),
        (&[], None, 3, "name a bundle, or a folder in AZUREML_MODEL_DIR"),
        (
            &[bundle],
            Some(("WORKER_COUNT", "none")),
            3,
            "WORKER_COUNT must be a whole number from 1 on",
        ),
        (&[bundle, "--key", " "], None, 3, "a key is empty"),
        (&[bundle, "--key-file", "none"], None, 3, "the keys could not be read from none"),
        (&[bundle, "--request-timeout-ms", "0"], None, 3, "must be at least 1"),
        (&[bundle, "--log", "=="], None, 3, "--log =="),
        (&["--deployment", "blue"], None, 3, "--deployment blue: write NAME=BUNDLE"),
        (&["--deployment", "1=x"], None, 3, "begins with a letter"),
        (&["--deployment", "blue=x", "--traffic", "red=100"], None, 3, "--traffic red=100"),
        (&["--deployment", "blue=x", "--traffic", "blue=90"], None, 3, "90 percent together"),
        (
            &[bundle, "--tls-certificate", "none", "--tls-key", "none"],
            None,
            3,
            "none has no usable certificate",
        ),
    ] {
        let mut command = command();
        command.args(args).env_remove("AZUREML_MODEL_DIR").envs(variable);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(message), "{args:?}: {said}");
    }
}

#[test]
fn a_folder_must_hold_one_bundle() {
    let folder = tempfile::tempdir().unwrap();
    for (n_bundles, message) in [(0, "there is no file `*.bundle`"), (2, "which bundle, ")] {
        for i in 0..n_bundles {
            fs::create_dir_all(folder.path().join("deeper")).unwrap();
            bundle(1.0).save(folder.path().join(format!("deeper/{i}.bundle"))).unwrap();
        }
        let output = command().env("AZUREML_MODEL_DIR", folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(message), "{said}");
    }
}
