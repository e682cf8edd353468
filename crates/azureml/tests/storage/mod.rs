//! A datastore, and what the storage account behind it answers.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use spinney_azureml::Error;
use tempfile::TempDir;

use super::loopback::{Answer, Seen, Server, TOKEN};

pub(crate) const STORE: &str = "/datastores/workspaceblobstore";
pub(crate) const SECRETS: &str = "/datastores/workspaceblobstore/listSecrets";
pub(crate) const CONTAINER: &str = "/storageaccount/blobs";
pub(crate) const SIGNATURE: &str = "SIGNATURE-THAT-MUST-NOT-BE-SEEN";

pub(crate) fn store(credentials: &str) -> Value {
    json!({
        "id": "/x/datastores/workspaceblobstore", "name": "workspaceblobstore",
        "properties": {
            "datastoreType": "AzureBlob", "accountName": "storageaccount", "containerName": "blobs",
            "endpoint": "core.windows.net", "protocol": "https", "credentials": {"credentialsType": credentials},
        },
    })
}

pub(crate) fn sas(number: u32) -> Answer {
    let token = format!("sv=2021-12-02&sr=c&sp=racwl&n={number}&sig={SIGNATURE}");
    Answer::json(200, json!({"secretsType": "Sas", "sasToken": token}))
}

/// A server with a datastore that has signatures to give.
pub(crate) async fn server() -> Server {
    let server = Server::start().await;
    server.always("GET", STORE, Answer::json(200, store("Sas"))).always("POST", SECRETS, sas(1));
    server
}

/// A file to upload, and where it goes.
pub(crate) struct Sample {
    _folder: TempDir,
    pub(crate) file: PathBuf,
    pub(crate) blob: String,
}

pub(crate) fn sample(content: &[u8]) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.bin");
    fs::write(&file, content).unwrap();
    let hash = spinney_azureml::asset_hash(&file).unwrap();
    Sample { _folder: folder, file, blob: format!("{CONTAINER}/LocalUpload/{hash}/data.bin") }
}

pub(crate) fn refused(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>No.\nRequestId:r-1</Message></Error>"
    );
    Answer::new(status).header("x-ms-error-code", code).header("x-ms-request-id", "r-1").body(body)
}

pub(crate) fn in_storage(server: &Server) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| seen.path.starts_with(CONTAINER)).collect()
}

#[track_caller]
pub(crate) fn keeps_secrets(error: &Error) {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!("{error} {error:?}"));
        source = error.source();
    }
    assert!(!text.contains(SIGNATURE) && !text.contains(TOKEN), "{text}");
}

/// A page of a list of blobs.
pub(crate) fn listing(blobs: &[(&str, usize)]) -> Answer {
    page(blobs, "")
}

pub(crate) fn page(blobs: &[(&str, usize)], next: &str) -> Answer {
    let mut body = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"blobs\"><Blobs>",
    );
    for (name, size) in blobs {
        let name = name.replace('&', "&amp;").replace('<', "&lt;");
        body.push_str(&format!(
            "<Blob><Name>{name}</Name><Properties><Etag>0x1</Etag><Content-Length>{size}</Content-Length>\
             <BlobType>BlockBlob</BlobType></Properties></Blob>"
        ));
    }
    body.push_str(&format!("</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"));
    Answer::new(200).header("Content-Type", "application/xml").body(body)
}
