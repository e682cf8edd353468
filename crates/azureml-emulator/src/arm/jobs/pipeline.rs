//! Pipelines: what their steps are to do, made out of what was submitted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::{
        call::Call,
        reply::{Answer, Refusal},
    },
    component::{self, Component},
    given::{self, Casing, GivenOutput, entries},
    references, settings,
    step::{Around, Step},
};
use crate::jobs::{PipelinePlan, StepOutput};

/// A pipeline that can be run.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) plan: PipelinePlan,
    pub(super) steps: Vec<Step>,
}

/// Letters, digits and underscores, no digit first.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn check_identifier(path: &str, name: &str) -> Result<(), Refusal> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(Refusal::user_error(format!(
        "{path} has the name {name:?}: it must be letters, digits and underscores, no digit first"
    )))
}

/// Reads a pipeline, and refuses it for the first thing that is wrong with it. `new_run` makes names of runs.
pub(super) fn read(
    call: &Call<'_>,
    workspace: &str,
    properties: &Value,
    new_run: impl Fn() -> String,
) -> Answer<Pipeline> {
    let jobs = given::object(&properties["jobs"], "properties.jobs")?;
    let mut inputs = BTreeMap::new();
    let all = given::object(&properties["inputs"], "properties.inputs")?;
    for (name, value) in entries(all) {
        // The members of a group have its name and a dot before theirs.
        name.split('.').try_for_each(|part| check_identifier("properties.inputs", part))?;
        let path = format!("properties.inputs.{name}");
        inputs.insert(name.as_str(), given::input(value, Casing::Camel, &path)?);
    }
    let settings = settings::Settings::read(call, workspace, &properties["settings"])?;
    let mut components = BTreeMap::new();
    for (name, job) in entries(jobs) {
        check_identifier("properties.jobs", name)?;
        components.insert(name.as_str(), step_component(call, workspace, name, job)?);
    }
    if components.is_empty() {
        return Err(Refusal::user_error("a pipeline has at least one step in jobs").into());
    }
    let around = Around { call, workspace, inputs, components };
    let mut outputs = PipelineOutputs::read(&properties["outputs"])?;
    let mut steps = Vec::new();
    for (name, job) in entries(jobs) {
        steps.push(around.step(name, job, &settings, &mut outputs, new_run())?);
    }
    let plan = PipelinePlan {
        continue_on_step_failure: settings.continue_on_step_failure,
        outputs: outputs.bound()?,
    };
    check_order(&steps)?;
    Ok(Pipeline { plan, steps })
}

fn step_component(call: &Call<'_>, workspace: &str, name: &str, job: &Value) -> Answer<Component> {
    let path = format!("properties.jobs.{name}");
    if !job.is_object() {
        let message = format!("{path} must be an object, and is {job}");
        return Err(Refusal::user_error(message).into());
    }
    let kind = job["type"].as_str().unwrap_or("command");
    if !kind.eq_ignore_ascii_case("command") {
        return Err(Refusal::not_implemented(format!("{path}: steps of type {kind}")).into());
    }
    for name in ["distribution", "resources"] {
        references::check_single_machine(name, &job[name])?;
    }
    match job["componentId"].as_str().filter(|id| !id.is_empty()) {
        Some(id) => component::read(call.resources(), workspace, id),
        None => {
            Err(Refusal::user_error(format!("The field {path}.componentId is required.")).into())
        }
    }
}

/// The pipeline's own outputs, and the steps that they are bound to.
pub(super) struct PipelineOutputs {
    given: BTreeMap<String, GivenOutput>,
    bound: BTreeMap<String, StepOutput>,
}

impl PipelineOutputs {
    fn read(value: &Value) -> Answer<Self> {
        let mut all = BTreeMap::new();
        for (name, value) in entries(given::object(value, "properties.outputs")?) {
            check_identifier("properties.outputs", name)?;
            let path = format!("properties.outputs.{name}");
            all.insert(name.clone(), given::output(value, Casing::Camel, &path)?);
        }
        Ok(Self { given: all, bound: BTreeMap::new() })
    }

    /// What the pipeline says of an output that is one of a step.
    pub(super) fn bind(
        &mut self,
        name: &str,
        step: &str,
        output: &str,
    ) -> Result<GivenOutput, Refusal> {
        let Some(own) = self.given.get(name) else {
            return Err(Refusal::user_error(format!(
                "the output {output} of the step {step} is bound to the pipeline's output {name}, which is not there"
            )));
        };
        let source = StepOutput { step: step.to_owned(), output: output.to_owned() };
        match self.bound.insert(name.to_owned(), source) {
            None => Ok(own.clone()),
            Some(other) => Err(Refusal::user_error(format!(
                "the pipeline's output {name} is bound to two outputs: {}.{} and {step}.{output}",
                other.step, other.output
            ))),
        }
    }

    fn bound(self) -> Result<BTreeMap<String, StepOutput>, Refusal> {
        match self.given.keys().find(|name| !self.bound.contains_key(*name)) {
            None => Ok(self.bound),
            Some(name) => {
                let message = format!("no step has the pipeline's output {name}");
                Err(Refusal::user_error(message))
            }
        }
    }
}

/// Refuses steps that wait for each other.
fn check_order(steps: &[Step]) -> Result<(), Refusal> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let is_ready = |step: &&Step| {
            !done.contains(step.name.as_str()) && step.plan.needs().all(|need| done.contains(need))
        };
        let ready: Vec<&str> =
            steps.iter().filter(is_ready).map(|step| step.name.as_str()).collect();
        if ready.is_empty() {
            break;
        }
        done.extend(ready);
    }
    let waiting = steps.iter().map(|step| step.name.as_str()).filter(|name| !done.contains(name));
    let waiting: Vec<&str> = waiting.collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let message = format!("the steps {} wait for each other: a cycle", waiting.join(", "));
    Err(Refusal::user_error(message))
}
