//! Outputs of earlier runs: a step that would do the same again is not run.

use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    CommandPlan, Output, Plan, Source, outputs,
    tick::{plan_of, stored},
};
use crate::{
    blob,
    moment::Moment,
    store::{Resources, Run, RunStatus, Runs},
    world::World,
};

/// What the outputs of a step depend on, as a hash: its command, code, environment and inputs, by their places and contents. Of what is in
/// Azurite, places alone are known, which is what Azure itself goes by.
pub(super) fn key(
    connection: &Connection,
    run: &Run,
    plan: &CommandPlan,
) -> rusqlite::Result<String> {
    let mut inputs = serde_json::Map::new();
    for (name, source) in &plan.inputs {
        let identity = match source {
            Source::Literal { value } => json!({"value": value}),
            Source::Data { place, data } => json!({
                "place": place,
                "kind": data.kind,
                "mode": data.mode,
                "content": blob::fingerprint(connection, place)?,
            }),
            // None is left when a step is submitted.
            Source::Step { step, output, .. } => json!({"step": step, "output": output}),
            Source::Absent => Value::Null,
        };
        inputs.insert(name.clone(), identity);
    }
    let identity_of = |name: &String, output: &Output| {
        let is_usual = output.place.path == format!("azureml/{}/{name}", run.name);
        json!({
            "kind": output.data.kind,
            "mode": output.data.mode,
            "asset": output.asset,
            "place": (!is_usual).then_some(&output.place),
        })
    };
    let outputs: serde_json::Map<String, Value> = plan
        .outputs
        .iter()
        .map(|(name, output)| (name.clone(), identity_of(name, output)))
        .collect();
    let identity = json!({
        "command": plan.command,
        "code": plan.code.as_ref().map(|code| &code.identity),
        "environment": plan.environment,
        "environmentVariables": plan.environment_variables,
        "inputs": inputs,
        "outputs": outputs,
        "identity": plan.identity_client_id,
    });
    Ok(hex::encode(Sha256::digest(identity.to_string())))
}

/// The last completed run of the workspace with the same key, if what it wrote is still there.
pub(super) fn find(
    world: &World,
    connection: &Connection,
    run: &Run,
    reuse_key: &str,
) -> rusqlite::Result<Option<Run>> {
    for found in Runs(connection).of_reuse_key(reuse_key)? {
        if !found.workspace_id.eq_ignore_ascii_case(&run.workspace_id) {
            continue;
        }
        let Plan::Command(plan) = plan_of(&found)? else { continue };
        let mut is_whole = true;
        for output in plan.outputs.values() {
            is_whole &= outputs::is_written(world, connection, &output.place)?;
        }
        if is_whole {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Completes a step with the outputs of an equal run.
pub(super) fn take(
    connection: &Connection,
    run: &Run,
    from: &Run,
    now: Moment,
) -> rusqlite::Result<()> {
    let (runs, resources) = (Runs(connection), Resources(connection));
    if let (Plan::Command(mut plan), Plan::Command(other)) = (plan_of(run)?, plan_of(from)?) {
        plan.outputs = other.outputs;
        runs.set_plan(&run.key, &stored(*plan)?)?;
    }
    runs.set_reuse(&run.key, run.reuse_key.as_deref(), Some(&from.key))?;
    if let (Some(mut job), Some(other)) = (resources.get(&run.key)?, resources.get(&from.key)?) {
        let properties = &mut job.body["properties"];
        properties["outputs"] = other.body["properties"]["outputs"].clone();
        properties["properties"]["azureml.isreused"] = json!("true");
        properties["properties"]["azureml.reusedrunid"] = json!(from.name);
        resources.update(&job.body)?;
    }
    runs.set_status(&run.key, RunStatus::Completed, now, None)
}
