//! The life of a compute instance.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::iso_duration;
use crate::{
    moment::Moment,
    store::{Effect, Events, Resource, Resources},
    world::World,
};

/// Puts an instance into a state, after an operation that somebody or something triggered.
pub(crate) fn enter(instance: &mut Value, state: &str, operation: &str, trigger: &str, at: Moment) {
    let is_transient = state.ends_with("ing") && state != "Running";
    instance["state"] = json!(state);
    instance["lastOperation"] = json!({
        "operationName": operation,
        "operationTime": at.to_string(),
        "operationStatus": if is_transient { "InProgress" } else { "Succeeded" },
        "operationTrigger": trigger,
    });
}

/// Ends an operation that failed. What is no instance, or in no operation, stays as it is.
pub(crate) fn fail(instance: &mut Value) {
    let (state, status) = match instance["state"].as_str() {
        Some("Creating") => ("CreateFailed", "CreateFailed"),
        Some("Starting") => ("Stopped", "StartFailed"),
        Some("Stopping") => ("Running", "StopFailed"),
        Some("Restarting") => ("Unknown", "RestartFailed"),
        Some("Deleting") => ("Unknown", "DeleteFailed"),
        _ => return,
    };
    instance["state"] = json!(state);
    instance["lastOperation"]["operationStatus"] = json!(status);
}

/// An instance that runs is idle: here nobody works on it. It is shut down when it has been for as long as it may.
pub(crate) fn schedule_shutdown(
    world: &World,
    connection: &Connection,
    key: &str,
    properties: &Value,
    since: Moment,
) -> rusqlite::Result<()> {
    let idle = properties["properties"]["idleTimeBeforeShutdown"].as_str();
    let Some(idle) = idle.and_then(iso_duration::parse) else { return Ok(()) };
    let effect = Effect::Instance {
        state: "Stopped".to_owned(),
        operation: "Stop".to_owned(),
        trigger: "IdleShutdown".to_owned(),
    };
    Events(connection).schedule(key, &effect, since.plus(world.clock.shortened(idle)))
}

/// Says of an instance whether a job runs on it: then it is not shut down, and afterwards it is idle anew.
pub(crate) fn set_busy(
    world: &World,
    connection: &Connection,
    mut instance: Resource,
    is_busy: bool,
    at: Moment,
) -> rusqlite::Result<()> {
    let key = instance.id().to_lowercase();
    let properties = &mut instance.body["properties"];
    let state = properties["properties"]["state"].as_str().unwrap_or_default();
    let new = match (state, is_busy) {
        ("Running", true) => "JobRunning",
        ("JobRunning", false) => "Running",
        _ => return Ok(()),
    };
    properties["properties"]["state"] = json!(new);
    Events(connection).unschedule(&key)?;
    if !is_busy {
        schedule_shutdown(world, connection, &key, properties, at)?;
    }
    Resources(connection).update(&instance.body)?;
    Ok(())
}
