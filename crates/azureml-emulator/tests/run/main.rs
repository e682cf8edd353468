//! Commands of jobs, run for real: submitted, watched and fetched with the project's own client.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod client;
mod identity;

use std::{collections::BTreeMap, fs, time::Duration};

use client::Lab;
use spinney_azureml::{
    AssetType, CommandJob, DataSpec, JobInput, JobOutput, JobStatus, TransferOptions,
};

const ENVIRONMENT: &str = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";

fn job(command: &str) -> CommandJob {
    CommandJob::new(command, ENVIRONMENT).experiment_name("tests")
}

#[tokio::test]
async fn a_command_is_run_and_what_it_makes_is_fetched() {
    let lab = Lab::new().await;
    let (client, options) = (&lab.client, TransferOptions::default());
    let rows = lab.path("rows.csv");
    fs::write(&rows, "a\n1\n2\n").unwrap();
    let data = client.data().create(&DataSpec::from_path("rows", &rows), &options).await.unwrap();
    let stages = lab.path("stages");
    fs::create_dir(&stages).unwrap();
    fs::write(stages.join("count.sh"), "wc -l < \"$1\" | tr -d ' ' > \"$2\"\necho $GREETING\n")
        .unwrap();
    let code = client.code().upload(&stages, &options).await.unwrap();
    let command = "sh count.sh ${{inputs.rows}} ${{outputs.count}}; echo ${{inputs.n}} > ${{outputs.tree}}/n; mkdir outputs; echo o > outputs/o";
    let job = job(command)
        .code(code.id.clone())
        .input("rows", JobInput::uri_file(data.id.clone()))
        .input("n", JobInput::literal(7))
        .output("count", AssetType::UriFile, JobOutput::new())
        .output("tree", AssetType::UriFolder, JobOutput::new())
        .environment_variable("GREETING", "hello there");
    let name = client.jobs().submit(&job).await.unwrap().name;
    let done = client.jobs().wait(&name).delays(SHORT, SHORT).await.unwrap();
    assert_eq!(done.properties.status, JobStatus::Completed);
    assert_eq!(lab.log(&name).await, ["hello there"]);

    let down = lab.path("down");
    client.jobs().download(&name, &down, &options).await.unwrap();
    let files = lab.files(&down);
    let text = |end: &str| {
        let found = files.iter().find(|(path, _)| path.ends_with(end));
        found.unwrap_or_else(|| panic!("no {end}: {files:?}")).1.as_str()
    };
    assert_eq!(files.iter().find(|(path, _)| path.starts_with("count")).unwrap().1, "3\n");
    assert_eq!(text("tree/n"), "7\n");
}

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn lines_are_seen_as_they_come() {
    let lab = Lab::new().await;
    let go = lab.path("go");
    // It does not go on before somebody has seen the first line.
    let command = format!(
        "echo first; while [ ! -e '{}' ]; do sleep 0.05; done; echo second >&2; printf 'no end'",
        go.display()
    );
    let name = lab.client.jobs().submit(job(&command)).await.unwrap().name;
    let mut logs = lab.client.jobs().logs(&name).delays(SHORT, SHORT);
    let mut lines = Vec::new();
    while let Some(new) = logs.next().await.unwrap() {
        assert_eq!(new.log, "user_logs/std_log.txt");
        lines.extend(new.lines);
        if lines == ["first"] {
            assert!(!logs.status().unwrap().is_terminal());
            fs::write(&go, "").unwrap();
        }
    }
    assert_eq!(lines, ["first", "second", "no end"]);
    assert_eq!(logs.status(), Some(&JobStatus::Completed));
    assert!(logs.error().is_none());
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    let lab = Lab::new().await;
    let name = lab.client.jobs().submit(job("echo too bad >&2; exit 9")).await.unwrap().name;
    let error = lab.client.jobs().wait(&name).delays(SHORT, SHORT).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("exited with status code 9") && text.contains("too bad"), "{text}");
    assert_eq!(lab.log(&name).await, ["too bad"]);
    assert_eq!(lab.client.jobs().get(&name).await.unwrap().properties.status, JobStatus::Failed);
}

#[tokio::test]
async fn a_command_is_canceled() {
    let lab = Lab::new().await;
    let name = lab.client.jobs().submit(job("echo begun; sleep 600")).await.unwrap().name;
    let mut logs = lab.client.jobs().logs(&name).delays(SHORT, SHORT);
    assert_eq!(logs.next().await.unwrap().unwrap().lines, ["begun"]);
    lab.client.jobs().cancel(&name).await.unwrap();
    while logs.next().await.unwrap().is_some() {}
    assert_eq!(logs.status(), Some(&JobStatus::Canceled));
    lab.client.jobs().cancel(&name).await.unwrap();
}

#[tokio::test]
async fn a_command_ends_when_its_time_is_over() {
    let lab = Lab::new().await;
    let limited = job("echo begun; sleep 600").timeout(Duration::from_secs(1));
    let name = lab.client.jobs().submit(limited).await.unwrap().name;
    let error = lab.client.jobs().wait(&name).delays(SHORT, SHORT).await.unwrap_err();
    assert!(error.to_string().contains("Canceled"), "{error}");
}

#[tokio::test]
async fn a_command_stands_where_azure_puts_it() {
    let lab = Lab::new().await;
    let name = lab.client.jobs().submit(job("env")).await.unwrap().name;
    lab.client.jobs().wait(&name).delays(SHORT, SHORT).await.unwrap();
    let lines = lab.log(&name).await;
    let variables: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| line.split_once('=')).collect();
    assert_eq!(variables["AZUREML_RUN_ID"], name);
    assert_eq!(variables["AZUREML_ROOT_RUN_ID"], name);
    assert_eq!(variables["AZUREML_EXPERIMENT_NAME"], "tests");
    assert_eq!(variables["AZUREML_ARM_WORKSPACE_NAME"], "mlops-ws");
    assert!(variables["MSI_ENDPOINT"].starts_with("http://127.0.0.1:"));
}
