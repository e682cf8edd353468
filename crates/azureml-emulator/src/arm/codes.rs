//! Folders of code: found again by their content.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    assets::{self, Container},
    call::Call,
    field,
    reply::{Answer, Refusal, Reply},
    workspaces::Workspace,
};
use crate::blob;

/// How long code may be uploaded.
const UPLOAD: Duration = Duration::from_secs(2 * 3600);

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, [_, "versions"]) if call.parameter("hash").is_some() => {
            by_hash(call, workspace)
        }
        (&Method::POST, [_, "versions", _, "startpendingupload"]) => start_upload(call, workspace),
        (&Method::PUT, [_, "versions", _]) => {
            assets::put(call, &Container::new(call, workspace, "codes"))
        }
        _ => assets::answer(call, workspace, "codes", rest),
    }
}

/// Whatever has this content, under any name; nothing is an empty list and no error.
fn by_hash(call: &Call<'_>, workspace: &Workspace) -> Answer {
    let hash = call.parameter("hash").unwrap_or_default();
    let version = call.parameter("hashversion");
    let found = call.resources().codes_of_hash(&workspace.id, hash)?;
    let is_of_version = |code: &Value| {
        // The SDK writes a number where a string is asked for.
        let stored = &code["properties"]["properties"]["hash_version"];
        let stored = stored.as_str().map_or_else(|| stored.to_string(), str::to_owned);
        version.is_none_or(|version| version == stored)
    };
    let value: Vec<Value> = found.into_iter().map(|code| code.body).filter(is_of_version).collect();
    Ok(Reply::ok(json!({"value": value})))
}

/// A container of its own, for one upload.
fn start_upload(call: &Call<'_>, workspace: &Workspace) -> Answer {
    let kind = field::optional_text(call.body, "/pendingUploadType")?;
    if kind.is_some_and(|kind| kind != "TemporaryBlobReference") {
        let message = "pendingUploadType must be TemporaryBlobReference";
        return Err(Refusal::user_error(message).into());
    }
    let container = Uuid::new_v4().to_string();
    blob::create_container(call.connection, &container, call.now)?;
    let account = &call.world.settings.account;
    let uri = format!("{}/{container}", call.door.blobs(account));
    let sas = blob::sign_container(call.world, call.door, &container, call.now.plus(UPLOAD));
    let (group, _) = workspace.id.split_once("/providers/").unwrap_or_default();
    Ok(Reply::ok(json!({
        "pendingUploadId": field::optional_text(call.body, "/pendingUploadId")?,
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": uri,
            "storageAccountArmId": format!("{group}/providers/Microsoft.Storage/storageAccounts/{account}"),
            "credential": {"credentialType": "SAS", "sasUri": format!("{uri}?{sas}")},
        },
    })))
}
