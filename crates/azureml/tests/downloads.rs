//! Files from storage when something is not as it should be: lists that lead astray, parts that break.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;
mod storage;

use std::fs;

use loopback::{Answer, Fault, Seen};
use serde_json::{Value, json};
use spinney_azureml::{Error, TransferOptions};
use storage::{CONTAINER, in_storage, keeps_secrets, listing, page, refused, server};

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
