//! Logs while they come, and what can happen to them: files that are not there yet, that grow in the middle of a line, shrink, or are
//! others all at once; signatures that expire; replies that break.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::time::Duration;

use loopback::{Answer, Fault, Server, WORKSPACE};
use serde_json::{Value, json};
use spinney_azureml::{Error, JobLogs, JobStatus, LogLines};

const STD_LOG: &str = "user_logs/std_log.txt";
const SECRET: &str = "SIGNATURE-THAT-MUST-NOT-BE-SEEN";

async fn server() -> Server {
    let server = Server::start().await;
    let workspace = json!({
        "name": "mlops-ws", "location": "westeurope",
        "properties": {"discoveryUrl": format!("{}/discovery", server.url)},
    });
    server.on("GET", "", Answer::json(200, workspace));
    server.enqueue("GET", "/discovery", Answer::json(200, json!({"api": server.url})));
    server
}

fn details_path(job: &str) -> String {
    format!("/history/v1.0{WORKSPACE}/runs/{job}/details")
}

/// What run history says, with logs by name and path.
fn details(server: &Server, status: &str, logs: &[(&str, &str)]) -> Value {
    let logs = logs.iter().map(|(name, path)| {
        ((*name).to_owned(), json!(format!("{}{path}?sig={SECRET}", server.url)))
    });
    let logs: serde_json::Map<String, Value> = logs.collect();
    json!({"runId": "j", "status": status, "logFiles": logs, "warnings": null, "error": null})
}

fn say(server: &Server, status: &str, logs: &[(&str, &str)]) {
    server.enqueue("GET", &details_path("j"), Answer::json(200, details(server, status, logs)));
}

/// One look at a job with one log: its status and what its log is then.
fn look(server: &Server, status: &str, log: Answer) {
    say(server, status, &[(STD_LOG, "/std")]);
    server.enqueue("GET", "/std", log);
}

fn text(text: &str) -> Answer {
    Answer::new(200).body(text)
}

fn logs(server: &Server) -> JobLogs {
    server.client().jobs().logs("j").delays(Duration::ZERO, Duration::ZERO)
}

async fn all(logs: &mut JobLogs) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(LogLines { log, lines: new, .. }) = logs.next().await.unwrap() {
        assert!(!new.is_empty());
        lines.extend(
            new.into_iter().map(|line| format!("{}:{line}", log.rsplit('/').next().unwrap())),
        );
    }
    lines
}

#[tokio::test]
async fn lines_come_once_whole_and_in_order() {
    let server = server().await;
    say(&server, "Queued", &[]);
    look(&server, "Running", Answer::error(404, "BlobNotFound", "not yet"));
    look(&server, "Running", text(""));
    look(&server, "Running", text("one\ntw"));
    look(&server, "Running", text("one\ntwo\r\nthree\n"));
    look(&server, "Finalizing", text("one\ntwo\r\nthree\nfour\n"));
    look(&server, "Completed", text("one\ntwo\r\nthree\nfour\nno end"));
    let mut logs = logs(&server);
    assert_eq!(logs.status(), None);
    let lines = all(&mut logs).await;
    let name = |line: &str| format!("std_log.txt:{line}");
    assert_eq!(lines, ["one", "two", "three", "four", "no end"].map(name));
    assert_eq!(logs.status(), Some(&JobStatus::Completed));
    assert!(logs.error().is_none());
    // Nothing is asked for any more.
    assert_eq!(logs.next().await.unwrap(), None);
    server.check();
}

#[tokio::test]
async fn several_logs_and_only_the_jobs_own() {
    let server = server().await;
    let files = [
        ("user_logs/std_log_process_0.txt", "/p0"),
        ("user_logs/std_log.txt", "/std"),
        ("user_logs/std_log_process_1.txt", "/p1"),
        ("system_logs/lifecycler/lifecycler.log", "/lifecycler"),
        ("logs/azureml/executionlogs.txt", "/execution"),
    ];
    say(&server, "Completed", &files);
    server.enqueue("GET", "/p0", text("b\n"));
    server.enqueue("GET", "/std", text("a\n"));
    let lines = all(&mut logs(&server)).await;
    assert_eq!(lines, ["std_log.txt:a", "std_log_process_0.txt:b"]);
    server.check();
}

#[tokio::test]
async fn an_unchanged_log_is_not_sent_again() {
    let server = server().await;
    look(&server, "Running", text("one\n").header("ETag", "\"1\""));
    look(&server, "Running", Answer::new(304));
    look(&server, "Completed", text("one\ntwo\n").header("ETag", "\"2\""));
    assert_eq!(all(&mut logs(&server)).await, ["std_log.txt:one", "std_log.txt:two"]);
    let seen = server.seen();
    let asked: Vec<Option<&str>> = seen
        .iter()
        .filter(|seen| seen.path == "/std")
        .map(|seen| seen.headers.get("if-none-match").map(String::as_str))
        .collect();
    assert_eq!(asked, [None, Some("\"1\""), Some("\"1\"")]);
    // A signature is all that a log's address needs.
    assert!(
        seen.iter()
            .filter(|seen| seen.path == "/std")
            .all(|seen| !seen.headers.contains_key("authorization"))
    );
    server.check();
}

#[tokio::test]
async fn a_log_that_shrinks_or_begins_anew() {
    let server = server().await;
    look(&server, "Running", text("one\ntwo\n"));
    // An older copy: nothing new.
    look(&server, "Running", text("one\n"));
    look(&server, "Running", text("one\ntwo\nthree\n"));
    // Another file under the name, shorter and then longer.
    look(&server, "Running", text("four\n"));
    look(&server, "Running", text("four\nfive\n"));
    look(&server, "Completed", text("something else, longer than that\n"));
    let lines = all(&mut logs(&server)).await;
    let expected = ["one", "two", "three", "four", "five", "something else, longer than that"];
    assert_eq!(lines, expected.map(|line| format!("std_log.txt:{line}")));
    server.check();
}

#[tokio::test]
async fn a_log_that_comes_and_goes() {
    let server = server().await;
    look(&server, "Running", text("one\n"));
    look(&server, "Running", Answer::error(404, "BlobNotFound", "gone"));
    say(&server, "Running", &[]);
    look(&server, "Completed", text("one\ntwo\n"));
    assert_eq!(all(&mut logs(&server)).await, ["std_log.txt:one", "std_log.txt:two"]);
    server.check();
}

#[tokio::test]
async fn an_expired_signature_is_renewed_even_at_the_end() {
    let server = server().await;
    look(&server, "Running", text("one\n"));
    look(&server, "Completed", Answer::error(403, "AuthenticationFailed", "Signature not valid"));
    say(&server, "Completed", &[(STD_LOG, "/renewed")]);
    server.enqueue("GET", "/renewed", text("one\ntwo\n"));
    assert_eq!(all(&mut logs(&server)).await, ["std_log.txt:one", "std_log.txt:two"]);
    server.check();
}

#[tokio::test]
async fn a_refused_log_that_goes_away_is_not_waited_for() {
    let server = server().await;
    look(&server, "Running", Answer::error(403, "AuthenticationFailed", "Signature not valid"));
    say(&server, "Completed", &[]);
    assert_eq!(all(&mut logs(&server)).await, [""; 0]);
    server.check();
}

#[tokio::test]
async fn a_storage_account_that_lets_nobody_in_is_an_error_and_asking_again_goes_on() {
    let server = server().await;
    let closed = || Answer::error(403, "AuthorizationFailure", "not authorized");
    look(&server, "Running", text("one\n"));
    look(&server, "Running", closed());
    look(&server, "Running", closed());
    look(&server, "Completed", text("one\ntwo\n"));
    let mut logs = logs(&server);
    assert_eq!(logs.next().await.unwrap().unwrap().lines, ["one"]);
    let error = logs.next().await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    let shown = format!("{error} {error:?} {logs:?}");
    assert!(shown.contains("AuthorizationFailure") && !shown.contains(SECRET), "{shown}");
    assert_eq!(logs.next().await.unwrap().unwrap().lines, ["two"]);
    assert_eq!(logs.next().await.unwrap(), None);
    server.check();
}

#[tokio::test]
async fn broken_replies_are_ridden_out_and_no_signature_is_ever_shown() {
    let server = server().await;
    say(&server, "Completed", &[(STD_LOG, "/std")]);
    server.enqueue("GET", "/std", Answer::fault(Fault::Reset));
    server.enqueue("GET", "/std", Answer::fault(Fault::Truncated));
    server.enqueue("GET", "/std", Answer::error(503, "ServerBusy", "busy"));
    server.enqueue("GET", "/std", text("one\n"));
    assert_eq!(all(&mut logs(&server)).await, ["std_log.txt:one"]);
    server.check();

    for answer in [Answer::fault(Fault::Reset), Answer::error(500, "InternalError", "x")] {
        let server = self::server().await;
        say(&server, "Running", &[(STD_LOG, "/std")]);
        server.always_at("GET", "/std", answer);
        let mut logs = logs(&server);
        let error = logs.next().await.unwrap_err();
        let shown = format!("{error} {error:?} {logs:?}");
        assert!(shown.contains("/std") && !shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn addresses_that_are_none_or_could_be_read_are_refused_without_being_shown() {
    for (address, problem) in [
        (
            format!("not an address {SECRET}"),
            "the address of the log user_logs/std_log.txt is none",
        ),
        (format!("http://blob.example.org/x?sig={SECRET}"), "it is neither https nor this machine"),
    ] {
        let server = server().await;
        let details = json!({"status": "Running", "logFiles": {STD_LOG: address}});
        server.enqueue("GET", &details_path("j"), Answer::json(200, details));
        let error = logs(&server).next().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(problem) && !shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn why_a_job_failed_is_told() {
    let server = server().await;
    let mut told = details(&server, "Failed", &[(STD_LOG, "/std")]);
    told["error"] = json!({
        "error": {
            "code": "UserError", "message": "Execution failed. Process exited with status code 1.", "target": null,
            "details": [{"code": "ExitCode", "message": "1", "details": null}], "innerError": null, "additionalInfo": null,
        },
        "correlation": null, "componentName": "CommonRuntime",
    });
    told["warnings"] = json!([{"source": null, "message": "the image was old"}, {"message": null}]);
    server.enqueue("GET", &details_path("j"), Answer::json(200, told));
    server.enqueue("GET", "/std", text("Traceback\n"));
    let mut logs = logs(&server);
    assert_eq!(all(&mut logs).await, ["std_log.txt:Traceback"]);
    assert_eq!(logs.status(), Some(&JobStatus::Failed));
    assert_eq!(logs.warnings(), ["the image was old"]);
    assert_eq!(
        logs.error().unwrap().to_string(),
        "job j: failed, UserError: Execution failed. Process exited with status code 1.\n  ExitCode: 1"
    );
    server.check();

    let server = self::server().await;
    say(&server, "Canceled", &[]);
    let mut logs = self::logs(&server);
    assert_eq!(all(&mut logs).await, [""; 0]);
    let error = logs.error().unwrap().to_string();
    assert_eq!(error, "job j: failed, Canceled: no reason is given; its logs may tell");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let server = server().await;
    server.enqueue(
        "GET",
        &details_path("j"),
        Answer::error(404, "UserError", "Run j was not found"),
    );
    assert!(logs(&server).next().await.unwrap_err().is_not_found());

    let bad_name = server.client().jobs().logs("a/b").next().await.unwrap_err();
    assert!(matches!(bad_name, Error::InvalidName { .. }));
}

#[tokio::test]
async fn tokens_go_to_services_only_over_what_is_encrypted() {
    for (discovery, services) in [
        ("http://discovery.example.org/x", None),
        ("LOCAL", Some(json!({"api": "http://api.example.org"}))),
    ] {
        let server = Server::start().await;
        let discovery = discovery.replace("LOCAL", &format!("{}/discovery", server.url));
        let workspace = json!({"name": "w", "properties": {"discoveryUrl": discovery}});
        server.on("GET", "", Answer::json(200, workspace));
        if let Some(services) = services {
            server.enqueue("GET", "/discovery", Answer::json(200, services));
        }
        let error = logs(&server).next().await.unwrap_err();
        assert!(matches!(error, Error::UntrustedUrl { .. }), "{error}");
        server.check();
    }
    for services in [json!({}), json!({"api": "nowhere"}), json!({"api": "data:x"})] {
        let server = Server::start().await;
        let discovery = format!("{}/discovery", server.url);
        let workspace = json!({"name": "w", "properties": {"discoveryUrl": discovery}});
        server.on("GET", "", Answer::json(200, workspace));
        server.enqueue("GET", "/discovery", Answer::json(200, services));
        let error = logs(&server).next().await.unwrap_err().to_string();
        assert!(error.ends_with("/discovery: it names no address of the services"), "{error}");
    }
}
