//! Assets that nobody has asked for by a request: outputs of jobs.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{
    assets::{Container, store_version},
    reply::{Answer, Refusal},
};
use crate::store::{Resource, Resources};

/// Registers a version of a model or of data; the next, if none is said.
pub(crate) fn register(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    name: &str,
    version: Option<&str>,
    properties: &Value,
    by: &Value,
) -> Answer<Resource> {
    let resources = Resources(connection);
    let container = Container::named(workspace, kind, name);
    let versions = container.versions();
    let version = match version {
        Some(version) => version.to_owned(),
        None => (resources.highest_number(&versions)? + 1).to_string(),
    };
    let id = format!("{versions}/{version}");
    if resources.get(&id)?.is_some() {
        let message = format!("there is a version {version} of {name} already");
        return Err(Refusal::conflict(message).into());
    }
    let body = json!({
        "id": id,
        "name": version,
        "type": container.version_type(),
        "systemData": by,
        "properties": properties,
    });
    store_version(resources, &container, body)
}
