//! Files to and from storage when something is not as it should be: who is let in, what is refused, what breaks, and lists that lead astray.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use loopback::{Answer, Fault, Seen, Server, TOKEN};
use serde_json::{Value, json};
use spinney_azureml::{
    DataSpec, EnvironmentSpec, Error, InferenceConfig, ModelSpec, Route, TransferOptions,
    TransferProgress,
};
use tempfile::TempDir;

const STORE: &str = "/datastores/workspaceblobstore";
const SECRETS: &str = "/datastores/workspaceblobstore/listSecrets";
const CONTAINER: &str = "/storageaccount/blobs";
const SIGNATURE: &str = "SIGNATURE-THAT-MUST-NOT-BE-SEEN";

fn store(credentials: &str) -> Value {
    json!({
        "id": "/x/datastores/workspaceblobstore", "name": "workspaceblobstore",
        "properties": {
            "datastoreType": "AzureBlob", "accountName": "storageaccount", "containerName": "blobs",
            "endpoint": "core.windows.net", "protocol": "https", "credentials": {"credentialsType": credentials},
        },
    })
}

fn sas(number: u32) -> Answer {
    let token = format!("sv=2021-12-02&sr=c&sp=racwl&n={number}&sig={SIGNATURE}");
    Answer::json(200, json!({"secretsType": "Sas", "sasToken": token}))
}

/// A server with a datastore that has signatures to give.
async fn server() -> Server {
    let server = Server::start().await;
    server.always("GET", STORE, Answer::json(200, store("Sas"))).always("POST", SECRETS, sas(1));
    server
}

/// A file to upload, and where it goes.
struct Sample {
    _folder: TempDir,
    file: PathBuf,
    blob: String,
}

fn sample(content: &[u8]) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.bin");
    fs::write(&file, content).unwrap();
    let hash = spinney_azureml::asset_hash(&file).unwrap();
    Sample { _folder: folder, file, blob: format!("{CONTAINER}/LocalUpload/{hash}/data.bin") }
}

fn refused(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>No.\nRequestId:r-1</Message></Error>"
    );
    Answer::new(status).header("x-ms-error-code", code).header("x-ms-request-id", "r-1").body(body)
}

fn in_storage(server: &Server) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| seen.path.starts_with(CONTAINER)).collect()
}

#[track_caller]
fn keeps_secrets(error: &Error) {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!("{error} {error:?}"));
        source = error.source();
    }
    assert!(!text.contains(SIGNATURE) && !text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn who_gets_no_secrets_comes_by_identity() {
    let file = sample(b"content");
    for (credentials, secrets) in [
        ("None", None),
        ("Sas", Some(Answer::error(403, "AuthorizationFailed", "no"))),
        ("Sas", Some(Answer::error(404, "UserError", "no"))),
        ("AccountKey", Some(Answer::error(409, "Conflict", "no"))),
        ("Certificate", Some(Answer::json(200, json!({"secretsType": "Certificate"})))),
    ] {
        let server = Server::start().await;
        server.always("GET", STORE, Answer::json(200, store(credentials)));
        if let Some(secrets) = secrets {
            server.on("POST", SECRETS, secrets);
        }
        server.enqueue("HEAD", &file.blob, Answer::new(404));
        server.enqueue("PUT", &file.blob, Answer::new(201));
        server.enqueue("PUT", &file.blob, Answer::new(200));
        let options = TransferOptions::default();
        server.client().datastores().upload(None, &file.file, &options).await.unwrap();
        server.check();
        for seen in in_storage(&server) {
            assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
            assert_eq!(seen.query("sig"), None);
        }
    }
}

#[tokio::test]
async fn a_lacking_role_is_named_with_its_account() {
    let file = sample(b"content");
    let server = Server::start().await;
    server.always("GET", STORE, Answer::json(200, store("None")));
    // A reply to HEAD has no body: the code is in a header.
    server.enqueue("HEAD", &file.blob, refused(403, "AuthorizationPermissionMismatch"));
    let options = TransferOptions::default();
    let error = server.client().datastores().upload(None, &file.file, &options).await.unwrap_err();
    let text = error.to_string();
    assert_eq!((error.status(), error.request_id()), (Some(403), Some("r-1")));
    assert!(
        text.contains("`Storage Blob Data Contributor` on the storage account `storageaccount`"),
        "{text}"
    );
    assert!(text.contains("AuthorizationPermissionMismatch") && text.contains("request id: r-1"));
    keeps_secrets(&error);
}

#[tokio::test]
async fn an_account_without_keys_is_entered_by_identity() {
    let file = sample(b"content");
    let server = server().await;
    server.enqueue("HEAD", &file.blob, refused(403, "KeyBasedAuthenticationNotPermitted"));
    server.enqueue(
        "HEAD",
        &file.blob,
        Answer::new(200).header("x-ms-meta-upload_status", "completed"),
    );
    let options = TransferOptions::default();
    let uploaded = server.client().datastores().upload(None, &file.file, &options).await.unwrap();
    assert!(uploaded.skipped);
    server.check();
    let seen = in_storage(&server);
    assert_eq!(seen[0].query("sig"), Some(SIGNATURE));
    assert_eq!(seen[1].query("sig"), None);
    assert_eq!(seen[1].headers["authorization"], format!("Bearer {TOKEN}"));
}

#[tokio::test]
async fn a_refused_signature_is_renewed_once() {
    let file = sample(b"content");
    let server = Server::start().await;
    server.always("GET", STORE, Answer::json(200, store("Sas")));
    server.on("POST", SECRETS, sas(1)).on("POST", SECRETS, sas(2));
    server.enqueue("HEAD", &file.blob, Answer::new(404));
    server.enqueue("PUT", &file.blob, refused(403, "AuthenticationFailed"));
    server.enqueue("PUT", &file.blob, Answer::new(201));
    server.enqueue("PUT", &file.blob, Answer::new(200));
    let options = TransferOptions::default();
    server.client().datastores().upload(None, &file.file, &options).await.unwrap();
    server.check();
    let numbers: Vec<_> =
        in_storage(&server).iter().map(|seen| seen.query("n").unwrap().to_owned()).collect();
    assert_eq!(numbers, ["1", "1", "2", "2"]);

    // One that is refused for good is not renewed for ever.
    let server = self::server().await;
    server.always_at("HEAD", &file.blob, refused(403, "AuthenticationFailed"));
    let error = server.client().datastores().upload(None, &file.file, &options).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert_eq!(in_storage(&server).len(), 2);
    keeps_secrets(&error);
}

#[tokio::test]
async fn what_passes_is_ridden_out_for_each_block() {
    let content: Vec<u8> = (0..5000_u32).map(|i| (i % 251) as u8).collect();
    let file = sample(&content);
    let server = server().await;
    server.enqueue("HEAD", &file.blob, Answer::new(503));
    server.enqueue("HEAD", &file.blob, Answer::new(404));
    server.enqueue("GET", &file.blob, Answer::new(404));
    for answer in [
        Answer::fault(Fault::Reset),
        refused(503, "ServerBusy"),
        Answer::new(201),
        refused(500, "InternalError").header("Retry-After", "0"),
        Answer::new(201),
        refused(503, "ServerBusy"),
        Answer::new(201),
        Answer::new(200),
    ] {
        server.enqueue("PUT", &file.blob, answer);
    }
    let options = TransferOptions::default().block_size(2500).parallel(1);
    server.client().datastores().upload(None, &file.file, &options).await.unwrap();
    server.check();

    // Not for ever, and without the address in what is said.
    for answer in [Answer::fault(Fault::Reset), refused(503, "ServerBusy")] {
        let server = self::server().await;
        server.always_at("HEAD", &file.blob, answer);
        let error =
            server.client().datastores().upload(None, &file.file, &options).await.unwrap_err();
        assert!(error.to_string().contains("6"), "{error}");
        assert_eq!(in_storage(&server).len(), 6);
        keeps_secrets(&error);
    }
}

#[tokio::test]
async fn a_blob_that_came_meanwhile_is_taken_if_it_is_the_same_and_replaced_if_not() {
    let file = sample(b"content");
    let options = TransferOptions::default();
    for (size, puts) in [("7", 2), ("6", 3)] {
        let server = server().await;
        server.enqueue("HEAD", &file.blob, Answer::new(404));
        server.enqueue("PUT", &file.blob, refused(409, "BlobAlreadyExists"));
        server.enqueue("HEAD", &file.blob, Answer::new(200).header("Content-Length", size));
        if puts == 3 {
            server.enqueue("PUT", &file.blob, Answer::new(201));
        }
        server.enqueue("PUT", &file.blob, Answer::new(200));
        server.client().datastores().upload(None, &file.file, &options).await.unwrap();
        server.check();
        let seen = in_storage(&server);
        let puts: Vec<&Seen> = seen
            .iter()
            .filter(|seen| seen.method == "PUT" && seen.query("comp").is_none())
            .collect();
        assert_eq!(puts[0].headers["if-none-match"], "*");
        assert!(puts[1..].iter().all(|seen| !seen.headers.contains_key("if-none-match")));
    }
}

#[tokio::test]
async fn of_a_folder_that_was_interrupted_only_the_rest_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    for (name, content) in [("a", "first"), ("b", "second"), ("c", "third")] {
        fs::write(model.join(name), content).unwrap();
    }
    let hash = spinney_azureml::asset_hash(&model).unwrap();
    let blob = |name: &str| format!("{CONTAINER}/LocalUpload/{hash}/model/{name}");
    let server = server().await;
    server.enqueue("HEAD", &blob("a"), Answer::new(200).header("Content-Length", "5"));
    // `b` is there with another size; `model2` is another folder.
    let list = listing(&[
        (&format!("LocalUpload/{hash}/model/a"), 5),
        (&format!("LocalUpload/{hash}/model/b"), 5),
        (&format!("LocalUpload/{hash}/model2/c"), 5),
    ]);
    server.enqueue("GET", CONTAINER, list);
    server.enqueue("PUT", &blob("b"), Answer::new(201));
    server.enqueue("PUT", &blob("c"), Answer::new(201));
    server.enqueue("PUT", &blob("a"), Answer::new(200));
    let last = Arc::new(Mutex::new(TransferProgress::default()));
    let told = Arc::clone(&last);
    let options = TransferOptions::default()
        .on_progress(move |progress: &TransferProgress| *told.lock().unwrap() = *progress);
    server.client().datastores().upload(None, &model, &options).await.unwrap();
    server.check();
    let progress = *last.lock().unwrap();
    assert_eq!((progress.bytes_done, progress.bytes_total, progress.bytes_skipped), (16, 16, 5));
    let seen = in_storage(&server);
    let put = |name: &str| seen.iter().find(|seen| seen.method == "PUT" && seen.path == blob(name));
    assert!(!put("b").unwrap().headers.contains_key("if-none-match"));
    assert_eq!(put("c").unwrap().headers["if-none-match"], "*");
    assert_eq!(put("a").unwrap().query("comp"), Some("metadata"));
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_not_stored_under_the_old_hash() {
    let file = sample(&[1; 4096]);
    let server = server().await;
    server.enqueue("HEAD", &file.blob, Answer::new(404));
    server.enqueue("GET", &file.blob, Answer::new(404));
    server.always_at("PUT", &file.blob, Answer::new(201));
    let (path, changed) = (file.file.clone(), AtomicBool::new(false));
    let options = TransferOptions::default().block_size(1024).parallel(1).on_progress(move |_| {
        if !changed.swap(true, Ordering::SeqCst) {
            fs::write(&path, [2; 5000]).unwrap();
        }
    });
    let error = server.client().datastores().upload(None, &file.file, &options).await.unwrap_err();
    assert!(matches!(&error, Error::Changed { path } if *path == file.file), "{error:?}");
    let commits =
        in_storage(&server).iter().filter(|seen| seen.query("comp") != Some("block")).count();
    assert_eq!(commits, 2, "the two looks at the beginning, and no list of blocks");
}

#[tokio::test]
async fn nothing_is_sent_for_what_cannot_be() {
    let server = server().await;
    let client = server.client();
    let stores = client.datastores();
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join(".amlignore"), "*\n").unwrap();
    let file = sample(b"content");
    let ok = TransferOptions::default();
    let none = Path::new("/there/is/nothing/here");
    assert!(matches!(
        stores.upload(None, empty.path(), &ok).await,
        Err(Error::InvalidArgument { .. })
    ));
    assert!(matches!(stores.upload(None, none, &ok).await, Err(Error::Io { .. })));
    for options in [ok.clone().parallel(0), ok.clone().block_size(1)] {
        let refused = stores.upload(None, &file.file, &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
        let refused = stores.download("workspaceblobstore", "a", empty.path(), &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
        let refused = client.code().upload(&file.file, &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }
    for name in ["", "../secrets", "a/b", "a b"] {
        assert!(matches!(
            stores.upload(Some(name), &file.file, &ok).await,
            Err(Error::InvalidName { .. })
        ));
        assert!(matches!(stores.secrets(name).await, Err(Error::InvalidName { .. })));
        let model = ModelSpec::from_path(name, &file.file);
        assert!(matches!(
            client.models().register(&model, &ok).await,
            Err(Error::InvalidName { .. })
        ));
        let model = ModelSpec::from_path("m", &file.file).version(format!("{name}/"));
        assert!(matches!(
            client.models().register(&model, &ok).await,
            Err(Error::InvalidName { .. })
        ));
        assert!(client.data().get(name, "1").await.is_err());
        assert!(client.environments().latest(name).await.is_err());
        assert!(client.code().get("c", name).await.is_err());
    }
    let environment = EnvironmentSpec::from_build_context("e", &file.file);
    assert!(client.environments().create(&environment, &ok).await.is_err(), "no folder");
    for environment in [
        EnvironmentSpec::from_build_context("e", empty.path()).conda_file("name: x"),
        EnvironmentSpec::from_image("e", "i").dockerfile_path("x"),
        EnvironmentSpec::from_image("e", "i").os_type("Plan9"),
    ] {
        let refused = client.environments().create(&environment, &ok).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }
    assert!(stores.download_uri("https://elsewhere/x", empty.path(), &ok).await.is_err());
    assert_eq!(server.seen_short(), [""; 0]);
}

#[tokio::test]
async fn names_of_a_datastore_cannot_lead_to_another_host() {
    let file = sample(b"content");
    for (field, value) in [
        ("accountName", json!("evil.example/x")),
        ("accountName", json!("user:password@evil.example")),
        ("accountName", json!("")),
        ("accountName", Value::Null),
        ("containerName", json!("../x")),
        ("containerName", json!("a?b")),
        ("datastoreType", json!("AzureFile")),
    ] {
        let server = Server::start().await;
        let mut store = store("None");
        store["properties"][field] = value.clone();
        server.on("GET", STORE, Answer::json(200, store));
        let options = TransferOptions::default();
        let refused = server.client().datastores().upload(None, &file.file, &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{field} {value}");
        assert_eq!(server.seen().len(), 1);
    }
    // Without TLS nothing secret goes anywhere but to this machine.
    for (field, value) in [("protocol", "http"), ("endpoint", "evil.example/"), ("protocol", "ftp")]
    {
        let server = Server::start().await;
        let mut store = store("None");
        store["properties"][field] = json!(value);
        server.on("GET", STORE, Answer::json(200, store));
        let cloud = spinney_azureml::Cloud::at(&server.url).unwrap();
        let client = server.builder().cloud(cloud).build().unwrap();
        let options = TransferOptions::default();
        let error = client.datastores().upload(None, &file.file, &options).await.unwrap_err();
        let is_refused =
            matches!(error, Error::UntrustedUrl { .. } | Error::InvalidArgument { .. });
        assert!(is_refused, "{field} {value}: {error:?}");
        assert_eq!(server.seen().len(), 1);
    }
}

/// A page of a list of blobs.
fn listing(blobs: &[(&str, usize)]) -> Answer {
    page(blobs, "")
}

fn page(blobs: &[(&str, usize)], next: &str) -> Answer {
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

/// A part of a blob.
fn part(content: &[u8], offset: usize, total: usize) -> Answer {
    let range = format!("bytes {offset}-{}/{total}", offset + content.len() - 1);
    Answer::new(206).header("Content-Range", range).header("ETag", "\"0x1\"").body(content)
}

#[tokio::test]
async fn a_list_that_leads_astray_writes_nothing() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("folder");
    for name in [
        "m/../x",
        "m/..",
        "m/a/../../x",
        "m//etc/passwd/../x",
        "m/a//b",
        "m/./x",
        "m/a\\..\\x",
        "m/C:x",
        "m/a/",
    ] {
        let server = server().await;
        // The first is in order, and is not written either.
        server.enqueue("GET", CONTAINER, listing(&[("m/a.txt", 1), (name, 1)]));
        let (client, options) = (server.client(), TransferOptions::default());
        let result = client.datastores().download("workspaceblobstore", "m", &folder, &options);
        let error = result.await.unwrap_err();
        assert!(matches!(error, Error::Reply { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("no path below a folder"), "{error}");
        assert!(!folder.exists(), "{name}");
        server.check();
    }
}

#[tokio::test]
async fn lists_that_make_no_sense_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let options = TransferOptions::default();
    for (pages, status) in [
        (vec![listing(&[])], Some(404)),
        (vec![listing(&[("model2/x", 1)])], Some(404)),
        (vec![page(&[("model/x", 1)], "again"), page(&[("model/y", 1)], "again")], None),
        (vec![Answer::new(200).body("<html>")], None),
        (vec![Answer::new(200).body("{}")], None),
        (vec![refused(403, "AuthorizationPermissionMismatch")], Some(403)),
    ] {
        let server = server().await;
        for page in pages {
            server.enqueue("GET", CONTAINER, page);
        }
        let client = server.client();
        let result =
            client.datastores().download("workspaceblobstore", "model", folder.path(), &options);
        let error = result.await.unwrap_err();
        assert_eq!(error.status(), status, "{error:?}");
        keeps_secrets(&error);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        server.check();
    }
}

#[tokio::test]
async fn parts_are_put_together_and_broken_ones_are_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3000_u32).map(|i| (i % 251) as u8).collect();
    let server = server().await;
    let blob = format!("{CONTAINER}/m/sub/a.bin");
    // On two pages, with an empty file and a folder's mark.
    server.enqueue("GET", CONTAINER, page(&[("m/sub/a.bin", 3000), ("m/sub/", 0)], "next"));
    server.enqueue("GET", CONTAINER, page(&[("m/empty", 0)], ""));
    let mut cut = part(&content[..2000], 0, 3000);
    cut.fault = Some(Fault::Truncated);
    server.enqueue("GET", &blob, cut);
    server.enqueue("GET", &blob, part(&content[..2000], 0, 3000));
    server.enqueue("GET", &blob, refused(503, "ServerBusy"));
    server.enqueue("GET", &blob, part(&content[2000..], 2000, 3000));
    let options = TransferOptions::default().block_size(2000).parallel(1);
    let client = server.client();
    let result = client.datastores().download("workspaceblobstore", "/m/", folder.path(), &options);
    let downloaded = result.await.unwrap();
    server.check();
    assert_eq!(downloaded.bytes, 3000);
    assert_eq!(downloaded.files, [folder.path().join("sub/a.bin"), folder.path().join("empty")]);
    assert!(fs::read(&downloaded.files[0]).unwrap() == content);
    assert_eq!(fs::read(&downloaded.files[1]).unwrap(), b"");
    let seen = in_storage(&server);
    let parts: Vec<&Seen> = seen.iter().filter(|seen| seen.path == blob).collect();
    assert!(parts.iter().all(|seen| seen.headers["if-match"] == "\"0x1\""));
}

#[tokio::test]
async fn a_download_that_fails_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bin"), "old").unwrap();
    let server = server().await;
    server.enqueue("GET", CONTAINER, listing(&[("m/a.bin", 2000)]));
    let blob = format!("{CONTAINER}/m/a.bin");
    server.enqueue("GET", &blob, part(&[1; 1024], 0, 2000));
    // Another blob took its place.
    server.enqueue("GET", &blob, refused(412, "ConditionNotMet"));
    let options = TransferOptions::default().block_size(1024).parallel(1);
    let client = server.client();
    let result = client.datastores().download("workspaceblobstore", "m", folder.path(), &options);
    assert_eq!(result.await.unwrap_err().status(), Some(412));
    assert_eq!(fs::read(folder.path().join("a.bin")).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    // A file in the place of a folder.
    let server = self::server().await;
    server.enqueue("GET", CONTAINER, listing(&[("m/a.bin/x", 1)]));
    let client = server.client();
    let result = client.datastores().download("workspaceblobstore", "m", folder.path(), &options);
    assert!(matches!(result.await, Err(Error::Write { .. })));
}

#[tokio::test]
async fn secrets_that_are_none_are_errors_without_them() {
    for reply in [
        json!({"secretsType": "Sas"}),
        json!({"secretsType": "AccountKey", "key": null}),
        json!({"sasToken": SIGNATURE}),
        json!({"secretsType": "Sas", "sasToken": {"n": SIGNATURE}}),
        json!([SIGNATURE]),
    ] {
        let server = Server::start().await;
        server.on("POST", SECRETS, Answer::json(200, reply.clone()));
        let error = server.client().datastores().secrets("workspaceblobstore").await.unwrap_err();
        assert!(matches!(error, Error::Reply { .. }), "{reply}: {error:?}");
        keeps_secrets(&error);
    }
    // A key that is none is not sent on, nor told.
    let file = sample(b"content");
    let server = Server::start().await;
    server.on("GET", STORE, Answer::json(200, store("AccountKey")));
    server.on(
        "POST",
        SECRETS,
        Answer::json(200, json!({"secretsType": "AccountKey", "key": SIGNATURE})),
    );
    let options = TransferOptions::default();
    let error = server.client().datastores().upload(None, &file.file, &options).await.unwrap_err();
    assert!(matches!(error, Error::Reply { .. }), "{error:?}");
    keeps_secrets(&error);
}

#[tokio::test]
async fn code_goes_to_no_address_without_tls_or_signature() {
    let file = sample(b"content");
    let options = TransferOptions::default();
    for uri in [
        format!("http://evil.example/c?sig={SIGNATURE}"),
        "https://account.blob.core.windows.net/c".to_owned(),
        format!("data:text/plain,{SIGNATURE}"),
        SIGNATURE.to_owned(),
    ] {
        let server = Server::start().await;
        let id = "GUID-1";
        server.on("GET", &format!("/codes/{id}/versions"), Answer::json(200, json!({"value": []})));
        let reply = json!({"blobReferenceForConsumption": {"blobUri": "https://x/c", "credential": {"sasUri": uri}}});
        server.on(
            "POST",
            &format!("/codes/{id}/versions/1/startPendingUpload"),
            Answer::json(200, reply),
        );
        let error = server.client().code().upload(&file.file, &options).await.unwrap_err();
        assert!(
            matches!(error, Error::Reply { .. } | Error::UntrustedUrl { .. }),
            "{uri}: {error:?}"
        );
        keeps_secrets(&error);
        server.check();
    }
}

#[tokio::test]
async fn folders_are_data_and_build_contexts() {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("docker");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
    let hash = spinney_azureml::asset_hash(&context).unwrap();
    let blob = format!("{CONTAINER}/LocalUpload/{hash}/docker/Dockerfile");
    let server = server().await;
    for kind in ["data", "environments"] {
        server.on("GET", &format!("/{kind}/x"), Answer::error(404, "UserError", "none"));
        let made = json!({"id": format!("/y/{kind}/x/versions/1"), "name": "1", "properties": {}});
        server.on("PUT", &format!("/{kind}/x/versions/1"), Answer::json(201, made));
        server.enqueue(
            "HEAD",
            &blob,
            Answer::new(200).header("x-ms-meta-upload_status", "completed"),
        );
    }
    let client = server.client();
    let options = TransferOptions::default();
    client.data().create(&DataSpec::from_path("x", &context), &options).await.unwrap();
    let data = server.seen().last().unwrap().json();
    assert_eq!(data["properties"]["dataType"], "uri_folder");
    let uri = format!("azureml://datastores/workspaceblobstore/paths/LocalUpload/{hash}/docker");
    assert_eq!(data["properties"]["dataUri"], uri.as_str());

    let route = |path| Route::new(path, 5001);
    let environment = EnvironmentSpec::from_build_context("x", &context)
        .inference_config(InferenceConfig::new(route("/live"), route("/ready"), route("/score")))
        .os_type("Linux")
        .tag("a", "b");
    client.environments().create(&environment, &options).await.unwrap();
    server.check();
    let put = server.seen().last().unwrap().json();
    let route = |path: &str| json!({"path": path, "port": 5001});
    assert_eq!(
        put,
        json!({"properties": {
            "isAnonymous": false, "isArchived": false, "osType": "Linux", "tags": {"a": "b"},
            "build": {"contextUri": format!("{}{CONTAINER}/LocalUpload/{hash}/docker/", server.url), "dockerfilePath": "Dockerfile"},
            "inferenceConfig": {"livenessRoute": route("/live"), "readinessRoute": route("/ready"), "scoringRoute": route("/score")},
        }})
    );

    // The same again is the same version.
    let there =
        json!({"id": "/y/environments/x/versions/1", "name": "1", "properties": put["properties"]});
    let names = json!({"name": "x", "properties": {"latestVersion": "1", "nextVersion": "2"}});
    server.on("GET", "/environments/x", Answer::json(200, names));
    server.on("GET", "/environments/x/versions/1", Answer::json(200, there));
    server.enqueue("HEAD", &blob, Answer::new(200).header("x-ms-meta-upload_status", "completed"));
    let again = client.environments().create(&environment, &options).await.unwrap();
    assert_eq!(again.name, "1");
    server.check();
}

#[tokio::test]
async fn tags_are_added_and_versions_archived_and_restored() {
    let server = Server::start().await;
    let model = |archived: bool| {
        let properties = json!({"modelUri": "u", "tags": {"a": "1"}, "isArchived": archived, "flavors": {"f": {"data": {"x": "1"}}}, "unknown": [1]});
        Answer::json(
            200,
            json!({"id": "/x/models/m/versions/1", "name": "1", "properties": properties}),
        )
    };
    for archived in [false, true] {
        server.on("GET", "/models/m/versions/1", model(archived));
        server.on("PUT", "/models/m/versions/1", model(!archived));
    }
    let client = server.client();
    client.models().tag("m", "1", [("b", "2")]).await.unwrap();
    let put = server.seen().last().unwrap().json();
    assert_eq!(put["properties"]["tags"], json!({"a": "1", "b": "2"}));
    assert_eq!(put["properties"]["flavors"], json!({"f": {"data": {"x": "1"}}}));
    assert_eq!(put["properties"]["unknown"], json!([1]));
    client.models().restore("m", "1").await.unwrap();
    assert_eq!(server.seen().last().unwrap().json()["properties"]["isArchived"], false);
    server.check();
}

/// What transfers return can be awaited on any thread.
#[test]
fn transfers_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let client = spinney_azureml::MlClient::builder(
        spinney_azureml::WorkspaceId::new(loopback::SUBSCRIPTION, "rg", "mlops-ws").unwrap(),
    )
    .credential(Arc::new(loopback::StaticToken::default()))
    .timeout(Duration::from_secs(1))
    .build()
    .unwrap();
    let options = TransferOptions::default();
    is_send(&client.datastores().upload(None, "x", &options));
    is_send(&client.datastores().download("s", "x", "y", &options));
    let model = ModelSpec::from_path("m", "x");
    is_send(&client.models().register(&model, &options));
    is_send(&client.models().tag("m", "1", [("a", "b")]));
    is_send(&client.data().create(&DataSpec::from_path("m", "x"), &options));
    is_send(&client.environments().create(&EnvironmentSpec::from_image("m", "x"), &options));
    is_send(&client.code().upload("x", &options));
}

#[tokio::test]
async fn outputs_of_a_job_come_each_into_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = server().await;
    let job = |outputs: Value| {
        let properties = json!({"jobType": "Command", "status": "Completed", "outputs": outputs});
        Answer::json(200, json!({"id": "/x/jobs/j", "name": "j", "properties": properties}))
    };
    let here = "azureml://datastores/workspaceblobstore";
    // The place of the job itself is written without `paths`.
    let outputs = json!({"default": {"uri": format!("{here}/run")}, "model": {"uri": format!("{here}/paths/m")}});
    server.on("GET", "/jobs/j", job(outputs));
    for (name, content) in [("run/std_log.txt", "log"), ("m/ames.bundle", "bundle")] {
        server.enqueue("GET", CONTAINER, listing(&[(name, content.len())]));
        let blob = format!("{CONTAINER}/{name}");
        server.enqueue("GET", &blob, part(content.as_bytes(), 0, content.len()));
    }
    let client = server.client();
    let options = TransferOptions::default();
    let written = client.jobs().download("j", folder.path(), &options).await.unwrap();
    assert_eq!(written.keys().collect::<Vec<_>>(), ["default", "model"]);
    assert_eq!(fs::read(folder.path().join("default/std_log.txt")).unwrap(), b"log");
    assert_eq!(fs::read(folder.path().join("model/ames.bundle")).unwrap(), b"bundle");

    for name in ["..", "../x", "a/b", "c:x", ""] {
        server.on("GET", "/jobs/j", job(json!({name: {"uri": format!("{here}/paths/m")}})));
        let error = client.jobs().download("j", folder.path(), &options).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{name}: {error:?}");
    }
}
