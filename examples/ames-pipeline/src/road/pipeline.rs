//! The workshop's pipeline: seven components, eight steps, each of which runs this program.

use anyhow::Result;
use spinney_azureml::{
    Component, ComponentInput, ComponentOutput, ComponentSpec, JobOutput, MlClient, OutputMode,
    PipelineJob,
};

use super::{
    args::RoadArgs,
    materials::PROGRAM,
    plan::{EXPERIMENT, JOB_ENVIRONMENT},
};
use crate::workshop;

/// The outputs of the whole.
pub(super) const METRICS: &str = "metrics";
pub(super) const REPORT: &str = "report";

/// The components as they are registered.
pub(super) struct Components {
    split: Component,
    prep: Component,
    train: Component,
    evaluate: Component,
    tag: Component,
    deploy: Component,
    test: Component,
}

/// A component that runs a stage. An upload does not tell which files are programs.
fn component(stage: &str, arguments: &str, code: &str) -> ComponentSpec {
    let command = format!("chmod +x {PROGRAM} && ./{PROGRAM} {stage} {arguments}");
    ComponentSpec::new(stage, command, JOB_ENVIRONMENT).code(code)
}

impl Components {
    pub(super) async fn register(client: &MlClient, code: &str) -> Result<Self> {
        let components = client.components();
        let [split, prep, train, evaluate] = data_components(code);
        let [tag, deploy, test] = workspace_components(code);
        Ok(Self {
            split: components.create_anonymous(&split).await?,
            prep: components.create_anonymous(&prep).await?,
            train: components.create_anonymous(&train).await?,
            evaluate: components.create_anonymous(&evaluate).await?,
            tag: components.create_anonymous(&tag).await?,
            deploy: components.create_anonymous(&deploy).await?,
            test: components.create_anonymous(&test).await?,
        })
    }
}

/// Those that make files of files: the same of the same.
fn data_components(code: &str) -> [ComponentSpec; 4] {
    let (file, text) = (ComponentInput::uri_file, ComponentInput::string);
    let out = ComponentOutput::uri_file;
    let split = component(
        "split",
        "--input_data ${{inputs.input_data}} --test_size ${{inputs.test_size}} --random_state ${{inputs.random_state}} --X_train ${{outputs.X_train}} --y_train ${{outputs.y_train}} --X_test ${{outputs.X_test}} --y_test ${{outputs.y_test}}",
        code,
    )
    .input("input_data", file())
    .input("test_size", text())
    .input("random_state", text())
    .output("X_train", out())
    .output("y_train", out())
    .output("X_test", out())
    .output("y_test", out());
    let prep = component(
        "prep",
        "--raw_data ${{inputs.raw_data}} $[[--xform_params_in ${{inputs.xform_params_in}}]] --prepped_data ${{outputs.prepped_data}} --xform_params_out ${{outputs.xform_params_out}}",
        code,
    )
    .input("raw_data", file())
    .input("xform_params_in", file().optional())
    .output("prepped_data", out())
    .output("xform_params_out", out());
    let train = component(
        "train",
        "--X ${{inputs.X}} --y ${{inputs.y}} --xform_params ${{inputs.xform_params}} --n-estimators ${{inputs.n_estimators}} --seed ${{inputs.seed}} --model_path ${{outputs.model_path}}",
        code,
    )
    .display_name("train-model")
    .input("X", file())
    .input("y", file())
    .input("xform_params", file())
    .input("n_estimators", text())
    .input("seed", text())
    .output("model_path", ComponentOutput::custom_model().mode(OutputMode::Upload));
    let evaluate = component(
        "evaluate",
        "--model_path ${{inputs.model_path}} --X ${{inputs.X}} --y ${{inputs.y}} --metrics ${{outputs.metrics}} --report ${{outputs.report}}",
        code,
    )
    .display_name("evaluate model")
    .input("model_path", ComponentInput::custom_model())
    .input("X", file())
    .input("y", file())
    .output("metrics", out())
    .output("report", ComponentOutput::uri_folder());
    [split, prep, train, evaluate]
}

/// Those that change the workspace, and so run each time.
fn workspace_components(code: &str) -> [ComponentSpec; 3] {
    let (file, text) = (ComponentInput::uri_file, ComponentInput::string);
    let tag =
        component("tag", "--model_name ${{inputs.model_name}} --metrics ${{inputs.metrics}}", code)
            .display_name("tag model")
            .input("model_name", text())
            .input("metrics", file());
    // The model is an input that the command does not name: the step only waits for it.
    let deploy = component(
        "deploy",
        "--model_name ${{inputs.model_name}} --endpoint_name ${{inputs.endpoint_name}} --environment ${{inputs.environment}} --example_payload ${{outputs.example_payload}}",
        code,
    )
    .display_name("deploy-model")
    .input("model_path", ComponentInput::custom_model())
    .input("model_name", text())
    .input("endpoint_name", text())
    .input("environment", text())
    .output("example_payload", ComponentOutput::uri_file());
    let test = component(
        "test",
        "--endpoint_name ${{inputs.endpoint_name}} --example_payload ${{inputs.example_payload}}",
        code,
    )
    .display_name("test-endpoint")
    .input("endpoint_name", text())
    .input("example_payload", file());
    [tag, deploy, test].map(|spec| spec.is_deterministic(false))
}

/// What the pipeline is bound to.
pub(super) struct Inputs<'a> {
    pub(super) args: &'a RoadArgs,
    /// Ids of the data and of the environment that serves the model.
    pub(super) data: &'a str,
    pub(super) environment: &'a str,
    pub(super) endpoint: &'a str,
}

pub(super) fn pipeline(components: &Components, inputs: &Inputs<'_>) -> Result<PipelineJob> {
    let Inputs { args, data, environment, endpoint } = inputs;
    let pipeline = PipelineJob::builder("train_and_deploy")
        .experiment_name(EXPERIMENT)
        .default_compute(&args.cluster);
    let data = pipeline.input_uri_file("dataset_uri", data)?;
    let model_name = pipeline.input_literal("model_name", workshop::MODEL_NAME)?;
    let endpoint = pipeline.input_literal("endpoint_name", *endpoint)?;

    let split = pipeline.step("split", &components.split)?;
    split.bind("input_data", data)?.bind("test_size", args.test_size.as_str())?;
    split.bind("random_state", args.random_state.to_string())?;

    let prep_train = pipeline.step("prep_train", &components.prep)?;
    prep_train.bind("raw_data", split.output("X_train")?)?;
    let params = prep_train.output("xform_params_out")?;
    let prep_test = pipeline.step("prep_test", &components.prep)?;
    prep_test.bind("raw_data", split.output("X_test")?)?.bind("xform_params_in", &params)?;

    let train = pipeline.step("train", &components.train)?;
    train.bind("X", prep_train.output("prepped_data")?)?.bind("y", split.output("y_train")?)?;
    train.bind("xform_params", &params)?.bind("seed", args.seed.to_string())?;
    train.bind("n_estimators", args.n_estimators.to_string())?;
    let registered = JobOutput::new().mode(OutputMode::Upload).register_as(workshop::MODEL_NAME);
    train.set_output("model_path", registered)?;
    let model = train.output("model_path")?;

    let evaluate = pipeline.step("evaluate", &components.evaluate)?;
    evaluate.bind("model_path", &model)?.bind("X", prep_test.output("prepped_data")?)?;
    evaluate.bind("y", split.output("y_test")?)?;
    let metrics = evaluate.output("metrics")?;
    pipeline.output(METRICS, &metrics, JobOutput::new())?;
    pipeline.output(REPORT, &evaluate.output("report")?, JobOutput::new())?;

    let tag = pipeline.step("tag", &components.tag)?;
    tag.bind("model_name", model_name)?.bind("metrics", &metrics)?;

    let deploy = pipeline.step("deploy", &components.deploy)?;
    deploy.bind("model_path", &model)?.bind("model_name", model_name)?;
    deploy.bind("endpoint_name", endpoint)?.bind("environment", *environment)?;

    let test = pipeline.step("test", &components.test)?;
    test.bind("endpoint_name", endpoint)?;
    test.bind("example_payload", deploy.output("example_payload")?)?;
    Ok(pipeline.build()?)
}
