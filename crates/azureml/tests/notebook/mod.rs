//! The pipeline of the recorded notebook: seven components, eight steps.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use spinney_azureml::{
    Component, ComponentInput, ComponentOutput, ComponentSpec, JobOutput, OutputMode, PipelineJob,
};

use super::loopback::{Exchange, WORKSPACE};

const SKLEARN: &str = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
const SDK: &str = "azureml://registries/azureml/environments/python-sdk-v2/labels/latest";
const SDK_31: &str = "azureml://registries/azureml/environments/python-sdk-v2/versions/31";

/// The id of the code that the recorded components have.
pub(crate) fn code_id(recorded: &[Exchange]) -> String {
    let component = recorded.iter().find(|exchange| exchange.path.contains("/components/"));
    let code = component.unwrap().body.pointer("/properties/componentSpec/code");
    code.unwrap().as_str().unwrap().strip_prefix("azureml:").unwrap().to_owned()
}

#[derive(Clone)]
pub(crate) struct Notebook {
    specs: Vec<ComponentSpec>,
}

impl Notebook {
    pub(crate) fn new(code: &str) -> Self {
        let file = ComponentInput::uri_file;
        let (text, model) = (ComponentInput::string, ComponentInput::custom_model);
        let out = ComponentOutput::uri_file;
        let component =
            |name, command, environment| ComponentSpec::new(name, command, environment).code(code);
        let split = component(
            "split",
            "python split.py --input_data ${{inputs.input_data}} --test_size ${{inputs.test_size}} --random_state ${{inputs.random_state}} --X_train ${{outputs.X_train}} --y_train ${{outputs.y_train}} --X_test ${{outputs.X_test}} --y_test ${{outputs.y_test}}",
            SKLEARN,
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
            "python prep.py --raw_data ${{inputs.raw_data}} $[[--xform_params_in ${{inputs.xform_params_in}}]] --prepped_data ${{outputs.prepped_data}} --xform_params_out ${{outputs.xform_params_out}}",
            SKLEARN,
        )
        .input("raw_data", file())
        .input("xform_params_in", file().optional())
        .output("prepped_data", out())
        .output("xform_params_out", out());
        let train = component(
            "train",
            "python train.py --X ${{inputs.X}} --y ${{inputs.y}} --xform_params ${{inputs.xform_params}} --model_path ${{outputs.model_path}}",
            SKLEARN,
        )
        .display_name("train-model")
        .input("X", file())
        .input("y", file())
        .input("xform_params", file())
        .output("model_path", ComponentOutput::custom_model().mode(OutputMode::Upload));
        let evaluate = component(
            "evaluate",
            "python evaluate.py --model_path ${{inputs.model_path}} --X ${{inputs.X}} --y ${{inputs.y}} --metrics ${{outputs.metrics}}",
            SKLEARN,
        )
        .display_name("evaluate model")
        .input("model_path", model())
        .input("X", file())
        .input("y", file())
        .output("metrics", out());
        let tag = component(
            "tag",
            "python tag.py --model_name ${{inputs.model_name}} --metrics ${{inputs.metrics}}",
            SDK,
        )
        .display_name("tag model")
        .input("model_name", text())
        .input("metrics", file());
        // The model is an input that the command does not name: the step only waits for it.
        let deploy = component(
            "deploy",
            "python deploy.py --model_name ${{inputs.model_name}} --endpoint_name ${{inputs.endpoint_name}} --example_payload ${{outputs.example_payload}}",
            SDK,
        )
        .display_name("deploy-model")
        .input("model_path", model())
        .input("model_name", text())
        .input("endpoint_name", text())
        .output("example_payload", out());
        let test = component(
            "test",
            "python test.py --endpoint_name ${{inputs.endpoint_name}} --example_payload ${{inputs.example_payload}}",
            SDK_31,
        )
        .display_name("test-endpoint")
        .input("endpoint_name", text())
        .input("example_payload", file());
        Self { specs: vec![split, prep, train, evaluate, tag, deploy, test] }
    }

    pub(crate) fn specs(&self) -> &[ComponentSpec] {
        &self.specs
    }

    /// The pipeline of the components as they are registered.
    pub(crate) fn pipeline(&self, name: &str, registered: &[Component]) -> PipelineJob {
        let [split, prep, train, evaluate, tag, deploy, test] = registered else {
            panic!("seven components")
        };
        let pipeline = PipelineJob::builder("train_and_deploy")
            .name(name)
            .experiment_name("work")
            .default_compute("mlops-cluster");
        let dataset = format!("{WORKSPACE}/data/ames-housing-raw/versions/1");
        let dataset = pipeline.input_uri_file("dataset_uri", &dataset).unwrap();
        let model_name = pipeline.input_literal("model_name", "minimal-model").unwrap();
        let endpoint = pipeline.input_literal("endpoint_name", "sklearn-endpoint").unwrap();

        let split = pipeline.step("split", split).unwrap();
        split.bind("input_data", dataset).unwrap();
        split.bind("test_size", "0.2").unwrap().bind("random_state", "42").unwrap();

        let prep_train = pipeline.step("prep_train", prep).unwrap();
        prep_train.bind("raw_data", split.output("X_train").unwrap()).unwrap();
        let params = prep_train.output("xform_params_out").unwrap();
        let prep_test = pipeline.step("prep_test", prep).unwrap();
        prep_test.bind("raw_data", split.output("X_test").unwrap()).unwrap();
        prep_test.bind("xform_params_in", &params).unwrap();

        let train = pipeline.step("train", train).unwrap();
        train.bind("X", prep_train.output("prepped_data").unwrap()).unwrap();
        train.bind("y", split.output("y_train").unwrap()).unwrap();
        train.bind("xform_params", &params).unwrap();
        let registered = JobOutput::new().mode(OutputMode::Upload).register_as("minimal-model");
        train.set_output("model_path", registered).unwrap();
        let model = train.output("model_path").unwrap();

        let evaluate = pipeline.step("evaluate", evaluate).unwrap();
        evaluate.bind("model_path", &model).unwrap();
        evaluate.bind("X", prep_test.output("prepped_data").unwrap()).unwrap();
        evaluate.bind("y", split.output("y_test").unwrap()).unwrap();

        let tag = pipeline.step("tag", tag).unwrap();
        tag.bind("model_name", model_name).unwrap();
        tag.bind("metrics", evaluate.output("metrics").unwrap()).unwrap();

        let deploy = pipeline.step("deploy", deploy).unwrap();
        deploy.bind("model_path", &model).unwrap().bind("model_name", model_name).unwrap();
        deploy.bind("endpoint_name", endpoint).unwrap();

        let test = pipeline.step("test", test).unwrap();
        test.bind("endpoint_name", endpoint).unwrap();
        test.bind("example_payload", deploy.output("example_payload").unwrap()).unwrap();
        test.compute("mlops-cluster").unwrap();
        pipeline.build().unwrap()
    }
}
