use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    input_output::{Casing, JobInput, JobOutput},
    job_name::job_name,
};
use crate::{
    AssetType, Error, NameRule, Result, WorkspaceId,
    components::{check_placeholders, names_problem},
    duration::iso8601,
};

/// A job that runs one command.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{AssetType, CommandJob, JobInput, JobOutput};
///
/// let job = CommandJob::new(
///     "python train.py --data ${{inputs.data}} --model ${{outputs.model}}",
///     "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
/// )
/// .compute("mlops-cluster")
/// .experiment_name("ames")
/// .input("data", JobInput::uri_file("azureml:ames-housing-raw:1"))
/// .output("model", AssetType::UriFolder, JobOutput::new());
/// job.check()?;
///
/// let error = job.input("dat", JobInput::literal(1)).input("dat", JobInput::literal(2)).check().unwrap_err();
/// assert!(error.to_string().ends_with("the input `dat` is there twice, of `data`, `dat` and `dat`"));
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct CommandJob {
    name: String,
    display_name: Option<String>,
    experiment_name: Option<String>,
    description: Option<String>,
    command: String,
    environment: String,
    code: Option<String>,
    compute: Option<String>,
    inputs: Vec<(String, JobInput)>,
    outputs: Vec<(String, AssetType, JobOutput)>,
    environment_variables: BTreeMap<String, String>,
    instance_count: u32,
    timeout: Option<Duration>,
    tags: BTreeMap<String, String>,
}

impl CommandJob {
    /// A command and its environment, an id or `azureml://registries/..`. Its name is made up, and stays with it and its clones:
    /// submitted twice it is one job.
    pub fn new(command: impl Into<String>, environment: impl Into<String>) -> Self {
        Self {
            name: job_name(),
            display_name: None,
            experiment_name: None,
            description: None,
            command: command.into(),
            environment: environment.into(),
            code: None,
            compute: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            environment_variables: BTreeMap::new(),
            instance_count: 1,
            timeout: None,
            tags: BTreeMap::new(),
        }
    }

    /// Its name, that no other job of the workspace has.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// How it is called where it is shown.
    pub fn display_name(self, name: impl Into<String>) -> Self {
        Self { display_name: Some(name.into()), ..self }
    }

    /// With which others it is shown: `Default`, unless said otherwise.
    pub fn experiment_name(self, name: impl Into<String>) -> Self {
        Self { experiment_name: Some(name.into()), ..self }
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// The id of the code that its command runs, in whose folder it starts.
    pub fn code(self, id: impl Into<String>) -> Self {
        Self { code: Some(id.into()), ..self }
    }

    /// The compute that it runs on, by name or id. Without one, Azure ML takes machines as it finds them (serverless).
    pub fn compute(self, compute: impl Into<String>) -> Self {
        Self { compute: Some(compute.into()), ..self }
    }

    /// An input.
    pub fn input(mut self, name: impl Into<String>, input: JobInput) -> Self {
        self.inputs.push((name.into(), input));
        self
    }

    /// An output.
    pub fn output(
        mut self,
        name: impl Into<String>,
        asset_type: AssetType,
        output: JobOutput,
    ) -> Self {
        self.outputs.push((name.into(), asset_type, output));
        self
    }

    /// A variable of its environment. Everybody who may read jobs can read it: it is no place for secrets.
    pub fn environment_variable(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.environment_variables.insert(name.into(), value.into());
        self
    }

    /// On how many machines it runs: 1, unless said otherwise.
    pub fn instance_count(self, count: u32) -> Self {
        Self { instance_count: count, ..self }
    }

    /// After how long Azure ML ends it.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// A tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Its name, given or made up.
    #[must_use]
    pub fn job_name(&self) -> &str {
        &self.name
    }

    /// Checks it, as submitting it does first.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`], [`Error::InvalidArgument`] or [`Error::Definition`]: a name twice or of another form, a placeholder
    /// of the command that names no input or output, an address that is none, no machine.
    pub fn check(&self) -> Result<()> {
        NameRule::Job.check(&self.name)?;
        self.inputs.iter().try_for_each(|(_, input)| input.check())?;
        self.outputs.iter().try_for_each(|(.., output)| output.check())?;
        if let Some(compute) = &self.compute {
            check_compute(compute)?;
        }
        self.problem().map_or(Ok(()), |problem| {
            Err(Error::Definition { place: format!("job `{}`", self.name), problem })
        })
    }

    fn problem(&self) -> Option<String> {
        let inputs: Vec<&str> = self.inputs.iter().map(|(name, _)| name.as_str()).collect();
        let outputs: Vec<&str> = self.outputs.iter().map(|(name, ..)| name.as_str()).collect();
        if self.command.trim().is_empty() {
            return Some("it has no command".to_owned());
        }
        if self.environment.trim().is_empty() {
            return Some("it has no environment".to_owned());
        }
        if self.instance_count == 0 {
            return Some("it runs on 0 machines".to_owned());
        }
        names_problem("input", &inputs)
            .or_else(|| names_problem("output", &outputs))
            .or_else(|| check_placeholders(&self.command, &inputs, &outputs, |_| true).err())
    }

    pub(super) fn body(&self, workspace: &WorkspaceId) -> Value {
        let inputs = self.inputs.iter().map(|(name, input)| (name.clone(), input.body()));
        let outputs = self.outputs.iter().map(|(name, asset_type, output)| {
            (name.clone(), output.body(*asset_type, Casing::Camel))
        });
        let mut properties = json!({
            "jobType": "Command",
            "command": self.command,
            "environmentId": self.environment,
            "inputs": Map::from_iter(inputs),
            "outputs": Map::from_iter(outputs),
            "environmentVariables": self.environment_variables,
            "resources": {"instanceCount": self.instance_count},
            "isArchived": false,
            "properties": {},
            "tags": self.tags,
        });
        let compute = self.compute.as_ref().filter(|compute| *compute != SERVERLESS);
        let compute = compute.map(|compute| compute_id(compute, workspace));
        for (key, value) in [
            ("displayName", &self.display_name),
            ("experimentName", &self.experiment_name),
            ("description", &self.description),
            ("codeId", &self.code),
            ("computeId", &compute),
        ] {
            if let Some(value) = value {
                properties[key] = json!(value);
            }
        }
        if let Some(timeout) = self.timeout {
            properties["limits"] = json!({"jobLimitsType": "Command", "timeout": iso8601(timeout)});
        }
        json!({"properties": properties})
    }
}

/// What Azure ML calls no compute in particular. A command job says so by naming none.
const SERVERLESS: &str = "serverless";

/// Checks a compute's name or id.
pub(super) fn check_compute(compute: &str) -> Result<()> {
    if compute.starts_with('/') {
        return Ok(());
    }
    NameRule::Compute.check(compute)
}

/// A compute's id. Jobs name computes by it.
pub(crate) fn compute_id(compute: &str, workspace: &WorkspaceId) -> String {
    if compute.starts_with('/') || compute == SERVERLESS {
        return compute.to_owned();
    }
    format!("{workspace}/computes/{compute}")
}
