//! Files that fail, calls that do not end, scripts that cannot be called.

use serde_json::json;

use crate::office::{Office, SUMS, is_gone, marked};

/// Fails for each file whose name begins so.
const PICKY: &str = r#"
import os

def init():
    pass

def run(mini_batch):
    names = [os.path.basename(path) for path in mini_batch]
    for name in names:
        if name.startswith("bad"):
            raise ValueError("no numbers in " + name)
        if name.startswith("exit"):
            os._exit(7)
    return [name for name in names if not name.startswith("less")]
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn failed_files_are_counted_and_their_calls_made_again() {
    let office = Office::new().await;
    let changes = json!({"miniBatchSize": 2, "retrySettings": {"maxRetries": 2}});
    office.deploy("blue", PICKY, changes).await;
    let files = ["a", "bad", "c", "d", "e", "less", "exit", "f"];
    let folder = office.numbers("in", &files).await;
    // In their order: a bad, c d, e exit, f less.
    let job = office.score("blue", &folder).await;
    assert_eq!(office.output(&job, "predictions.csv").await.as_deref(), Some("c\nd\nf\n"));
    let log = office.log(job["name"].as_str().unwrap()).await;
    for (line, times) in [
        ("ValueError: no numbers in bad; it is tried again", 2),
        ("mini-batch 0 (2 files) has failed, try 3: ValueError", 1),
        ("the process has ended with 7; it is tried again", 2),
        ("run() has returned 1 elements, so 1 files have failed", 1),
        ("8 files, 5 of them failed", 1),
    ] {
        assert_eq!(log.matches(line).count(), times, "{line}: {log}");
    }

    // As many as may fail, and one more.
    for (threshold, is_enough) in [(5, true), (4, false)] {
        let asked = json!({
            "inputData": {"in": {"jobInputType": "uri_folder", "uri": folder}},
            "errorThreshold": threshold,
        });
        let reply = office.invoke("blue", asked).await.expect(201);
        let job = office.ends(reply.body["name"].as_str().unwrap()).await;
        if is_enough {
            assert!(office.output(&job, "predictions.csv").await.is_some());
        } else {
            let why = office.error(&job).await;
            let wanted = "5 files have failed, more than the errorThreshold of 4";
            assert!(why.contains(wanted), "{why}");
            let step = office.step(job["name"].as_str().unwrap()).await;
            let run = step["runId"].as_str().unwrap();
            let left = format!("azureml://x/paths/azureml/{run}/score/predictions.csv");
            assert_eq!(office.file(&left).await, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn a_call_that_takes_too_long_is_ended_with_all_that_it_has_started() {
    let office = Office::new().await;
    let script = r#"
import os, subprocess, time

def init():
    pass

def run(mini_batch):
    if not os.path.exists("{marks}/started"):
        child = subprocess.Popen(["sleep", "600"])
        with open("{marks}/started", "w") as file:
            file.write(f"{os.getpid()} {child.pid}\n")
        time.sleep(600)
    return mini_batch
"#;
    let changes = json!({"retrySettings": {"maxRetries": 1, "timeout": "PT1S"}});
    office.deploy("blue", script, changes).await;
    let folder = office.numbers("in", &["a", "b"]).await;
    let job = office.score("blue", &folder).await;
    let rows = office.output(&job, "predictions.csv").await.unwrap();
    assert_eq!(rows.lines().count(), 2, "{rows}");
    let log = office.log(job["name"].as_str().unwrap()).await;
    assert!(log.contains("run() has taken longer than 1 s; it is tried again"), "{log}");
    for process in marked(&office.mark("started")).await.split(' ') {
        is_gone(process).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn a_canceled_job_leaves_no_process() {
    let office = Office::new().await;
    let script = r#"
import os, subprocess, time

def init():
    pass

def run(mini_batch):
    child = subprocess.Popen(["sleep", "600"])
    with open("{marks}/started", "w") as file:
        file.write(f"{os.getpid()} {child.pid}\n")
    time.sleep(600)
"#;
    office.deploy("blue", script, json!({"retrySettings": {"timeout": "PT1H"}})).await;
    let folder = office.numbers("in", &["a"]).await;
    let input = crate::office::folder_input(&folder);
    let reply = office.invoke("blue", input).await.expect(201);
    let name = reply.body["name"].as_str().unwrap();
    let started = marked(&office.mark("started")).await;
    let cancel = office.local.id(&format!("/jobs/{name}/cancel"));
    office.local.post(&cancel, &json!(null)).await.expect(202);
    assert_eq!(office.ends(name).await["properties"]["status"], "Canceled");
    for process in started.split(' ') {
        is_gone(process).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn a_script_that_cannot_be_called_fails_the_job_and_says_why() {
    let office = Office::new().await;
    let folder = office.numbers("in", &["a"]).await;
    let run = "\ndef run(mini_batch):\n    return mini_batch\n";
    for (name, script, why) in [
        (
            "imports",
            "import nothing_like_that\n",
            "importing score.py has failed: ModuleNotFoundError",
        ),
        (
            "begins",
            "def init():\n    raise RuntimeError('no model')\n",
            "init() of score.py has failed: RuntimeError: no model",
        ),
        ("leaves", "def init():\n    exit(3)\n", "init() of score.py has failed: SystemExit: 3"),
        ("dies", "import os\ndef init():\n    os._exit(9)\n", "the process has ended with 9"),
        ("lacks", "def unit():\n    pass\n", "score.py has no function init()"),
    ] {
        office.deploy(name, &format!("{script}{run}"), json!({})).await;
        let job = office.score(name, &folder).await;
        let said = office.error(&job).await;
        assert!(said.contains("Batch scoring has failed: ") && said.contains(why), "{why}: {said}");
    }
    let wrong = "def init():\n    pass\n\ndef run(mini_batch):\n    return 7\n";
    let strict = json!({"errorThreshold": 0, "retrySettings": {"maxRetries": 0}});
    office.deploy("returns", wrong, strict).await;
    let job = office.score("returns", &folder).await;
    let said = office.error(&job).await;
    assert!(said.contains("run() has returned int, and must return a list"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_python_it_is_said_what_is_missing() {
    let office = Office::with(None).await;
    office.deploy("blue", SUMS, json!({})).await;
    let folder = office.numbers("in", &["a"]).await;
    let job = office.score("blue", &folder).await;
    let said = office.error(&job).await;
    assert!(said.contains("no Python for scoring scripts: start it with --python"), "{said}");
}
