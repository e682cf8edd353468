//! Assets that nobody has asked for by a request: outputs of jobs.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::reply::{Answer, Refusal};
use crate::store::{Resource, Resources};

/// Registers a version of a model or of data; the next, if none is said.
pub(crate) fn register(
    connection: &Connection,
    workspace: &str,
    kind: &str,
    name: &str,
    version: Option<&str>,
    properties: Value,
    by: &Value,
) -> Answer<Resource> {
    let resources = Resources(connection);
    let container = format!("{workspace}/{kind}/{name}");
    let versions = format!("{container}/versions");
    let version = match version {
        Some(version) => version.to_owned(),
        None => (resources.highest_number(&versions)? + 1).to_string(),
    };
    let id = format!("{versions}/{version}");
    if resources.get(&id)?.is_some() {
        let message = format!("there is a version {version} of {name} already");
        return Err(Refusal::conflict(message).into());
    }
    let container_type = format!("Microsoft.MachineLearningServices/workspaces/{kind}");
    let common = json!({
        "description": null,
        "tags": {},
        "properties": {},
        "isAnonymous": false,
        "isArchived": false,
    });
    if resources.get(&container)?.is_none() {
        let mut container_properties = common.clone();
        if let Some(data_type) = properties.get("dataType") {
            container_properties["dataType"] = data_type.clone();
        }
        let body = json!({
            "id": container,
            "name": name,
            "type": container_type,
            "systemData": by,
            "properties": container_properties,
        });
        resources.put(kind, body)?;
    }
    let mut all = common;
    // Data has none.
    if kind == "models" {
        all["provisioningState"] = json!("Succeeded");
    }
    if let Value::Object(properties) = properties {
        for (field, value) in properties {
            all[field] = value;
        }
    }
    let body = json!({
        "id": id,
        "name": version,
        "type": format!("{container_type}/versions"),
        "systemData": by,
        "properties": all,
    });
    Ok(resources.put(&format!("{kind}/versions"), body)?)
}
