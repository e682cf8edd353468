use std::fs;

use serde_json::json;

use crate::work::{Component, Work, literal, pipeline, step};

/// A component that leaves a mark each time it runs.
async fn marked(work: &Work, more: serde_json::Value) -> (Component, std::path::PathBuf) {
    let mark = work.mark(&format!("mark_{}", fastrand::u64(..)));
    let command = format!(
        "echo ran >> {}; cat ${{{{inputs.x}}}} > ${{{{outputs.y}}}}; echo ${{{{inputs.n}}}} >> ${{{{outputs.y}}}}",
        mark.display()
    );
    let inputs = ["x:uri_file", "n:string"];
    (work.component_with(&command, &inputs, &["y:uri_file"], more).await, mark)
}

fn n_runs(mark: &std::path::Path) -> usize {
    fs::read_to_string(mark).map_or(0, |text| text.lines().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_would_do_the_same_again_is_not_run() {
    let work = Work::new().await;
    let uri = work.upload("in/x.txt", "content\n").await;
    let (first, first_mark) = marked(&work, json!({})).await;
    let (second, second_mark) = marked(&work, json!({})).await;
    let (random, random_mark) = marked(&work, json!({"is_deterministic": false})).await;
    let body = |n: &str| {
        let y = "${{parent.jobs.first.outputs.y}}";
        pipeline(
            json!({"x": {"jobInputType": "uri_file", "uri": uri}, "n": literal(n)}),
            json!({
                "first": step(&first, &[("x", "${{parent.inputs.x}}"), ("n", "1")]),
                "second": step(&second, &[("x", y), ("n", "${{parent.inputs.n}}")]),
                "random": step(&random, &[("x", y), ("n", "3")]),
            }),
        )
    };
    let n_each = || [&first_mark, &second_mark, &random_mark].map(|mark| n_runs(mark));
    work.submit("one", &body("2")).await;
    work.completes("one").await;
    assert_eq!(n_each(), [1, 1, 1]);

    work.submit("two", &body("2")).await;
    work.completes("two").await;
    assert_eq!(n_each(), [1, 1, 2]);
    let (one, two) = (work.steps("one"), work.steps("two"));
    let reused = work.job(&two["second"]).await;
    let noted = &reused["properties"]["properties"];
    assert_eq!(noted["azureml.isreused"], "true");
    assert_eq!(noted["azureml.reusedrunid"], json!(one["second"]));
    assert_eq!(work.output("two", "second", "y").await, "content\n1\n2\n");

    // Another value for one step, and what came before it is taken.
    work.submit("three", &body("another")).await;
    work.completes("three").await;
    assert_eq!(n_each(), [1, 2, 3]);
    assert_eq!(work.output("three", "second", "y").await, "content\n1\nanother\n");

    // Other data at the same place.
    work.upload("in/x.txt", "changed\n").await;
    work.submit("four", &body("2")).await;
    work.completes("four").await;
    assert_eq!(n_each(), [2, 3, 4]);
    assert_eq!(work.output("four", "second", "y").await, "changed\n1\n2\n");

    let mut forced = body("2");
    forced["properties"]["settings"]["force_rerun"] = json!(true);
    work.submit("five", &forced).await;
    work.completes("five").await;
    assert_eq!(n_each(), [3, 4, 5]);
    // What was forced may be taken later.
    work.submit("six", &body("2")).await;
    work.completes("six").await;
    assert_eq!(n_each(), [3, 4, 6]);
    let six = work.job(&work.steps("six")["first"]).await;
    let from = &six["properties"]["properties"]["azureml.reusedrunid"];
    assert_eq!(*from, json!(work.steps("five")["first"]));
}
