use std::{
    collections::BTreeMap,
    fmt, ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Draft, PipelineJob, PipelineStep, Promoted, Step, StepOutput, check};
use crate::{
    Component, Error, JobInput, JobOutput, Literal, NameRule, Result,
    jobs::{command_job::check_compute, job_name::job_name},
    name_list::{is_identifier, name_list},
};

/// A pipeline that is being put together: [`PipelineJob::builder`].
///
/// First its settings, then inputs, steps and what connects them; [`build`](Self::build) checks what only the whole can tell.
/// Inputs and steps are handles: what was not made cannot be bound, and not to another pipeline.
#[must_use]
pub struct PipelineBuilder {
    draft: Mutex<Draft>,
}

/// An input of a pipeline.
#[derive(Clone, Copy)]
pub struct PipelineInput<'p> {
    pub(super) pipeline: &'p PipelineBuilder,
    pub(super) index: usize,
}

impl PipelineBuilder {
    pub(super) fn new(display_name: impl Into<String>) -> Self {
        Self {
            draft: Mutex::new(Draft {
                name: job_name(),
                display_name: display_name.into(),
                experiment_name: None,
                description: None,
                default_compute: None,
                continue_on_step_failure: None,
                force_rerun: None,
                tags: BTreeMap::new(),
                inputs: Vec::new(),
                steps: Vec::new(),
                outputs: Vec::new(),
            }),
        }
    }

    /// What it has so far. Nobody panics while holding it.
    pub(super) fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(self, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.draft());
        self
    }

    /// The job's name, that no other job of the workspace has. Without it, one is made up.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|draft| draft.name = name.into())
    }

    /// With which others it is shown: `Default`, unless said otherwise.
    pub fn experiment_name(self, name: impl Into<String>) -> Self {
        self.with(|draft| draft.experiment_name = Some(name.into()))
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        self.with(|draft| draft.description = Some(description.into()))
    }

    /// The compute of steps that name none: a name, an id, or `serverless`.
    pub fn default_compute(self, compute: impl Into<String>) -> Self {
        self.with(|draft| draft.default_compute = Some(compute.into()))
    }

    /// Whether other steps go on when one has failed.
    pub fn continue_on_step_failure(self, goes_on: bool) -> Self {
        self.with(|draft| draft.continue_on_step_failure = Some(goes_on))
    }

    /// Whether steps run even if Azure ML has their outputs of an earlier run.
    pub fn force_rerun(self, runs: bool) -> Self {
        self.with(|draft| draft.force_rerun = Some(runs))
    }

    /// A tag.
    pub fn tag(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|draft| {
            draft.tags.insert(name.into(), value.into());
        })
    }

    /// An input of the whole.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for a name that is taken or of another form; [`Error::InvalidArgument`] for an address that is none.
    pub fn input(&self, name: &str, input: JobInput) -> Result<PipelineInput<'_>> {
        input.check()?;
        let mut draft = self.draft();
        let names: Vec<&str> = draft.inputs.iter().map(|(name, _)| name.as_str()).collect();
        check_new(&draft, "an input", name, &names, is_identifier(name))?;
        draft.inputs.push((name.to_owned(), input));
        Ok(PipelineInput { pipeline: self, index: draft.inputs.len() - 1 })
    }

    /// A file as an input of the whole, by the id of a data asset or by its address.
    ///
    /// # Errors
    ///
    /// As for [`input`](Self::input).
    pub fn input_uri_file(&self, name: &str, uri: &str) -> Result<PipelineInput<'_>> {
        self.input(name, JobInput::uri_file(uri))
    }

    /// A folder, likewise.
    ///
    /// # Errors
    ///
    /// As for [`input`](Self::input).
    pub fn input_uri_folder(&self, name: &str, uri: &str) -> Result<PipelineInput<'_>> {
        self.input(name, JobInput::uri_folder(uri))
    }

    /// A value as an input of the whole.
    ///
    /// # Errors
    ///
    /// As for [`input`](Self::input).
    pub fn input_literal(
        &self,
        name: &str,
        value: impl Into<Literal>,
    ) -> Result<PipelineInput<'_>> {
        self.input(name, JobInput::literal(value))
    }

    /// A step that runs a component.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for a name that is taken or of another form.
    pub fn step(&self, name: &str, component: &Component) -> Result<PipelineStep<'_>> {
        let mut draft = self.draft();
        let names: Vec<&str> = draft.steps.iter().map(|step| step.name.as_str()).collect();
        // Stricter than for inputs, as the SDK is.
        let is_valid = is_identifier(name) && !name.chars().any(|c| c.is_ascii_uppercase());
        check_new(&draft, "a step", name, &names, is_valid)?;
        draft.steps.push(Step {
            name: name.to_owned(),
            component: component.clone(),
            compute: None,
            environment_variables: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
        });
        Ok(PipelineStep { pipeline: self, index: draft.steps.len() - 1 })
    }

    /// Makes a step's output one of the whole, kept as the settings say.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] for a name that is taken or of another form, an output that is one of the whole already or has settings
    /// of its own, or another pipeline's output; [`Error::InvalidArgument`] for an address that is none.
    pub fn output(&self, name: &str, output: &StepOutput<'_>, settings: JobOutput) -> Result<()> {
        settings.check()?;
        self.check_own(output.pipeline, "the output", &output.output)?;
        let mut draft = self.draft();
        let names: Vec<&str> = draft.outputs.iter().map(|output| output.name.as_str()).collect();
        check_new(&draft, "an output", name, &names, is_identifier(name))?;
        let source = (output.step, output.output.as_str());
        let promoted = draft.outputs.iter().find(|own| (own.step, own.output.as_str()) == source);
        let problem = match (promoted, draft.steps.get(output.step)) {
            (Some(own), _) => {
                Some(format!("{} is its output `{}` already", output.name_in(&draft), own.name))
            }
            (None, Some(step)) if step.outputs.contains_key(&output.output) => {
                Some(format!("{} has settings of its own", output.name_in(&draft)))
            }
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Error::Definition { place: draft.place(), problem });
        }
        draft.outputs.push(Promoted {
            name: name.to_owned(),
            step: output.step,
            output: output.output.clone(),
            settings,
        });
        Ok(())
    }

    /// Checks the whole.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] for the job's or a compute's name; [`Error::Definition`]: no step, an input that a step needs and that is not
    /// bound, an input of the whole that no step uses, steps that wait for each other, a step without a compute.
    pub fn build(self) -> Result<PipelineJob> {
        let draft = self.draft.into_inner().unwrap_or_else(PoisonError::into_inner);
        NameRule::Job.check(&draft.name)?;
        if let Some(compute) = &draft.default_compute {
            check_compute(compute)?;
        }
        check::whole(&draft)?;
        Ok(PipelineJob { draft })
    }

    /// Refuses what another pipeline made: it would mean something else here.
    pub(super) fn check_own(&self, other: &Self, what: &str, name: &str) -> Result<()> {
        if ptr::eq(self, other) {
            return Ok(());
        }
        // One after the other: two locks at once could wait for each other.
        let place = self.draft().place();
        let other = other.draft().place();
        Err(Error::Definition {
            place,
            problem: format!("{what} `{name}` is that of another, {other}"),
        })
    }
}

fn check_new(draft: &Draft, what: &str, name: &str, names: &[&str], is_valid: bool) -> Result<()> {
    let problem = if names.contains(&name) {
        format!("there is {what} `{name}` already; there are {}", name_list(names.iter().copied()))
    } else if !is_valid {
        let letters = if what == "a step" { "lower-case letters" } else { "letters" };
        format!(
            "{what} cannot be called `{name}`: {letters}, digits and underscores, no digit first"
        )
    } else {
        return Ok(());
    };
    Err(Error::Definition { place: draft.place(), problem })
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipelineBuilder").field(&*self.draft()).finish()
    }
}

impl fmt::Debug for PipelineInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draft = self.pipeline.draft();
        let name = draft.inputs.get(self.index).map(|(name, _)| name);
        f.debug_tuple("PipelineInput").field(&name).finish()
    }
}
