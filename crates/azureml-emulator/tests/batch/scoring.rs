//! What becomes of files and rows.

use serde_json::json;

use crate::office::{Office, SUMS, folder_input};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn all_files_are_scored_and_rows_are_in_their_order() {
    let office = Office::new().await;
    let several = json!({
        "miniBatchSize": 2, "maxConcurrencyPerInstance": 2, "resources": {"instanceCount": 2},
        "outputFileName": "sums.txt",
    });
    office.deploy("blue", SUMS, several).await;
    let files = ["a.txt", "b/x.txt", "b/y.txt", "b.txt", "c.txt", "d e.txt", "z.txt"];
    let folder = office.numbers("in", &files).await;
    let job = office.score("blue", &folder).await;
    let rows = "a.txt 3\nx.txt 6\ny.txt 9\nb.txt 12\nc.txt 15\nd e.txt 18\nz.txt 21\n";
    // By the parts of their paths: what is in the folder b comes before b.txt.
    assert_eq!(office.output(&job, "sums.txt").await.as_deref(), Some(rows));
    let name = job["name"].as_str().unwrap();
    let step = office.step(name).await;
    assert_eq!(step["name"], "batchscoring");
    assert_eq!(step["target"], "batch-cluster");
    let log = office.log(name).await;
    for line in [
        "7 files in mini-batches of 2",
        "4 mini-batches, 4 processes",
        "the factor is 3",
        "7 files, 0 of them failed",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    // The step has the output, too: that is where Azure ML's clients find it.
    let child = office.job(step["runId"].as_str().unwrap()).await;
    assert_eq!(
        child["properties"]["outputs"]["score"]["uri"],
        job["properties"]["outputs"]["score"]["uri"]
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn one_file_goes_where_the_caller_says() {
    let office = Office::new().await;
    office.deploy("blue", SUMS, json!({})).await;
    office.numbers("in", &["a.txt", "b.txt"]).await;
    let place = "azureml://datastores/workspaceblobstore/paths/results/week 1/rows.csv";
    let asked = json!({
        "name": "week-1",
        "inputData": {"houses": {"jobInputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/in/b.txt"}},
        "outputData": {"score": {"jobOutputType": "UriFile", "uri": place}},
        "properties": {"experimentName": "weeks"},
    });
    let reply = office.invoke("blue", asked.clone()).await.expect(201);
    assert_eq!(reply.body["name"], "week-1");
    assert_eq!(reply.body["properties"]["experimentName"], "weeks");
    let job = office.ends("week-1").await;
    assert_eq!(office.output(&job, "rows.csv").await.as_deref(), Some("b.txt 6\n"));
    assert_eq!(office.file(place).await.as_deref(), Some("b.txt 6\n"));
    office.invoke("blue", asked).await.expect(409);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn rows_are_written_as_what_was_returned() {
    let office = Office::new().await;
    let script = r#"
import json, os
import numpy
import pandas

def init():
    pass

def run(mini_batch):
    with open(mini_batch[0]) as file:
        return eval(file.read())
"#;
    office.deploy("blue", script, json!({"miniBatchSize": 1})).await;
    let mut rows = String::new();
    for (name, returned, wanted) in [
        ("a", "['x y', 1, [2, 'z'], None]", "x y\n1\n[2, 'z']\nNone\n"),
        ("b", "('p', 0.1)", "p\n0.1\n"),
        ("c", "pandas.DataFrame({'name': ['x', 'y z'], 'n': [1.5, 2]})", "x 1.5\n\"y z\" 2.0\n"),
        ("d", "pandas.Series([7, 8])", "7\n8\n"),
        ("e", "numpy.array([0.25, 3])", "0.25\n3.0\n"),
        ("f", "[]", ""),
    ] {
        office.upload(&format!("in/{name}"), returned).await;
        rows += wanted;
    }
    let job = office.score("blue", "azureml://datastores/workspaceblobstore/paths/in").await;
    assert_eq!(office.output(&job, "predictions.csv").await, Some(rows));
    // The file of which nothing came has failed.
    let log = office.log(job["name"].as_str().unwrap()).await;
    assert!(log.contains("6 files, 1 of them failed"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn a_script_may_write_its_outputs_itself() {
    let office = Office::new().await;
    let script = r#"
import os

def init():
    pass

def run(mini_batch):
    for path in mini_batch:
        target = os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], os.path.basename(path))
        with open(target, "w") as file:
            file.write(os.environ["GREETING"])
    return mini_batch
"#;
    let changes =
        json!({"outputAction": "SummaryOnly", "environmentVariables": {"GREETING": "hello"}});
    office.deploy("blue", script, changes).await;
    let folder = office.numbers("in", &["a.txt", "b.txt"]).await;
    let job = office.score("blue", &folder).await;
    for file in ["a.txt", "b.txt"] {
        assert_eq!(office.output(&job, file).await.as_deref(), Some("hello"));
    }
    assert_eq!(office.output(&job, "predictions.csv").await, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn the_caller_may_say_otherwise_than_the_deployment() {
    let office = Office::new().await;
    office.deploy("blue", SUMS, json!({})).await;
    let folder = office.numbers("in", &["a.txt", "b.txt", "c.txt"]).await;
    let mut asked = folder_input(&folder);
    asked["miniBatchSize"] = json!(1);
    asked["outputFileName"] = json!("other.csv");
    let reply = office.invoke("blue", asked).await.expect(201);
    let job = office.ends(reply.body["name"].as_str().unwrap()).await;
    let rows = office.output(&job, "other.csv").await;
    assert_eq!(rows.as_deref(), Some("a.txt 3\nb.txt 6\nc.txt 9\n"));
    let log = office.log(job["name"].as_str().unwrap()).await;
    assert!(log.contains("3 mini-batches"), "{log}");
}
