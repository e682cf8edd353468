//! Jobs that are one command.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{
        call::Call,
        field,
        reply::{Answer, Refusal},
    },
    expression::placeholders,
    given::{self, Casing, Given, entries},
    pipeline::is_identifier,
    references, settings,
};
use crate::jobs::{CommandPlan, DataPort, Reuse, Source};

/// Reads a command, and the id of the compute that it runs on.
pub(super) fn read(
    call: &Call<'_>,
    workspace: &str,
    run: &str,
) -> Answer<(CommandPlan, Option<String>)> {
    let properties = &call.body["properties"];
    let command = field::text(call.body, "/properties/command")?;
    let environment = field::text(call.body, "/properties/environmentId")?;
    for name in ["distribution", "resources"] {
        references::check_single_machine(name, &properties[name])?;
    }
    let resources = call.resources();
    let compute = field::optional_text(call.body, "/properties/computeId")?;
    let compute = compute.map(|compute| references::compute(resources, workspace, compute));
    let code = field::optional_text(call.body, "/properties/codeId")?;
    let code = code.filter(|code| !code.is_empty());
    let code = code.map(|code| references::code(call, workspace, code));
    let plan = CommandPlan {
        command: command.to_owned(),
        code: code.transpose()?,
        environment: Some(references::environment(resources, workspace, environment)?),
        environment_variables: settings::words(
            &properties["environmentVariables"],
            "properties.environmentVariables",
        )?,
        inputs: inputs(call, workspace, &properties["inputs"])?,
        outputs: outputs(call, workspace, run, &properties["outputs"])?,
        identity_client_id: settings::identity_client(&properties["identity"]),
        timeout_seconds: settings::timeout(&properties["limits"], "properties")?,
        mini_batches: None,
        reuse: Reuse::Never,
    };
    check_placeholders(&plan)?;
    Ok((plan, compute.transpose()?.flatten()))
}

fn check_name(path: &str, name: &str) -> Result<(), Refusal> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(Refusal::user_error(format!(
        "{path} has the name {name:?}: it must be letters, digits and underscores, no digit first"
    )))
}

fn inputs(call: &Call<'_>, workspace: &str, all: &Value) -> Answer<BTreeMap<String, Source>> {
    let mut inputs = BTreeMap::new();
    for (name, value) in entries(given::object(all, "properties.inputs")?) {
        check_name("properties.inputs", name)?;
        let path = format!("properties.inputs.{name}");
        let source = match given::input(value, Casing::Camel, &path)? {
            None => Source::Absent,
            Some(Given::Literal { value, .. }) => Source::Literal { value },
            Some(Given::Data { kind, uri, mode }) => {
                let mode = mode.unwrap_or_else(|| "ReadOnlyMount".to_owned());
                let data = DataPort { kind, mode };
                let place = references::data(call, workspace, &uri, &data)?;
                Source::Data { place, data }
            }
        };
        inputs.insert(name.clone(), source);
    }
    Ok(inputs)
}

fn outputs(
    call: &Call<'_>,
    workspace: &str,
    run: &str,
    all: &Value,
) -> Answer<BTreeMap<String, crate::jobs::Output>> {
    let mut outputs = BTreeMap::new();
    for (name, value) in entries(given::object(all, "properties.outputs")?) {
        check_name("properties.outputs", name)?;
        let path = format!("properties.outputs.{name}");
        // `default` is where the service keeps the logs.
        if name == "default" {
            continue;
        }
        let given = given::output(value, Casing::Camel, &path)?;
        let Some(kind) = given.kind.clone() else {
            return Err(Refusal::user_error(format!("{path} has no type")).into());
        };
        outputs.insert(name.clone(), given.placed(call, workspace, run, name, &kind, None)?);
    }
    Ok(outputs)
}

/// Refuses a command that names what it does not get.
fn check_placeholders(plan: &CommandPlan) -> Result<(), Refusal> {
    for name in placeholders(&plan.command).map_err(Refusal::user_error)? {
        let is_there = match name.split_once('.') {
            Some(("inputs", name)) => plan.inputs.contains_key(name),
            Some(("outputs", name)) => plan.outputs.contains_key(name) || name == "default",
            _ => false,
        };
        if !is_there {
            let message = format!("the command has ${{{{{name}}}}}, which the job has not");
            return Err(Refusal::user_error(message));
        }
    }
    Ok(())
}
