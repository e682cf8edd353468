//! What is wrong with a pipeline, a component or a job is said when it is put together, with the step, the input and what there is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::json;
use spinney_azureml::{
    AssetType, BatchInvocation, CommandJob, Component, ComponentInput, ComponentOutput,
    ComponentSpec, ComponentVersion, InputMode, InputType, JobInput, JobOutput, OutputMode,
    PipelineBuilder, PipelineJob, Result, WorkspaceId,
};

const ENVIRONMENT: &str = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";

fn spec() -> ComponentSpec {
    ComponentSpec::new("c", "run", ENVIRONMENT)
}

fn workspace() -> WorkspaceId {
    WorkspaceId::new("00000000-0000-0000-0000-000000000000", "rg", "mlops-ws").unwrap()
}

/// One of each kind of input and output.
fn component() -> Component {
    let spec = spec()
        .input("data", ComponentInput::uri_file())
        .input("model", ComponentInput::custom_model().optional())
        .input("share", ComponentInput::new(InputType::Number).default_value(0.5))
        .input("trees", ComponentInput::new(InputType::Integer).optional())
        .input("quiet", ComponentInput::new(InputType::Boolean).optional())
        .input("label", ComponentInput::string().optional())
        .output("file", ComponentOutput::uri_file())
        .output("model", ComponentOutput::custom_model());
    Component::new("/subscriptions/s/components/c/versions/1", &spec).unwrap()
}

fn pipeline() -> PipelineBuilder {
    PipelineJob::builder("p").name("job").default_compute("cluster")
}

#[track_caller]
fn refused<T>(result: Result<T>, text: &str) {
    match result {
        Ok(_) => panic!("not refused: {text}"),
        Err(error) => assert_eq!(error.to_string(), text),
    }
}

#[test]
fn names_that_there_are_not() {
    let pipeline = pipeline();
    let step = pipeline.step("train", &component()).unwrap();
    refused(
        step.bind("dta", 1),
        "pipeline `p`, step `train`: there is no input `dta`; there are `data`, `label`, `model`, `quiet`, `share` and `trees`",
    );
    refused(
        step.output("fil"),
        "pipeline `p`, step `train`: there is no output `fil`; there are `file` and `model`",
    );
    refused(
        step.set_output("fil", JobOutput::new()),
        "pipeline `p`, step `train`: there is no output `fil`; there are `file` and `model`",
    );
    let bare = Component::new("/subscriptions/s", &spec()).unwrap();
    let bare = pipeline.step("bare", &bare).unwrap();
    refused(bare.bind("x", 1), "pipeline `p`, step `bare`: there is no input `x`; there are none");
}

#[test]
fn types_that_do_not_fit() {
    let pipeline = pipeline();
    let file = pipeline.input_uri_file("file", "azureml:ames:1").unwrap();
    let folder = pipeline.input_uri_folder("folder", "https://example.org/ames/").unwrap();
    let text = pipeline.input_literal("text", "0.2").unwrap();
    let step = pipeline.step("train", &component()).unwrap();
    refused(
        step.bind("model", file),
        "pipeline `p`, step `train`: the input `model` takes custom_model, and the pipeline's input `file` is uri_file",
    );
    refused(
        step.bind("data", folder),
        "pipeline `p`, step `train`: the input `data` takes uri_file, and the pipeline's input `folder` is uri_folder",
    );
    refused(
        step.bind("share", text),
        "pipeline `p`, step `train`: the input `share` takes number, and the pipeline's input `text` is string",
    );
    refused(
        step.bind("data", step.output("model").unwrap()),
        "pipeline `p`, step `train`: the input `data` takes uri_file, and the output `model` of the step `train` is custom_model",
    );
    refused(
        step.bind("trees", 0.5),
        "pipeline `p`, step `train`: the input `trees` takes integer, and the value is number",
    );
    refused(
        step.bind("quiet", "True"),
        "pipeline `p`, step `train`: the input `quiet` takes boolean, and the value is string",
    );
    refused(
        step.bind("data", "azureml:ames:1"),
        "pipeline `p`, step `train`: the input `data` takes uri_file, and the value is string",
    );
    step.bind("share", 1).unwrap();
}

#[test]
fn values_that_cannot_be() {
    let pipeline = pipeline();
    let step = pipeline.step("train", &component()).unwrap();
    refused(step.bind("share", f64::NAN), "the value of an input is NaN: a finite number");
    refused(
        step.bind("label", "${{parent.inputs.x}}"),
        "the value of an input is `${{parent.inputs.x}}`: a text without `${{`; bind an input or output instead",
    );
    for path in ["data/ames.csv", "C:\\ames.csv", "/home/anna/ames.csv", "", "größere Häuser"] {
        refused(
            pipeline.input_uri_file("data", path),
            &format!(
                "the address of an input is `{path}`: a resource id, or an address such as `azureml://..` or `https://..`"
            ),
        );
    }
    // No signature is shown.
    let error = pipeline.input_uri_file("data", "blob/x?sig=SECRET").unwrap_err();
    let signed = "https://account.blob.core.windows.net/data/ames.csv?sig=SECRET";
    let job = CommandJob::new("run", ENVIRONMENT).input("data", JobInput::uri_file(signed)).output(
        "o",
        AssetType::UriFile,
        JobOutput::new().uri(signed),
    );
    let call = BatchInvocation::file(signed).output_file("o", signed);
    pipeline.input_uri_file("signed", signed).unwrap();
    let shown = format!("{error} {error:?} {job:?} {call:?} {pipeline:?}");
    assert!(shown.contains("account.blob.core.windows.net/data/ames.csv"));
    assert!(!shown.contains("SECRET"), "{shown}");
    refused(
        step.set_output("model", JobOutput::new().register_as("my model")),
        "asset name `my model` is not allowed: up to 255 letters, digits, hyphens and underscores, a letter or digit first",
    );
    refused(
        step.set_output("model", JobOutput::new().version("2")),
        "the version of an output is `2`: there must be a name to register it as, too",
    );
    refused(
        step.environment_variable("A=B", "x"),
        "pipeline `p`, step `train`: a variable of its environment cannot be called `A=B`",
    );
    assert!(step.compute("cluster-1").unwrap_err().to_string().starts_with("compute name"));
}

#[test]
fn names_that_are_taken_or_cannot_be() {
    let pipeline = pipeline();
    pipeline.input_literal("x", 1).unwrap();
    refused(
        pipeline.input_literal("x", 2),
        "pipeline `p`: there is an input `x` already; there are `x`",
    );
    refused(
        pipeline.input_literal("x-y", 2),
        "pipeline `p`: an input cannot be called `x-y`: letters, digits and underscores, no digit first",
    );
    let step = pipeline.step("train", &component()).unwrap();
    refused(
        pipeline.step("train", &component()),
        "pipeline `p`: there is a step `train` already; there are `train`",
    );
    refused(
        pipeline.step("Train", &component()),
        "pipeline `p`: a step cannot be called `Train`: lower-case letters, digits and underscores, no digit first",
    );
    step.bind("share", 0.2).unwrap();
    refused(
        step.bind("share", 0.3),
        "pipeline `p`, step `train`: the input `share` is bound already, to the value",
    );
    let (file, model) = (step.output("file").unwrap(), step.output("model").unwrap());
    pipeline.output("out", &file, JobOutput::new()).unwrap();
    refused(
        pipeline.output("out", &model, JobOutput::new()),
        "pipeline `p`: there is an output `out` already; there are `out`",
    );
    refused(
        pipeline.output("again", &file, JobOutput::new()),
        "pipeline `p`: the output `file` of the step `train` is its output `out` already",
    );
    refused(
        step.set_output("file", JobOutput::new()),
        "pipeline `p`, step `train`: the output `file` is one of the pipeline, whose settings count",
    );
    step.set_output("model", JobOutput::new().mode(OutputMode::Upload)).unwrap();
    refused(
        pipeline.output("model", &model, JobOutput::new()),
        "pipeline `p`: the output `model` of the step `train` has settings of its own",
    );
}

#[test]
fn nothing_of_another_pipeline() {
    let (one, other) = (pipeline(), PipelineJob::builder("q"));
    let step = one.step("train", &component()).unwrap();
    let foreign = other.step("split", &component()).unwrap();
    refused(
        step.bind("data", foreign.output("file").unwrap()),
        "pipeline `p`: the output `file` is that of another, pipeline `q`",
    );
    refused(
        step.bind("trees", other.input_literal("n", 3).unwrap()),
        "pipeline `p`: the input `n` is that of another, pipeline `q`",
    );
    refused(
        one.output("x", &foreign.output("file").unwrap(), JobOutput::new()),
        "pipeline `p`: the output `file` is that of another, pipeline `q`",
    );
}

#[test]
fn what_only_the_whole_can_tell() {
    refused(pipeline().build(), "pipeline `p`: it has no step");

    let builder = pipeline();
    builder.step("train", &component()).unwrap().bind("share", 0.2).unwrap();
    refused(builder.build(), "pipeline `p`, step `train`: it needs `data`; bound are `share`");

    let builder = PipelineJob::builder("p");
    builder.step("train", &component()).unwrap();
    refused(
        builder.build(),
        "pipeline `p`, step `train`: it has no compute, and the pipeline has no default_compute",
    );

    let builder = pipeline();
    let data = builder.input_uri_file("data", "azureml:ames:1").unwrap();
    builder.input_literal("n", 3).unwrap();
    let step = builder.step("train", &component()).unwrap();
    step.bind("data", data).unwrap();
    refused(builder.build(), "pipeline `p`: no step uses the input `n`");

    let builder = pipeline();
    let (a, b, c) = (
        builder.step("a", &component()).unwrap(),
        builder.step("b", &component()).unwrap(),
        builder.step("c", &component()).unwrap(),
    );
    a.bind("data", c.output("file").unwrap()).unwrap();
    b.bind("data", a.output("file").unwrap()).unwrap();
    c.bind("data", b.output("file").unwrap()).unwrap();
    refused(
        builder.build(),
        "pipeline `p`: its steps wait for each other: `a` for `c` for `b` for `a`",
    );

    let builder = pipeline();
    let alone = builder.step("alone", &component()).unwrap();
    alone.bind("data", alone.output("file").unwrap()).unwrap();
    refused(builder.build(), "pipeline `p`: its steps wait for each other: `alone` for `alone`");

    let named = |builder: PipelineBuilder| {
        let data = builder.input_uri_file("data", "azureml:ames:1")?;
        builder.step("train", &component())?.bind("data", data)?;
        builder.build()
    };
    assert!(named(pipeline().name("a/b")).unwrap_err().to_string().starts_with("job name `a/b`"));
    assert!(named(pipeline().default_compute("c-1")).is_err());
    assert!(named(pipeline()).is_ok());
}

#[test]
fn components_that_do_not_fit_together() {
    let file = ComponentInput::uri_file;
    refused(
        spec().input("x", file()).input("x", file()).check(),
        "component `c`: the input `x` is there twice, of `x` and `x`",
    );
    refused(
        spec().output("1x", ComponentOutput::uri_file()).check(),
        "component `c`: an output cannot be called `1x`: letters, digits and underscores, no digit first",
    );
    refused(
        ComponentSpec::new("c", "cat ${{inputs.y}}", ENVIRONMENT).input("x", file()).check(),
        "component `c`: the command names an input `y`; there are `x`",
    );
    refused(
        ComponentSpec::new("c", "cat ${{inputs.x}}", ENVIRONMENT)
            .input("x", file().optional())
            .check(),
        "component `c`: the command needs the optional input `x`: put `$[[` and `]]` around that part of it",
    );
    refused(
        spec().input("n", ComponentInput::new(InputType::Integer).default_value("five")).check(),
        "component `c`: the input `n` is integer and its default value is string",
    );
    refused(
        spec().input("n", ComponentInput::string().mode(InputMode::Download)).check(),
        "component `c`: the input `n` is string, which has no mode",
    );
    refused(
        spec()
            .input("n", ComponentInput::new(InputType::Number).default_value(f64::INFINITY))
            .check(),
        "the value of an input is inf: a finite number",
    );
    refused(ComponentSpec::new("c", " ", ENVIRONMENT).check(), "component `c`: it has no command");
    refused(
        ComponentSpec::new("c", "run", "sklearn").check(),
        "component `c`: its environment is `sklearn`: it must be a resource id or begin with `azureml:`",
    );
    assert!(ComponentSpec::new("a b", "run", ENVIRONMENT).check().is_err());
    // A step cannot be made of one that is not whole.
    assert!(Component::new("/x", &spec().input("", file())).is_err());
}

#[test]
fn jobs_that_do_not_fit_together() {
    let job = |command: &str| CommandJob::new(command, ENVIRONMENT).name("j");
    refused(job("").check(), "job `j`: it has no command");
    refused(CommandJob::new("run", "").name("j").check(), "job `j`: it has no environment");
    refused(job("run").instance_count(0).check(), "job `j`: it runs on 0 machines");
    refused(
        job("x ${{outputs.o}}").output("out", AssetType::UriFile, JobOutput::new()).check(),
        "job `j`: the command names an output `o`; there are `out`",
    );
    refused(
        job("run").input("data", JobInput::uri_file("ames.csv")).check(),
        "the address of an input is `ames.csv`: a resource id, or an address such as `azureml://..` or `https://..`",
    );
    assert!(job("run").name("a b").check().is_err());
    assert!(job("run").compute("x y").check().is_err());
    assert_ne!(
        CommandJob::new("run", ENVIRONMENT).job_name(),
        CommandJob::new("run", ENVIRONMENT).job_name()
    );
}

/// As the SDK sends it (azure-ai-ml 1.35.2), but for `_source`.
#[test]
fn what_the_notebook_has_not_is_the_sdks_too() {
    let pipeline = PipelineJob::builder("d")
        .experiment_name("e")
        .default_compute("serverless")
        .continue_on_step_failure(false)
        .force_rerun(true);
    let data =
        JobInput::uri_folder("azureml://datastores/x/paths/y").mode(InputMode::ReadOnlyMount);
    let data = pipeline.input("data", data).unwrap();
    let num = pipeline.input_literal("num", 5).unwrap();
    let flag = pipeline.input_literal("flag", true).unwrap();
    let a = spec()
        .input("a", ComponentInput::uri_folder())
        .input("n", ComponentInput::new(InputType::Number).default_value(0.5))
        .input("i", ComponentInput::new(InputType::Integer).default_value(5))
        .input("f", ComponentInput::new(InputType::Boolean).default_value(true))
        .output("o", ComponentOutput::uri_folder().mode(OutputMode::Upload))
        .output("m", ComponentOutput::custom_model());
    let a = Component::new("/subscriptions/s/c/1", &a).unwrap();
    let s = pipeline.step("s", &a).unwrap();
    s.bind("a", data)
        .unwrap()
        .bind("n", num)
        .unwrap()
        .bind("i", 3)
        .unwrap()
        .bind("f", flag)
        .unwrap();
    let s2 = pipeline.step("s2", &a).unwrap();
    s2.bind("a", s.output("o").unwrap()).unwrap().bind("n", 0.25).unwrap().bind("i", num).unwrap();
    s2.compute("other").unwrap().environment_variable("A", "b").unwrap();
    s2.set_output("o", JobOutput::new().mode(OutputMode::Upload)).unwrap();
    let registered = JobOutput::new().mode(OutputMode::Upload).register_as("mm").version("2");
    pipeline.output("final", &s2.output("m").unwrap(), registered).unwrap();
    pipeline.output("o", &s.output("o").unwrap(), JobOutput::new()).unwrap();
    let literal = |value: &str| json!({"value": value, "job_input_type": "literal"});
    let body = pipeline.build().unwrap().body(&workspace());
    assert_eq!(
        body["properties"],
        json!({
            "displayName": "d", "tags": {}, "properties": {}, "experimentName": "e", "isArchived": false, "jobType": "Pipeline",
            "jobs": {
                "s": {
                    "name": "s", "type": "command", "display_name": "c", "componentId": "/subscriptions/s/c/1",
                    "inputs": {
                        "a": literal("${{parent.inputs.data}}"), "n": literal("${{parent.inputs.num}}"),
                        "f": literal("${{parent.inputs.flag}}"), "i": literal("3"),
                    },
                    "outputs": {
                        "m": {"job_output_type": "custom_model"},
                        "o": {"value": "${{parent.outputs.o}}", "type": "literal"},
                    },
                },
                "s2": {
                    "name": "s2", "type": "command", "display_name": "c", "componentId": "/subscriptions/s/c/1",
                    "computeId": format!("{}/computes/other", workspace()), "environment_variables": {"A": "b"},
                    "inputs": {
                        "a": literal("${{parent.jobs.s.outputs.o}}"), "i": literal("${{parent.inputs.num}}"), "n": literal("0.25"),
                    },
                    "outputs": {
                        "o": {"mode": "Upload", "job_output_type": "uri_folder"},
                        "m": {"value": "${{parent.outputs.final}}", "type": "literal", "mode": "Upload"},
                    },
                },
            },
            "inputs": {
                "data": {"uri": "azureml://datastores/x/paths/y", "mode": "ReadOnlyMount", "jobInputType": "uri_folder"},
                "num": {"value": "5", "jobInputType": "literal"},
                "flag": {"value": "True", "jobInputType": "literal"},
            },
            "outputs": {
                "final": {"assetName": "mm", "mode": "Upload", "jobOutputType": "custom_model", "assetVersion": "2"},
                "o": {"jobOutputType": "uri_folder"},
            },
            "settings": {"default_compute": "serverless", "continue_on_step_failure": false, "force_rerun": true},
        })
    );
}

#[test]
fn a_component_that_was_read_is_a_step() {
    let version: ComponentVersion = serde_json::from_value(json!({
        "id": "/subscriptions/s/components/prep/versions/3", "name": "3",
        "properties": {"componentSpec": {
            "type": "pipeline", "display_name": "Prep",
            "inputs": {
                "raw": {"type": "uri_file"}, "old": {"type": "uri_file", "optional": "True"},
                "share": {"type": "number", "default": 0.2},
            },
            "outputs": {"out": {"type": "mltable", "mode": "rw_mount"}},
        }},
    }))
    .unwrap();
    let component = Component::try_from(&version).unwrap();
    assert_eq!((component.component_type(), component.display_name()), ("pipeline", Some("Prep")));
    let required: Vec<(&str, bool)> = component
        .inputs()
        .iter()
        .map(|(name, input)| (name.as_str(), input.is_required()))
        .collect();
    assert_eq!(required, [("old", false), ("raw", true), ("share", false)]);
    assert_eq!(component.outputs()["out"].asset_type(), AssetType::MlTable);

    let mut unknown = version;
    unknown.properties.component_spec["inputs"]["raw"]["type"] = json!("AnyDirectory");
    refused(
        Component::try_from(&unknown),
        "component `/subscriptions/s/components/prep/versions/3`: the input `raw` has an unknown type, \"AnyDirectory\"",
    );
}
