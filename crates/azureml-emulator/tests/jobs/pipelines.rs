use std::fs;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::work::{Work, literal, pipeline, step};

/// Two branches that meet: eight steps.
async fn eight(work: &Work) -> Value {
    let first = work
        .component(
            "echo ${{inputs.word}} > ${{outputs.a}}; echo b > ${{outputs.b}}",
            &["word:string"],
            &["a:uri_file", "b:uri_file"],
        )
        .await;
    let add = work
        .component(
            "cat ${{inputs.from}} > ${{outputs.to}}; echo $[[${{inputs.more}}]] >> ${{outputs.to}}",
            &["from:uri_file", "more:string?"],
            &["to:uri_file"],
        )
        .await;
    let join = work
        .component(
            "mkdir -p ${{outputs.all}}/deep; cat ${{inputs.x}} ${{inputs.y}} > ${{outputs.all}}/deep/both.txt",
            &["x:uri_file", "y:uri_file"],
            &["all:uri_folder"],
        )
        .await;
    let count = work
        .component(
            "cat ${{inputs.all}}/deep/both.txt | wc -l | tr -d ' ' > ${{outputs.n}}",
            &["all:uri_folder"],
            &["n:uri_file"],
        )
        .await;
    let output = |step: &str, name: &str| format!("${{{{parent.jobs.{step}.outputs.{name}}}}}");
    let more = ("more", "${{parent.inputs.more}}-${{parent.inputs.more}}");
    pipeline(
        json!({"word": literal("hello"), "more": literal("more")}),
        json!({
            "first": step(&first, &[("word", "${{parent.inputs.word}}")]),
            "a_1": step(&add, &[("from", &output("first", "a")), more]),
            "a_2": step(&add, &[("from", &output("a_1", "to"))]),
            "b_1": step(&add, &[("from", &output("first", "b")), ("more", "one")]),
            "b_2": step(&add, &[("from", &output("b_1", "to")), ("more", "two")]),
            "b_3": step(&add, &[("from", &output("b_2", "to")), ("more", "three")]),
            "join": step(&join, &[("x", &output("a_2", "to")), ("y", &output("b_3", "to"))]),
            "count": step(&count, &[("all", &output("join", "all"))]),
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_steps_pass_on_what_they_write() {
    let work = Work::new().await;
    let mut body = eight(&work).await;
    body["properties"]["outputs"] = json!({"n": {"jobOutputType": "uri_file"}});
    body["properties"]["jobs"]["count"]["outputs"]["n"] =
        json!({"type": "literal", "value": "${{parent.outputs.n}}"});
    let submitted = work.submit("eight", &body).await;
    assert_eq!(submitted["properties"]["status"], "Preparing");
    let studio = submitted["properties"]["services"]["Studio"]["endpoint"].as_str().unwrap();
    assert!(studio.starts_with("https://ml.azure.com/runs/eight?wsid=/subscriptions/"), "{studio}");
    let job = work.completes("eight").await;
    // hello, more-more, an empty line for what was not given; b, one, two, three.
    let all = work.output("eight", "b_3", "to").await;
    assert_eq!(all, "b\none\ntwo\nthree\n");
    assert_eq!(work.output("eight", "a_2", "to").await, "hello\nmore-more\n\n");
    let uri = job["properties"]["outputs"]["n"]["uri"].as_str().unwrap();
    assert_eq!(work.text(uri).await.trim(), "7");
    assert_eq!(work.statuses("eight").await.len(), 8);

    // A step is a job, which only its pipeline leads to.
    let steps = work.steps("eight");
    let step = work.job(&steps["join"]).await;
    assert_eq!(step["properties"]["jobType"], "Command");
    assert_eq!(step["properties"]["status"], "Completed");
    assert_eq!(step["properties"]["properties"]["azureml.pipelinerunid"], "eight");
    let uri = step["properties"]["inputs"]["x"]["uri"].as_str().unwrap();
    assert!(uri.ends_with(&format!("azureml/{}/to", steps["a_2"])), "{uri}");
    let listed = work.local.get(&work.local.id("/jobs?listViewType=All")).await.expect(200).body;
    let names: Vec<_> =
        listed["value"].as_array().unwrap().iter().map(|job| &job["name"]).collect();
    assert_eq!(names, ["eight"]);
    // What a pipeline says of its progress is where its logs are.
    let log = work.log("eight").await;
    assert!(log.contains("Submitting 1 runs, first five are: "), "{log}");
    assert!(log.ends_with("no runs left and nothing to schedule.\n"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_do_not_wait_for_each_other_run_at_once() {
    let work = Work::new().await;
    let [a, b] = ["a", "b"].map(|name| work.mark(name).display().to_string());
    // Each waits for the other's mark.
    let meet = |own: &str, other: &str| {
        format!("touch {own}; while [ ! -e {other} ]; do sleep 0.02; done; echo ${{{{inputs.n}}}}")
    };
    let left = work.component(&meet(&a, &b), &["n:string"], &[]).await;
    let right = work.component(&meet(&b, &a), &["n:string"], &[]).await;
    let jobs = json!({"left": step(&left, &[("n", "1")]), "right": step(&right, &[("n", "2")])});
    work.submit("meet", &pipeline(json!({}), jobs)).await;
    work.completes("meet").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_ends_its_pipeline_unless_it_may_go_on() {
    let work = Work::new().await;
    let fail = work.component("echo broken >&2; exit 3", &[], &["out:uri_file"]).await;
    let after = work.component("cat ${{inputs.x}}", &["x:uri_file"], &[]).await;
    let long = work.component("sleep 600", &[], &[]).await;
    let quick = work.component("true", &[], &[]).await;
    let wait = work.component("cat ${{inputs.x}}", &["x:uri_file"], &[]).await;
    let from = |step: &str| format!("${{{{parent.jobs.{step}.outputs.out}}}}");
    let jobs = json!({
        "fail": step(&fail, &[]),
        "after": step(&after, &[("x", &from("fail"))]),
        "long": step(&long, &[]),
    });
    work.submit("stops", &pipeline(json!({}), jobs)).await;
    work.reaches("stops", &["Failed"]).await;
    let statuses = work.statuses("stops").await;
    assert_eq!(
        statuses.values().collect::<Vec<_>>(),
        ["Canceled", "Failed", "Canceled"],
        "{statuses:?}"
    );
    let error = work.error("stops");
    assert!(error["message"].as_str().unwrap().contains("Failed nodes: /fail"), "{error}");

    let jobs = json!({
        "fail": step(&fail, &[]),
        "after": step(&wait, &[("x", &from("fail"))]),
        "quick": step(&quick, &[]),
    });
    let mut body = pipeline(json!({}), jobs);
    body["properties"]["settings"]["continue_on_step_failure"] = json!(true);
    work.submit("goes_on", &body).await;
    work.reaches("goes_on", &["Failed"]).await;
    let statuses = work.statuses("goes_on").await;
    assert_eq!(
        statuses.values().collect::<Vec<_>>(),
        ["Canceled", "Failed", "Completed"],
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_and_a_command_are_canceled_while_they_run() {
    let work = Work::new().await;
    let mark = work.mark("started");
    let long = work
        .component(&format!("touch {}; sleep 600", mark.display()), &[], &["out:uri_file"])
        .await;
    let after = work.component("cat ${{inputs.x}}", &["x:uri_file"], &[]).await;
    let jobs = json!({
        "long": step(&long, &[]),
        "after": step(&after, &[("x", "${{parent.jobs.long.outputs.out}}")]),
    });
    work.submit("canceled", &pipeline(json!({}), jobs)).await;
    while !mark.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let operation = work.cancel("canceled").await.header("azure-asyncoperation").to_owned();
    work.reaches("canceled", &["Canceled"]).await;
    let statuses = work.statuses("canceled").await;
    assert!(statuses.values().all(|status| status == "Canceled"), "{statuses:?}");
    // To ask again, or for what has ended, is no mistake.
    work.cancel("canceled").await;
    work.local.wait();
    assert_eq!(work.local.follow(&operation).await.expect(200).body["status"], "Succeeded");
    assert_eq!(work.status("canceled").await, "Canceled");

    fs::remove_file(&mark).unwrap();
    let command = json!({"properties": {
        "jobType": "Command",
        "command": format!("touch {}; sleep 600", mark.display()),
        "environmentId": crate::work::ENVIRONMENT,
    }});
    let id = work.local.id("/jobs/command");
    // A command needs no token of its own.
    work.local.put(&id, &command).await.expect(201);
    work.local.delete(&id).await.expect(409);
    work.reaches("command", &["Running"]).await;
    work.cancel("command").await;
    work.reaches("command", &["Canceled"]).await;
    work.local.delete(&id).await.expect(202);
    work.local.get(&id).await.expect(404);
    work.local.delete(&id).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_becomes_the_next_version_of_a_model_or_of_data() {
    let work = Work::new().await;
    work.local
        .register("minimal-model", "1", "azureml://datastores/workspaceblobstore/paths/x")
        .await;
    let train = work
        .component(
            "echo ${{inputs.n}} > ${{outputs.model}}/model.txt; echo data > ${{outputs.data}}",
            &["n:integer"],
            &["model:custom_model", "data:uri_file"],
        )
        .await;
    let mut train = step(&train, &[("n", "42")]);
    train["outputs"]["model"] =
        json!({"job_output_type": "custom_model", "mode": "Upload", "name": "minimal-model"});
    train["outputs"]["data"] =
        json!({"job_output_type": "uri_file", "name": "made", "version": "seven"});
    let body = pipeline(json!({}), json!({"train": train}));
    work.submit("registers", &body).await;
    work.completes("registers").await;
    let model =
        work.local.get(&work.local.id("/models/minimal-model/versions/2")).await.expect(200);
    let properties = &model.body["properties"];
    assert_eq!(properties["modelType"], "custom_model");
    assert_eq!(properties["flavors"], json!({}));
    assert_eq!(properties["jobName"], json!(work.steps("registers")["train"]));
    assert_eq!(
        work.text(&format!("{}/model.txt", properties["modelUri"].as_str().unwrap())).await.trim(),
        "42"
    );
    let data = work.local.get(&work.local.id("/data/made/versions/seven")).await.expect(200);
    assert_eq!(data.body["properties"]["dataType"], "uri_file");
    // A version means one content for good, so this cannot be kept.
    let mut again = body.clone();
    again["properties"]["settings"]["force_rerun"] = json!(true);
    work.submit("again", &again).await;
    work.reaches("again", &["Failed"]).await;
    let error = work.error(&work.steps("again")["train"]);
    assert!(error["message"].as_str().unwrap().contains("version seven"), "{error}");
    work.local.get(&work.local.id("/models/minimal-model/versions/3")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_pipelines_at_once_all_complete() {
    let work = Work::new().await;
    let write =
        work.component("echo ${{inputs.n}} > ${{outputs.x}}", &["n:string"], &["x:uri_file"]).await;
    let twice = work
        .component(
            "cat ${{inputs.x}} ${{inputs.x}} > ${{outputs.y}}",
            &["x:uri_file"],
            &["y:uri_file"],
        )
        .await;
    let (work, write, twice) = (&work, &write, &twice);
    join_all((0..20).map(|number| async move {
        let name = format!("pipeline_{number}");
        let jobs = json!({
            "write": step(write, &[("n", "${{parent.inputs.n}}")]),
            "twice": step(twice, &[("x", "${{parent.jobs.write.outputs.x}}")]),
        });
        let body = pipeline(json!({"n": literal(&format!("number {number}"))}), jobs);
        work.submit(&name, &body).await;
        work.completes(&name).await;
        let twice = work.output(&name, "twice", "y").await;
        assert_eq!(twice, format!("number {number}\nnumber {number}\n"));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_for_good_and_only_what_is_noted_changes() {
    let work = Work::new().await;
    let nothing = work.component("true", &[], &[]).await;
    let body = pipeline(json!({}), json!({"nothing": step(&nothing, &[])}));
    work.submit("named", &body).await;
    let mut other = work.completes("named").await;
    other["properties"]["displayName"] = json!("another");
    other["properties"]["tags"] = json!({"a": "b"});
    other["properties"]["isArchived"] = json!(true);
    other["properties"]["jobs"] = json!({});
    let changed = work.put("named", &other).await.expect(200).body;
    assert_eq!(changed["properties"]["displayName"], "another");
    assert_eq!(changed["properties"]["status"], "Completed");
    assert!(changed["properties"]["jobs"]["nothing"].is_object());
    let listed = async |query: &str| {
        let list = work.local.get(&work.local.id(&format!("/jobs?{query}"))).await.expect(200).body;
        list["value"].as_array().unwrap().len()
    };
    assert_eq!(listed("listViewType=ActiveOnly").await, 0);
    assert_eq!(listed("listViewType=ArchivedOnly").await, 1);
    assert_eq!(listed("listViewType=All&tag=a=b&jobType=Pipeline").await, 1);
    assert_eq!(listed("listViewType=All&jobType=Command").await, 0);
    let command = json!({"properties": {"jobType": "Command", "command": "true", "environmentId": "azureml:e:1"}});
    work.put("named", &command).await.expect(409);
}
