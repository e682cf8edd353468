//! What happens by itself: operations end, machines stop when they are idle.

use rusqlite::Connection;
use serde_json::json;

use super::{clusters, instances, operations};
use crate::{
    moment::Moment,
    store::{Effect, Events, Resource, Resources},
    world::World,
};

/// Lets happen all whose time has come, in order, and says whether anything has. It does not matter when this is called: what is due in
/// between is found then.
pub(crate) fn settle(
    world: &World,
    connection: &Connection,
    now: Moment,
) -> rusqlite::Result<bool> {
    let events = Events(connection);
    let resources = Resources(connection);
    let mut has_happened = false;
    while let Some(event) = events.take_due(now)? {
        has_happened = true;
        let mut error = None;
        if event.effect == Effect::Removed {
            events.abandon(&event.resource, event.due, &operations::removed())?;
            resources.remove(&event.resource)?;
        } else if let Some(resource) = resources.get(&event.resource)? {
            error = apply(world, connection, &event.resource, resource, &event.effect, event.due)?;
        }
        if let Some(operation) = &event.operation {
            events.end(operation, event.due, error.as_ref())?;
        }
    }
    Ok(has_happened)
}

/// Changes a resource. Returns the error of an operation that fails.
fn apply(
    world: &World,
    connection: &Connection,
    key: &str,
    mut resource: Resource,
    effect: &Effect,
    at: Moment,
) -> rusqlite::Result<Option<serde_json::Value>> {
    let resources = Resources(connection);
    let properties = &mut resource.body["properties"];
    match effect {
        Effect::Nothing | Effect::Removed => return Ok(None),
        Effect::Key { name, value } => {
            resources.set_secret(key, name, value)?;
            return Ok(None);
        }
        Effect::Provisioned => properties["provisioningState"] = json!("Succeeded"),
        Effect::Failed { error } => {
            properties["provisioningState"] = json!("Failed");
            // Computes say why; of the rest only the operation knows.
            if properties["computeType"].is_string() {
                properties["provisioningErrors"] = json!([{"error": error}]);
                instances::fail(&mut properties["properties"]);
            }
        }
        Effect::Scale => {
            clusters::settle(world, connection, key, at)?;
            return Ok(None);
        }
        Effect::Nodes => {
            properties["provisioningState"] = json!("Succeeded");
            resources.update(&resource.body)?;
            clusters::settle(world, connection, key, at)?;
            return Ok(None);
        }
        Effect::Instance { state, operation, trigger } => {
            properties["provisioningState"] = json!("Succeeded");
            instances::enter(&mut properties["properties"], state, operation, trigger, at);
            Events(connection).unschedule(key)?;
            if state == "Running" {
                instances::schedule_shutdown(world, connection, key, properties, at)?;
            }
        }
    }
    resources.update(&resource.body)?;
    Ok(match effect {
        Effect::Failed { error } => Some(error.clone()),
        _ => None,
    })
}
