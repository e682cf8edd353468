//! Steps of pipelines: what each is bound to, and what it is to do.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{
        call::Call,
        reply::{Answer, Refusal},
    },
    component::{Component, Port},
    expression::{Binding, Part, parts},
    given::{self, Casing, Given, entries},
    pipeline::PipelineOutputs,
    references, settings,
};
use crate::jobs::{CommandPlan, DataPort, Reuse, Source};

/// A step of a pipeline, that becomes a run.
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
pub(super) struct Around<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) workspace: &'a str,
    pub(super) inputs: BTreeMap<&'a str, Option<Given>>,
    pub(super) components: BTreeMap<&'a str, Component>,
}

impl Around<'_> {
    pub(super) fn step(
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
