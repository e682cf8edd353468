//! Commands, ready to be run.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{CommandPlan, Source};
use crate::{
    run::{CommandRun, RunInput, RunOutput},
    store::{Resource, Resources, Run},
};

/// An error as Azure Resource Manager says it.
pub(super) fn error(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message, "details": [], "additionalInfo": []})
}

/// What a run is to do, on the compute that it has been given.
pub(super) fn of(
    connection: &Connection,
    run: &Run,
    plan: CommandPlan,
    compute: Option<&Resource>,
) -> rusqlite::Result<CommandRun> {
    let input = |source| match source {
        Source::Literal { value } => RunInput::Literal(value),
        Source::Data { place, data } => {
            let is_folder = data.is_folder();
            RunInput::Data { place, is_folder, mode: data.mode }
        }
        // None is left when a step is submitted.
        Source::Absent | Source::Step { .. } => RunInput::Absent,
    };
    let identity = match (plan.identity_client_id, compute) {
        (Some(id), _) => Some(id),
        (None, Some(compute)) => identity_of(connection, compute)?,
        (None, None) => None,
    };
    Ok(CommandRun {
        workspace_id: run.workspace_id.clone(),
        name: run.name.clone(),
        parent: run.parent_name().map(str::to_owned),
        experiment: run.experiment.clone(),
        command: plan.command,
        code: plan.code.map(|code| code.place),
        environment: plan.environment,
        environment_variables: plan.environment_variables,
        inputs: plan.inputs.into_iter().map(|(name, source)| (name, input(source))).collect(),
        outputs: plan
            .outputs
            .into_iter()
            .map(|(name, output)| {
                let (kind, mode) = (output.data.kind, output.data.mode);
                (name, RunOutput { kind, mode, place: output.place })
            })
            .collect(),
        identity_client_id: identity,
        compute: compute.map(|compute| compute.name().to_owned()),
        limits: plan.timeout_seconds.map(Duration::from_secs),
        mini_batches: plan.mini_batches,
    })
}

/// The client id of the first identity that a user has assigned to a compute.
fn identity_of(connection: &Connection, compute: &Resource) -> rusqlite::Result<Option<String>> {
    let assigned = compute.body.pointer("/identity/userAssignedIdentities");
    let Some((id, value)) = assigned.and_then(Value::as_object).and_then(|all| all.iter().next())
    else {
        return Ok(None);
    };
    if let Some(client) = value["clientId"].as_str() {
        return Ok(Some(client.to_owned()));
    }
    let identity = Resources(connection).get(id)?;
    let client = identity.as_ref().and_then(|found| found.body["properties"]["clientId"].as_str());
    Ok(client.map(str::to_owned))
}
