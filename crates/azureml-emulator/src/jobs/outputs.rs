//! What runs are given and leave behind, as their resources and assets say it.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{CommandPlan, Output, Plan, Source, command::error, tick::plan_of};
use crate::{
    arm::{Failure, register},
    blob,
    door::Door,
    moment::Moment,
    place::Place,
    run::Outcome,
    store::{Nodes, Resource, Resources, Run, RunStatus, Runs},
    world::World,
};

/// Whether anything is at a place. Of what is in Azurite the database does not know: a command that has completed has written it.
pub(super) fn is_written(
    world: &World,
    connection: &Connection,
    place: &Place,
) -> rusqlite::Result<bool> {
    Ok(world.azurite.is_some() || blob::fingerprint(connection, place)?.is_some())
}

/// Notes how a command has ended, takes its node back, and registers what it wrote.
pub(super) fn end(
    world: &World,
    connection: &Connection,
    key: &str,
    outcome: &Outcome,
    now: Moment,
) -> rusqlite::Result<()> {
    let runs = Runs(connection);
    Nodes(connection).release(key, now)?;
    let Some(run) = runs.get(key)? else { return Ok(()) };
    let (status, error) = match outcome {
        Outcome::Completed => match keep(world, connection, &run, now)? {
            Ok(()) => (RunStatus::Completed, None),
            Err(error) => (RunStatus::Failed, Some(error)),
        },
        Outcome::Failed { error } => (RunStatus::Failed, Some(error.clone())),
        Outcome::Canceled if run.cancel_requested => (RunStatus::Canceled, None),
        Outcome::Canceled => {
            let message = "the job has run for longer than its limits.timeout";
            (RunStatus::Canceled, Some(error("UserError", message)))
        }
    };
    runs.set_status(key, status, now, error.as_ref())?;
    if let Some(parent) = &run.parent {
        let line = match status {
            RunStatus::Completed => format!("Completing processing run id {}.", run.name),
            RunStatus::Failed => format!(
                "Execution of experiment failed, update experiment status and cancel running nodes. Run id: {}.",
                run.name
            ),
            _ => format!("Run id {} was canceled.", run.name),
        };
        runs.log(parent, now, &line)?;
    }
    Ok(())
}

/// Registers the outputs of a run that become assets, and shows where all of them are. An error of Azure Resource Manager, if one of them
/// cannot become what it should.
fn keep(
    world: &World,
    connection: &Connection,
    run: &Run,
    now: Moment,
) -> rusqlite::Result<Result<(), Value>> {
    let Some(mut job) = Resources(connection).get(&run.key)? else { return Ok(Ok(())) };
    let Plan::Command(plan) = plan_of(run)? else { return Ok(Ok(())) };
    // All before the first is registered.
    for (name, output) in &plan.outputs {
        let Some(asset) = &output.asset else { continue };
        if !is_written(world, connection, &output.place)? {
            let message = format!(
                "nothing was written to the output {name}, so it cannot be registered as {}",
                asset.name
            );
            return Ok(Err(error("UserError", &message)));
        }
        let id = asset.version.as_ref().map(|version| {
            let kind = kind_of(output);
            format!("{}/{kind}/{}/versions/{version}", run.workspace_id, asset.name)
        });
        if let (Some(id), Some(version)) = (id, &asset.version)
            && Resources(connection).get(&id)?.is_some()
        {
            let message = format!(
                "the output {name} cannot be registered: there is a version {version} of {} already",
                asset.name
            );
            return Ok(Err(error("UserError", &message)));
        }
    }
    for (name, output) in &plan.outputs {
        if !is_written(world, connection, &output.place)? {
            continue;
        }
        let uri = output.place.uri(world, connection, &run.workspace_id, Door::Azure)?;
        let shown = &mut job.body["properties"]["outputs"][name];
        shown["uri"] = json!(uri);
        if let Some(asset) = &output.asset {
            let version = asset.version.as_deref();
            let registered = register(
                connection,
                &run.workspace_id,
                kind_of(output),
                &asset.name,
                version,
                &properties_of(output, &uri, &run.name),
                &by(&job, now),
            );
            let job_output = &mut job.body["properties"]["outputs"][name];
            match registered {
                Ok(registered) => job_output["assetVersion"] = json!(registered.name()),
                Err(Failure::Refused(refusal)) => return Ok(Err(refusal.error())),
                Err(Failure::Broken(broken)) => {
                    return Err(rusqlite::Error::ToSqlConversionFailure(broken));
                }
            }
        }
    }
    Resources(connection).update(&job.body)?;
    Ok(Ok(()))
}

fn kind_of(output: &Output) -> &'static str {
    if output.data.is_model() { "models" } else { "data" }
}

fn properties_of(output: &Output, uri: &str, run: &str) -> Value {
    if output.data.is_model() {
        json!({
            "modelUri": uri,
            "modelType": output.data.kind,
            "jobName": run,
        })
    } else {
        json!({"dataUri": uri, "dataType": output.data.kind})
    }
}

/// Whoever has submitted a job has made what comes of it.
fn by(job: &Resource, now: Moment) -> Value {
    let by = &job.body["systemData"]["createdBy"];
    json!({
        "createdAt": now.to_string(),
        "createdBy": by,
        "createdByType": "Application",
        "lastModifiedAt": now.to_string(),
        "lastModifiedBy": by,
        "lastModifiedByType": "Application",
    })
}

/// Shows where the inputs of a step are, now that it is known.
pub(super) fn show_inputs(
    world: &World,
    connection: &Connection,
    run: &Run,
    plan: &CommandPlan,
) -> rusqlite::Result<()> {
    let Some(mut job) = Resources(connection).get(&run.key)? else { return Ok(()) };
    for (name, source) in &plan.inputs {
        if let Source::Data { place, data } = source {
            let uri = place.uri(world, connection, &run.workspace_id, Door::Azure)?;
            job.body["properties"]["inputs"][name] =
                json!({"jobInputType": data.kind, "uri": uri, "mode": data.mode});
        }
    }
    Resources(connection).update(&job.body)?;
    Ok(())
}
