//! Pipelines: what their steps are to do, made out of what was submitted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::{
        call::Call,
        reply::{Answer, Refusal},
    },
    component::{self, Component, Port},
    expression::{Binding, Part, parts},
    given::{self, Casing, Given, GivenOutput, entries},
    references, settings,
};
use crate::jobs::{CommandPlan, DataPort, PipelinePlan, Reuse, Source, StepOutput};

/// A pipeline that can be run.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) plan: PipelinePlan,
    pub(super) steps: Vec<Step>,
}

/// A step of it, that becomes a run.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) display_name: String,
    /// The name of its run.
    pub(super) run: String,
    pub(super) component: Option<String>,
    /// The compute's id.
    pub(super) compute: Option<String>,
    pub(super) plan: CommandPlan,
}

/// What steps can be bound to.
struct Around<'a> {
    call: &'a Call<'a>,
    workspace: &'a str,
    inputs: BTreeMap<&'a str, Option<Given>>,
    components: BTreeMap<&'a str, Component>,
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
struct PipelineOutputs {
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
    fn bind(&mut self, name: &str, step: &str, output: &str) -> Result<GivenOutput, Refusal> {
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

impl Around<'_> {
    fn step(
        &self,
        name: &str,
        job: &Value,
        settings: &settings::Settings,
        outputs: &mut PipelineOutputs,
        run: String,
    ) -> Answer<Step> {
        let path = format!("properties.jobs.{name}");
        let Some(component) = self.components.get(name) else {
            return Err(Refusal::user_error(format!("{path} has no component")).into());
        };
        let resources = self.call.resources();
        let compute = match job["computeId"].as_str().filter(|id| !id.is_empty()) {
            Some(id) => references::compute(resources, self.workspace, id)?,
            None => settings.default_compute.clone(),
        };
        if job["computeId"].is_null() && !settings.has_default_compute && job["resources"].is_null()
        {
            let message = format!(
                "the step {name} has no computeId, and the pipeline's settings no default_compute"
            );
            return Err(Refusal::user_error(message).into());
        }
        let environment = component
            .environment
            .as_deref()
            .map(|reference| references::environment(resources, self.workspace, reference));
        let code = component.code.as_deref();
        let code = code.map(|reference| references::code(self.call, self.workspace, reference));
        let variables = job.get("environment_variables").unwrap_or(&Value::Null);
        let plan = CommandPlan {
            command: component.command.clone(),
            code: code.transpose()?,
            environment: environment.transpose()?,
            environment_variables: settings::words(
                variables,
                &format!("{path}.environment_variables"),
            )?,
            inputs: self.inputs_of(name, job, component)?,
            outputs: self.outputs_of(name, job, component, outputs, &run)?,
            identity_client_id: settings::identity_client(&job["identity"]),
            timeout_seconds: settings::timeout(&job["limits"], &path)?,
            mini_batches: None,
            reuse: match (component.is_deterministic, settings.force_rerun) {
                (false, _) => Reuse::Never,
                (true, true) => Reuse::Offer,
                (true, false) => Reuse::Take,
            },
        };
        let display_name = job["display_name"].as_str().unwrap_or(name).to_owned();
        let component = Some(component.id.clone());
        Ok(Step { name: name.to_owned(), display_name, run, component, compute, plan })
    }

    fn inputs_of(
        &self,
        step: &str,
        job: &Value,
        component: &Component,
    ) -> Answer<BTreeMap<String, Source>> {
        let path = format!("properties.jobs.{step}.inputs");
        let given = given::object(&job["inputs"], &path)?;
        for (name, _) in entries(given) {
            if !component.inputs.contains_key(name) {
                let known: Vec<&str> = component.inputs.keys().map(String::as_str).collect();
                return Err(Refusal::user_error(format!(
                    "{path}.{name}: the component of the step {step} has no such input; it has {}",
                    known.join(", ")
                ))
                .into());
            }
        }
        let mut sources = BTreeMap::new();
        for (name, port) in &component.inputs {
            let path = format!("{path}.{name}");
            let value = given.get(name).unwrap_or(&Value::Null);
            let given = given::input(value, Casing::Snake, &path)?;
            sources.insert(name.clone(), self.source(given, port, &path)?);
        }
        Ok(sources)
    }

    /// What an input gets that is given so.
    fn source(&self, given: Option<Given>, port: &Port, path: &str) -> Answer<Source> {
        let given = match given {
            Some(Given::Literal { value, mode }) => match self.bound(&value, port, path, mode)? {
                Bound::Source(source) => return Ok(source),
                Bound::Given(given) => given,
            },
            given => given,
        };
        match given {
            None => match &port.default {
                Some(value) => Ok(Source::Literal { value: value.clone() }),
                None if port.is_optional => Ok(Source::Absent),
                None => {
                    Err(Refusal::user_error(format!("the required input {path} is not given"))
                        .into())
                }
            },
            Some(Given::Literal { value, .. }) => {
                if !port.is_literal() {
                    let message =
                        format!("{path} must be data of type {}, and is a literal", port.kind);
                    return Err(Refusal::user_error(message).into());
                }
                port.check(&value).map_err(|why| Refusal::user_error(format!("{path}: {why}")))?;
                Ok(Source::Literal { value })
            }
            Some(Given::Data { kind, uri, mode }) => {
                if port.is_literal() {
                    let message = format!("{path} must be a {}, and is data", port.kind);
                    return Err(Refusal::user_error(message).into());
                }
                let data = DataPort { kind, ..data_port(port, mode, path)? };
                let place = references::data(self.call, self.workspace, &uri, &data)?;
                Ok(Source::Data { place, data })
            }
        }
    }

    /// What a text stands for that may have bindings in it.
    fn bound(&self, text: &str, port: &Port, path: &str, mode: Option<String>) -> Answer<Bound> {
        let parts = parts(text).map_err(|why| Refusal::user_error(format!("{path}: {why}")))?;
        if let [Part::Binding(binding)] = parts.as_slice() {
            return self.binding(binding, port, path, mode);
        }
        let mut value = String::new();
        for part in parts {
            match part {
                Part::Text(text) => value += &text,
                Part::Binding(binding) => match self.binding(&binding, port, path, None)? {
                    Bound::Given(Some(Given::Literal { value: text, .. })) => value += &text,
                    _ => {
                        let message = format!(
                            "{path}: only literal inputs can be part of a text, as in {text:?}"
                        );
                        return Err(Refusal::user_error(message).into());
                    }
                },
            }
        }
        Ok(Bound::Given(Some(Given::Literal { value, mode: None })))
    }

    fn binding(
        &self,
        binding: &Binding,
        port: &Port,
        path: &str,
        mode: Option<String>,
    ) -> Answer<Bound> {
        match binding {
            Binding::Input(name) => match self.inputs.get(name.as_str()) {
                // As it is given to the pipeline, but for how this step sees it.
                Some(Some(Given::Data { kind, uri, mode: own })) => {
                    Ok(Bound::Given(Some(Given::Data {
                        kind: kind.clone(),
                        uri: uri.clone(),
                        mode: mode.or_else(|| own.clone()),
                    })))
                }
                Some(given) => Ok(Bound::Given(given.clone())),
                None => Err(Refusal::user_error(format!(
                    "{path} is bound to the pipeline's input {name}, which is not there"
                ))
                .into()),
            },
            Binding::StepOutput { step, output } => {
                let producer = self.components.get(step.as_str()).ok_or_else(|| {
                    Refusal::user_error(format!(
                        "{path} is bound to an output of the step {step}, which is not there"
                    ))
                })?;
                let Some(from) = producer.outputs.get(output) else {
                    let message = format!(
                        "{path} is bound to the output {output} of the step {step}, which has no such output"
                    );
                    return Err(Refusal::user_error(message).into());
                };
                if port.is_literal() {
                    let message = format!("{path} must be a {}, and is data", port.kind);
                    return Err(Refusal::user_error(message).into());
                }
                let data = DataPort { kind: from.kind.clone(), ..data_port(port, mode, path)? };
                let (step, output) = (step.clone(), output.clone());
                Ok(Bound::Source(Source::Step { step, output, data }))
            }
            Binding::Output(name) => Err(Refusal::user_error(format!(
                "{path} is bound to the pipeline's output {name}: bind it to the step's output"
            ))
            .into()),
        }
    }

    fn outputs_of(
        &self,
        step: &str,
        job: &Value,
        component: &Component,
        promoted: &mut PipelineOutputs,
        run: &str,
    ) -> Answer<BTreeMap<String, crate::jobs::Output>> {
        let path = format!("properties.jobs.{step}.outputs");
        let all = given::object(&job["outputs"], &path)?;
        for (name, _) in entries(all) {
            if !component.outputs.contains_key(name) {
                return Err(Refusal::user_error(format!(
                    "{path}.{name}: the component of the step {step} has no such output"
                ))
                .into());
            }
        }
        let mut outputs = BTreeMap::new();
        for (name, port) in &component.outputs {
            let path = format!("{path}.{name}");
            if port.is_literal() {
                let what = format!("{path}: outputs of type {}", port.kind);
                return Err(Refusal::not_implemented(what).into());
            }
            let value = all.get(name).unwrap_or(&Value::Null);
            let mut given = given::output(value, Casing::Snake, &path)?;
            if let Some(own) = &given.promoted {
                let mode = given.mode.clone();
                given = promoted.bind(own, step, name)?;
                given.mode = given.mode.or(mode);
            }
            // What the step says may be less than what the component promises, and not something else.
            if let Some(kind) = given.kind.as_ref().filter(|kind| **kind != port.kind) {
                let message =
                    format!("{path} is of type {kind}, and the component's is {}", port.kind);
                return Err(Refusal::user_error(message).into());
            }
            let output = given.placed(self.call, self.workspace, run, name, &port.kind, None)?;
            outputs.insert(name.clone(), output);
        }
        Ok(outputs)
    }
}

/// What a text turned out to be.
enum Bound {
    Source(Source),
    Given(Option<Given>),
}

fn data_port(port: &Port, mode: Option<String>, path: &str) -> Result<DataPort, Refusal> {
    let mode = match mode {
        Some(mode) => mode,
        None => given::input_mode(port.mode.as_deref().unwrap_or("ro_mount"), path)?,
    };
    Ok(DataPort { kind: port.kind.clone(), mode })
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
