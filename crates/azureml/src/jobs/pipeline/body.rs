use serde_json::{Map, Value, json};

use super::{Draft, Source, Step};
use crate::{
    WorkspaceId,
    jobs::{command_job::compute_id, input_output::Casing},
};

/// The body of the request that submits a pipeline: in camel case but for what is within `jobs` and `settings`.
pub(super) fn body(draft: &Draft, workspace: &WorkspaceId) -> Value {
    let inputs = draft.inputs.iter().map(|(name, input)| (name.clone(), input.body()));
    let jobs = draft.steps.iter().enumerate().map(|(index, step)| {
        let body = step_body(draft, index, step, workspace);
        (step.name.clone(), body)
    });
    let outputs = draft.outputs.iter().filter_map(|promoted| {
        let step = draft.steps.get(promoted.step)?;
        let asset_type = step.component.outputs().get(&promoted.output)?.asset_type();
        Some((promoted.name.clone(), promoted.settings.body(asset_type, Casing::Camel)))
    });
    let mut settings = Map::new();
    if let Some(compute) = &draft.default_compute {
        settings.insert("default_compute".to_owned(), json!(compute_id(compute, workspace)));
    }
    for (key, value) in [
        ("continue_on_step_failure", draft.continue_on_step_failure),
        ("force_rerun", draft.force_rerun),
    ] {
        if let Some(value) = value {
            settings.insert(key.to_owned(), json!(value));
        }
    }
    let mut properties = json!({
        "jobType": "Pipeline",
        "displayName": draft.display_name,
        "inputs": Map::from_iter(inputs),
        "jobs": Map::from_iter(jobs),
        "outputs": Map::from_iter(outputs),
        "settings": settings,
        "isArchived": false,
        "properties": {},
        "tags": draft.tags,
    });
    for (key, value) in
        [("experimentName", &draft.experiment_name), ("description", &draft.description)]
    {
        if let Some(value) = value {
            properties[key] = json!(value);
        }
    }
    json!({"properties": properties})
}

fn step_body(draft: &Draft, index: usize, step: &Step, workspace: &WorkspaceId) -> Value {
    let inputs = step.inputs.iter().map(|(name, source)| {
        let value = text_of(draft, source);
        (name.clone(), json!({"job_input_type": "literal", "value": value}))
    });
    let outputs = step.component.outputs().iter().map(|(name, output)| {
        let is_this = |own: &&super::Promoted| own.step == index && own.output == *name;
        let body = match draft.outputs.iter().find(is_this) {
            Some(promoted) => {
                let value = format!("${{{{parent.outputs.{}}}}}", promoted.name);
                let mut body = json!({"type": "literal", "value": value});
                if let Some(mode) = promoted.settings.sent_mode() {
                    body["mode"] = json!(mode);
                }
                body
            }
            None => {
                let settings = step.outputs.get(name).cloned().unwrap_or_default();
                settings.body(output.asset_type(), Casing::Snake)
            }
        };
        (name.clone(), body)
    });
    let outputs = Map::from_iter(outputs);
    let mut body = json!({
        "name": step.name,
        "type": step.component.component_type(),
        "componentId": step.component.id(),
        "inputs": Map::from_iter(inputs),
    });
    if !outputs.is_empty() {
        body["outputs"] = Value::Object(outputs);
    }
    if let Some(name) = step.component.display_name() {
        body["display_name"] = json!(name);
    }
    if let Some(compute) = &step.compute {
        body["computeId"] = json!(compute_id(compute, workspace));
    }
    if !step.environment_variables.is_empty() {
        body["environment_variables"] = json!(step.environment_variables);
    }
    body
}

fn text_of(draft: &Draft, source: &Source) -> String {
    match source {
        Source::Literal(value) => value.text(),
        Source::Input(index) => {
            let name = draft.inputs.get(*index).map_or("", |(name, _)| name);
            format!("${{{{parent.inputs.{name}}}}}")
        }
        Source::Output { step, output } => {
            let step = draft.steps.get(*step).map_or("", |step| &step.name);
            format!("${{{{parent.jobs.{step}.outputs.{output}}}}}")
        }
    }
}
