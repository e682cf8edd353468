//! Pipelines whose parts are checked against each other while they are put together, and not by Azure minutes later.

mod body;
mod builder;
mod check;
mod step;

use std::collections::BTreeMap;

use serde_json::Value;

use super::input_output::{JobInput, JobOutput};
use crate::{Component, Literal, WorkspaceId};
pub use builder::{PipelineBuilder, PipelineInput};
pub use step::{Binding, PipelineStep, StepOutput};

/// A pipeline that is whole: every input that a step needs is there, of the right type, and no step waits for itself.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{Component, ComponentInput, ComponentOutput, ComponentSpec, JobOutput, PipelineJob};
///
/// let environment = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
/// let split = ComponentSpec::new("split", "python split.py ${{inputs.data}} ${{outputs.X}}", environment)
///     .input("data", ComponentInput::uri_file())
///     .output("X", ComponentOutput::uri_file());
/// let train = ComponentSpec::new("train", "python train.py ${{inputs.X}} ${{outputs.model}}", environment)
///     .input("X", ComponentInput::uri_file())
///     .output("model", ComponentOutput::custom_model());
/// // As `components().create_anonymous(..)` gives them.
/// let split = Component::new("/subscriptions/../components/azureml_anonymous/versions/1", &split)?;
/// let train = Component::new("/subscriptions/../components/azureml_anonymous/versions/2", &train)?;
///
/// let pipeline = PipelineJob::builder("train").experiment_name("ames").default_compute("mlops-cluster");
/// let data = pipeline.input_uri_file("dataset", "azureml:ames-housing-raw:1")?;
/// let split = pipeline.step("split", &split)?;
/// split.bind("data", data)?;
/// let train = pipeline.step("train", &train)?;
/// train.bind("X", split.output("X")?)?;
/// train.set_output("model", JobOutput::new().register_as("ames-housing"))?;
/// let job = pipeline.build()?;
///
/// // client.jobs().submit(&job).await?;
/// # assert!(job.job_name().contains('_'));
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineJob {
    draft: Draft,
}

impl PipelineJob {
    /// Begins a pipeline that is shown under this name.
    pub fn builder(display_name: impl Into<String>) -> PipelineBuilder {
        PipelineBuilder::new(display_name)
    }

    /// Its name, given or made up. It stays with it and its clones: submitted twice it is one job.
    #[must_use]
    pub fn job_name(&self) -> &str {
        &self.draft.name
    }

    /// The body of the request that submits it to a workspace.
    #[must_use]
    pub fn body(&self, workspace: &WorkspaceId) -> Value {
        body::body(&self.draft, workspace)
    }
}

/// What a pipeline has so far.
#[derive(Debug, Clone, PartialEq)]
struct Draft {
    name: String,
    display_name: String,
    experiment_name: Option<String>,
    description: Option<String>,
    default_compute: Option<String>,
    continue_on_step_failure: Option<bool>,
    force_rerun: Option<bool>,
    tags: BTreeMap<String, String>,
    inputs: Vec<(String, JobInput)>,
    steps: Vec<Step>,
    outputs: Vec<Promoted>,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    name: String,
    component: Component,
    compute: Option<String>,
    environment_variables: BTreeMap<String, String>,
    inputs: BTreeMap<String, Source>,
    outputs: BTreeMap<String, JobOutput>,
}

/// An output of a step that is one of the pipeline, too.
#[derive(Debug, Clone, PartialEq)]
struct Promoted {
    name: String,
    step: usize,
    output: String,
    settings: JobOutput,
}

/// Where an input of a step comes from. Steps and inputs of the pipeline are numbers: what there is not has none.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    Literal(Literal),
    Input(usize),
    Output { step: usize, output: String },
}

impl Draft {
    fn place(&self) -> String {
        format!("pipeline `{}`", self.display_name)
    }

    /// What a source is called in an error.
    fn name_of(&self, source: &Source) -> String {
        match source {
            Source::Literal(_) => "the value".to_owned(),
            Source::Input(index) => {
                let name = self.inputs.get(*index).map_or("", |(name, _)| name);
                format!("the pipeline's input `{name}`")
            }
            Source::Output { step, output } => {
                let step = self.steps.get(*step).map_or("", |step| &step.name);
                format!("the output `{output}` of the step `{step}`")
            }
        }
    }
}
