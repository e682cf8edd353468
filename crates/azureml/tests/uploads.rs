//! Files to storage when something is not as it should be: who is let in, what is refused, and what breaks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;
mod storage;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use loopback::{Answer, Fault, Seen, Server, TOKEN};
use serde_json::{Value, json};
use spinney_azureml::{Error, TransferOptions, TransferProgress};
use storage::{
    CONTAINER, SECRETS, SIGNATURE, STORE, in_storage, keeps_secrets, listing, refused, sample, sas,
    server, store,
};

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
