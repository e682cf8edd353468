use std::time::Duration;

use axum::http::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{
    call::Call,
    field, pages,
    reply::{Answer, Refusal, Reply},
    workspaces::Workspace,
};
use crate::{
    blob,
    moment::Moment,
    store::{Order, Resource, Resources},
    world::World,
};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/datastores";

/// Makes the datastores that every workspace has, and their containers.
pub(crate) fn make(
    world: &World,
    connection: &Connection,
    workspace: &str,
    by: &Value,
    now: Moment,
) -> rusqlite::Result<()> {
    // Two workspaces must not share a container.
    let unique = uuid::Uuid::new_v4();
    for (name, container, is_default) in [
        ("workspaceblobstore", format!("azureml-blobstore-{unique}"), true),
        ("workspaceartifactstore", format!("azureml-artifacts-{unique}"), false),
    ] {
        blob::create_container(connection, &container, now)?;
        Resources(connection).put(
            "datastores",
            json!({
                "id": format!("{workspace}/datastores/{name}"),
                "name": name,
                "type": TYPE,
                "systemData": by,
                "properties": {
                    "datastoreType": "AzureBlob",
                    "containerName": container,
                    "protocol": "https",
                    "serviceDataAccessAuthIdentity": "None",
                    "credentials": {"credentialsType": "AccountKey"},
                    "description": null,
                    "isDefault": is_default,
                    "properties": {},
                    "tags": {},
                    "subscriptionId": world.settings.subscription,
                },
            }),
        )?;
    }
    Ok(())
}

/// With the names by which this client reaches the storage account.
fn shown(call: &Call<'_>, datastore: &Resource) -> Value {
    let mut body = datastore.body.clone();
    let properties = &mut body["properties"];
    properties["accountName"] = json!(call.door.account_name(&call.world.settings.account));
    properties["endpoint"] = json!(call.door.storage_suffix());
    properties["resourceGroup"] = json!(call.segment(3));
    body
}

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    let collection = format!("{}/datastores", workspace.id);
    match (call.method, rest) {
        (&Method::GET, []) => list(call, &collection),
        (&Method::GET, [name]) => {
            let datastore = find(call, &collection, name)?;
            Ok(Reply::ok(shown(call, &datastore)).etag(&datastore))
        }
        (&Method::POST, [name, "listsecrets"]) => secrets(call, &find(call, &collection, name)?),
        (&Method::PUT | &Method::PATCH | &Method::DELETE, [_]) => {
            Err(Refusal::not_implemented("datastores other than those of the workspace").into())
        }
        _ => Err(call.wrong_method().into()),
    }
}

fn find(call: &Call<'_>, collection: &str, name: &str) -> Answer<Resource> {
    call.resources().get(&format!("{collection}/{name}"))?.ok_or_else(|| {
        Refusal::not_found(format!("Could not find datastore: {}", call.segment(9))).into()
    })
}

fn list(call: &Call<'_>, collection: &str) -> Answer {
    let is_default = match call.parameter("isdefault").map(str::to_lowercase).as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Refusal::user_error("isDefault must be true or false").into()),
    };
    let names: Option<Vec<&str>> = call.parameter("names").map(|names| names.split(',').collect());
    let is_wanted = |datastore: &Resource| {
        is_default.is_none_or(|wanted| datastore.body["properties"]["isDefault"] == wanted)
            && names.as_ref().is_none_or(|names| {
                names.iter().any(|name| name.trim().eq_ignore_ascii_case(datastore.name()))
            })
    };
    let order = Order::Created { newest_first: false };
    pages::list(call, collection, order, is_wanted, |datastore| Ok(shown(call, datastore)))
}

/// The account's key, or, for who asks for something that expires, a signature for the container.
fn secrets(call: &Call<'_>, datastore: &Resource) -> Answer {
    if field::optional_bool(call.body, "/expirableSecret")? != Some(true) {
        let key = &call.world.secrets.account_key;
        return Ok(Reply::ok(json!({"secretsType": "AccountKey", "key": key})));
    }
    let hours =
        field::optional_whole(call.body, "/expireAfterHours")?.unwrap_or(1).clamp(1, 24 * 7);
    let container = datastore.body["properties"]["containerName"].as_str().unwrap_or_default();
    let until = call.now.plus(Duration::from_secs(hours * 3600));
    let sas = blob::sign_container(call.world, call.door, container, until);
    Ok(Reply::ok(json!({"secretsType": "Sas", "sasToken": sas})))
}
