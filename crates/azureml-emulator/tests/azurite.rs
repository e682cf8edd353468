//! Azurite behind the emulator: its signatures are checked by the peer, and clients see no difference.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

#[path = "support/azurite.rs"]
mod peer;
mod support;

use std::{fs, time::Duration};

use peer::RunningAzurite;
use reqwest::Method;
use serde_json::json;
use spinney_azureml::{ModelSpec, TransferOptions};
use spinney_azureml_emulator::{Azurite, Clock, Emulator, EmulatorBuilder, Error};
use support::{Local, ml_client::ml_client, send};

fn builder(folder: &std::path::Path, azurite: &RunningAzurite) -> EmulatorBuilder {
    Emulator::builder(folder.join("state")).azurite(Azurite::at(&azurite.url()).unwrap())
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn our_client_uploads_registers_and_fetches() {
    let (azurite, folder) = (RunningAzurite::start(), tempfile::tempdir().unwrap());
    let local = Local::start_with(builder(folder.path(), &azurite), Clock::default()).await;
    let client = ml_client(&local.emulator, Duration::from_millis(50));
    let options = TransferOptions::default().block_size(1 << 20);
    let file = folder.path().join("ames.bundle");
    let content: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    fs::write(&file, &content).unwrap();
    let spec = ModelSpec::from_path("ames", &file);
    client.models().register(&spec, &options).await.unwrap();
    // What is there is not sent again.
    assert_eq!(client.models().register(&spec, &options).await.unwrap().name, "1");
    let copy = folder.path().join("copy");
    client.models().download("ames", "1", &copy, &options).await.unwrap();
    assert!(fs::read(copy.join("ames.bundle")).unwrap() == content);

    let stages = folder.path().join("stages");
    fs::create_dir_all(stages.join("ünï & co")).unwrap();
    fs::write(stages.join("train.py"), "print()").unwrap();
    fs::write(stages.join("ünï & co/a b.py"), "").unwrap();
    let code = client.code().upload(&stages, &options).await.unwrap();
    assert_eq!(client.code().upload(&stages, &options).await.unwrap().id, code.id);
    // Nothing is in the emulator's own folder of contents.
    let own = fs::read_dir(folder.path().join("state/blobs"));
    assert!(own.into_iter().flatten().flatten().all(|entry| entry.path().is_dir()));
    local.emulator.shutdown().await;
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn azurite_checks_signatures_and_the_emulator_tokens_and_keys() {
    let (azurite, folder) = (RunningAzurite::start(), tempfile::tempdir().unwrap());
    let local = Local::start_with(builder(folder.path(), &azurite), Clock::default()).await;
    let (container, sas) = local.container().await;
    let put = |url: String| {
        let request = local.client.put(url).body("content").header("x-ms-blob-type", "BlockBlob");
        request.header("x-ms-version", "2026-10-06")
    };
    let made = send(put(format!("{container}/a%20b/c?{sas}"))).await.expect(201);
    assert_eq!(made.header("x-ms-version"), "2026-10-06");
    assert!(!made.header("etag").is_empty());
    let read = send(local.client.get(format!("{container}/a%20b/c?{sas}"))).await.expect(200);
    assert_eq!(read.body, json!("content"));
    send(put(format!("{container}/d?{}x", sas))).await.expect(403);
    send(put(format!("{container}/d?{}", sas.replace("sp=racwl", "sp=racwdl")))).await.expect(403);
    // It does not permit that.
    send(local.client.delete(format!("{container}/a%20b/c?{sas}"))).await.expect(403);

    let token = local.sign_in("https://storage.azure.com").await;
    let url = format!("{container}/by%20token?x=a%2Bb");
    send(put(url).bearer_auth(&token)).await.expect(201);
    let list = format!("{container}?restype=container&comp=list&prefix=by%20t");
    let list = send(local.client.get(list).bearer_auth(&token)).await.expect(200);
    assert!(list.body.as_str().unwrap().contains("<Name>by token</Name>"), "{list:?}");
    send(put(format!("{container}/e")).bearer_auth("x")).await.expect(401);
    send(put(format!("{container}/e"))).await.expect(401);
    let head = local.client.request(Method::HEAD, format!("{container}/by%20token?{sas}"));
    let head = send(head).await.expect(200);
    assert_eq!(head.header("content-length"), "7");

    drop(azurite);
    let gone = send(put(format!("{container}/f?{sas}"))).await.expect(502);
    assert_eq!(gone.header("x-ms-error-code"), "AzuriteUnreachable");
    local.emulator.shutdown().await;
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn a_state_stays_with_what_keeps_its_contents() {
    let (azurite, folder) = (RunningAzurite::start(), tempfile::tempdir().unwrap());
    let start = async |builder: EmulatorBuilder| builder.port(0).proxy_port(0).start().await;
    let with_azurite = || builder(folder.path(), &azurite);
    start(with_azurite()).await.unwrap().shutdown().await;
    let error = start(Emulator::builder(folder.path().join("state"))).await.unwrap_err();
    assert!(matches!(error, Error::InvalidOption { name: "blob", .. }), "{error:?}");
    start(with_azurite()).await.unwrap().shutdown().await;
}
