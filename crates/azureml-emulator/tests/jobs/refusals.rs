use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::send,
    work::{ENVIRONMENT, Work, literal, pipeline, step},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_is_refused_when_it_is_submitted() {
    let work = Work::new().await;
    let component = work
        .component(
            "cat ${{inputs.x}} ${{inputs.n}} > ${{outputs.y}}",
            &["x:uri_file", "n:integer", "o:string?"],
            &["y:uri_file"],
        )
        .await;
    let good = pipeline(
        json!({"x": {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/x"}, "n": literal("1")}),
        json!({
            "a": step(&component, &[("x", "${{parent.inputs.x}}"), ("n", "${{parent.inputs.n}}")]),
            "b": step(&component, &[("x", "${{parent.jobs.a.outputs.y}}"), ("n", "2")]),
        }),
    );
    let input = |value: &str| json!({"job_input_type": "literal", "value": value});
    let cases = [
        ("/properties/jobs/a/inputs/n", input("${{parent.inputs.nn}}"), "nn, which is not there"),
        ("/properties/jobs/a/inputs/n", input("one"), "no integer"),
        ("/properties/jobs/a/inputs/n", input("${{parent.inputs.x}}"), "must be a integer"),
        ("/properties/jobs/a/inputs/n", input("${{inputs.n}}"), "is none of"),
        ("/properties/jobs/a/inputs/n", input("${{parent.inputs.n"), "without"),
        ("/properties/jobs/a/inputs/n", Value::Null, "not given"),
        (
            "/properties/jobs/a/inputs/n",
            json!({"jobInputType": "literal", "value": "1"}),
            "job_input_type is required",
        ),
        ("/properties/jobs/a/inputs/x", input("plain"), "must be data"),
        (
            "/properties/jobs/a/inputs/x",
            input("${{parent.jobs.b.outputs.y}}"),
            "a, b wait for each other",
        ),
        ("/properties/jobs/b/inputs/x", input("${{parent.jobs.c.outputs.y}}"), "the step c"),
        ("/properties/jobs/b/inputs/x", input("${{parent.jobs.a.outputs.z}}"), "no such output"),
        ("/properties/jobs/a/inputs/more", input("1"), "no such input; it has n, o, x"),
        ("/properties/jobs/a/outputs/more", json!({}), "no such output"),
        (
            "/properties/jobs/a/outputs/y",
            json!({"type": "literal", "value": "${{parent.outputs.q}}"}),
            "q, which is not there",
        ),
        (
            "/properties/jobs/a/outputs/y",
            json!({"job_output_type": "uri_folder"}),
            "is of type uri_folder",
        ),
        (
            "/properties/jobs/a/outputs/y",
            json!({"job_output_type": "uri_file", "uri": "file:///etc/passwd"}),
            "cannot be written",
        ),
        (
            "/properties/jobs/a/outputs/y",
            json!({"job_output_type": "uri_file", "version": "1"}),
            "no name",
        ),
        (
            "/properties/jobs/a/componentId",
            json!("azureml:nothing:1"),
            "the component azureml:nothing:1",
        ),
        ("/properties/jobs/a/componentId", Value::Null, "componentId is required"),
        ("/properties/jobs/a/computeId", json!("nowhere"), "the compute nowhere"),
        ("/properties/jobs/a", json!(7), "must be an object"),
        ("/properties/jobs", json!({}), "at least one step"),
        ("/properties/jobs", json!([]), "must be an object"),
        ("/properties/settings/default_compute", json!("nowhere"), "the compute nowhere"),
        ("/properties/settings/default_compute", Value::Null, "no computeId"),
        ("/properties/settings/force_rerun", json!("yes"), "true or false"),
        ("/properties/inputs/x/uri", json!("azureml:nothing:1"), "no such asset"),
        (
            "/properties/inputs/x/uri",
            json!("https://example.com/x"),
            "not in the emulator's account",
        ),
        ("/properties/inputs/x/jobInputType", json!("uri_thing"), "must be literal or one of"),
        ("/properties/outputs/o", json!({"jobOutputType": "uri_file"}), "no step has"),
        ("/properties/tags", json!([]), "must be an object"),
    ];
    for (pointer, value, words) in cases {
        let mut body = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        let reply = work.put("refused", &body).await.expect(400);
        assert!(reply.message().contains(words), "{pointer}: {}", reply.message());
    }
    let mut body = good.clone();
    for (pointer, value) in [
        ("/properties/jobs/a/type", json!("sweep")),
        ("/properties/jobs/a/resources", json!({"instance_count": 2})),
        ("/properties/jobs/a/distribution", json!({"type": "mpi"})),
        ("/properties/jobType", json!("AutoML")),
    ] {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut body = good.clone();
        body.pointer_mut(parent).unwrap()[name] = value;
        let reply = work.put("refused", &body).await.expect(501);
        assert_eq!(reply.code(), "NotImplementedInEmulator", "{pointer}");
    }
    // Nothing of all that is left.
    work.local.get(&work.local.id("/jobs/refused")).await.expect(404);
    assert!(work.steps("refused").is_empty());
    // Without the token for Azure ML, or with another.
    let id = work.local.id("/jobs/refused");
    work.local.put(&id, &good).await.expect(400);
    for token in ["nonsense", &work.local.token] {
        let put = work.local.request(Method::PUT, &id).body(good.to_string());
        send(put.header("x-azureml-token", token)).await.expect(401);
    }
    work.put("-bad", &good).await.expect(400);
    let command = json!({"properties": {
        "jobType": "Command", "command": "echo ${{inputs.x}}", "environmentId": ENVIRONMENT,
    }});
    let reply = work.put("refused", &command).await.expect(400);
    assert!(reply.message().contains("inputs.x"), "{}", reply.message());
    body["properties"]["displayName"] = json!("good after all");
    work.submit("good", &body).await;
    work.reaches("good", &["Failed"]).await;
}

/// JSON of any shape, with the words that mean something.
fn hostile() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("literal"),
        Just("uri_file"),
        Just("${{parent.inputs.x}}"),
        Just("${{parent.jobs.a.outputs.y}}"),
        Just("${{"),
        Just("azureml:"),
        Just("azureml://"),
        Just("/"),
        Just("azureml:a@latest"),
        Just("é\u{0}~/\"\n"),
        Just("serverless"),
        Just("Pipeline"),
        Just("command"),
        Just("PT1H"),
        Just(""),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("a"),
        Just("x"),
        Just("y"),
        Just("inputs"),
        Just("outputs"),
        Just("job_input_type"),
        Just("job_output_type"),
        Just("value"),
        Just("uri"),
        Just("type"),
        Just("componentId"),
        Just("computeId"),
        Just("limits"),
        Just("timeout"),
        Just("default_compute"),
        Just("mode"),
        Just("name"),
        Just("version"),
        Just("a/~"),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_is_too_hostile() {
    let work = Work::new().await;
    let component = work.component("true", &["x:string?"], &["y:uri_file"]).await;
    let good = pipeline(
        json!({"x": literal("1")}),
        json!({"a": step(&component, &[("x", "${{parent.inputs.x}}")])}),
    );
    let pointers = [
        "/properties/jobs/a/inputs/x",
        "/properties/jobs/a/inputs",
        "/properties/jobs/a/outputs/y",
        "/properties/jobs/a",
        "/properties/jobs",
        "/properties/inputs/x",
        "/properties/inputs",
        "/properties/outputs",
        "/properties/settings",
        "/properties/jobs/a/limits",
        "/properties/tags",
        "/properties/jobs/a/computeId",
        "/properties/jobType",
        "/properties/jobs/a/componentId",
        "/properties/jobs/a/environment_variables",
        "/properties",
    ];
    let mut runner = TestRunner::deterministic();
    let strategy = (prop::sample::select(pointers.to_vec()), hostile());
    for number in 0..300 {
        let (pointer, value) = strategy.new_tree(&mut runner).unwrap().current();
        let mut body = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = if parent.is_empty() { &mut body } else { body.pointer_mut(parent).unwrap() };
        parent[name] = value;
        let reply = work.put(&format!("hostile_{number}"), &body).await;
        assert!(matches!(reply.status, 201 | 400 | 501), "{body}: {reply:?}");
    }
    // Those that were taken come to an end.
    let listed = work.local.get(&work.local.id("/jobs?listViewType=All")).await.expect(200).body;
    for job in listed["value"].as_array().unwrap() {
        let name = job["name"].as_str().unwrap();
        work.reaches(name, &["Completed", "Failed", "Canceled"]).await;
    }
}
