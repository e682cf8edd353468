//! Uploads and downloads with Azurite, which checks signatures, blocks and conditions itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "figures")]

mod loopback;
#[path = "azurite/peer.rs"]
mod peer;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use peer::{Azurite, STORE, random_file};
use spinney_azureml::{Error, TransferOptions, TransferProgress};

const HOUR: Duration = Duration::from_secs(3600);
const MIB: u64 = 1 << 20;

/// What was told last of a transfer.
fn watched(options: TransferOptions) -> (TransferOptions, Arc<Mutex<TransferProgress>>) {
    let last = Arc::new(Mutex::new(TransferProgress::default()));
    let told = Arc::clone(&last);
    (options.on_progress(move |progress| *told.lock().unwrap() = *progress), last)
}

fn bytes(last: &Mutex<TransferProgress>) -> (u64, u64, u64) {
    let progress = *last.lock().unwrap();
    (progress.bytes_done, progress.bytes_total, progress.bytes_skipped)
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn a_large_file_goes_there_once_and_comes_back_the_same() {
    let azurite = Azurite::start().await;
    let (_server, client) = azurite.workspace(vec![azurite.sas_secret(HOUR)]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.bin");
    random_file(&file, 200 << 20);

    let (options, last) = watched(TransferOptions::default());
    let uploaded = client.datastores().upload(None, &file, &options).await.unwrap();
    assert!(!uploaded.skipped);
    assert_eq!(bytes(&last), (200 * MIB, 200 * MIB, 0));
    let hash = spinney_azureml::asset_hash(&file).unwrap();
    assert_eq!(uploaded.path, format!("LocalUpload/{hash}/large.bin"));

    let again = client.datastores().upload(None, &file, &options).await.unwrap();
    assert!(again.skipped);
    assert_eq!(again.path, uploaded.path);
    assert_eq!(bytes(&last), (200 * MIB, 200 * MIB, 200 * MIB));

    let there = folder.path().join("there");
    let (options, last) = watched(TransferOptions::default());
    let downloaded =
        client.datastores().download_uri(&uploaded.uri, &there, &options).await.unwrap();
    assert_eq!(downloaded.files, [there.join("large.bin")]);
    assert_eq!(bytes(&last), (200 * MIB, 200 * MIB, 0));
    assert!(fs::read(&file).unwrap() == fs::read(&downloaded.files[0]).unwrap());
    assert_eq!(fs::read_dir(&there).unwrap().count(), 1, "nothing but the file is left");
}

/// All files below a folder with their contents.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn a_folder_goes_there_and_comes_back_without_what_is_ignored() {
    let azurite = Azurite::start().await;
    let (_server, client) = azurite.workspace(vec![azurite.key_secret()]).await;
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir_all(model.join("weights/a b")).unwrap();
    for (name, size) in [
        ("MLmodel", 10),
        ("empty", 0),
        ("weights/a b/ä+&%#?=.bin", 100),
        ("weights/large.bin", 3_000_000),
        ("weights/x.log", 10),
    ] {
        random_file(&model.join(name), size);
    }
    fs::write(model.join(".amlignore"), "*.log\n").unwrap();

    let options = TransferOptions::default().block_size(1 << 20).parallel(3);
    let uploaded = client.datastores().upload(Some(STORE), &model, &options).await.unwrap();
    assert!(uploaded.is_folder && !uploaded.skipped);
    let there = folder.path().join("there");
    let path = uploaded.path.as_str();
    client.datastores().download(STORE, path, &there, &options).await.unwrap();
    let mut expected = contents(&model);
    expected.remove("weights/x.log");
    assert!(contents(&there) == expected, "{:?}", contents(&there).keys());
    assert!(client.datastores().upload(None, &model, &options).await.unwrap().skipped);

    // A part of a name is no folder.
    let error = client.datastores().download(STORE, &path[..path.len() - 1], &there, &options);
    assert!(error.await.unwrap_err().is_not_found());
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn an_upload_goes_on_where_storage_was_killed() {
    let azurite = Azurite::start().await;
    let (_server, client) = azurite.workspace(vec![azurite.sas_secret(HOUR)]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.bin");
    random_file(&file, 64 << 20);

    let (killed, victim) = (AtomicBool::new(false), azurite.clone());
    let options = TransferOptions::default().block_size(MIB).parallel(4);
    let interrupted = options.clone().on_progress(move |progress| {
        if progress.bytes_done >= 32 * MIB && !killed.swap(true, Ordering::SeqCst) {
            // Azurite writes every five seconds what it knows of blocks.
            thread::sleep(Duration::from_secs(7));
            victim.kill();
        }
    });
    let error = client.datastores().upload(None, &file, &interrupted).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("sig="), "{error:?}");

    azurite.restart();
    let (options, last) = watched(options);
    let uploaded = client.datastores().upload(None, &file, &options).await.unwrap();
    let (done, total, skipped) = bytes(&last);
    assert_eq!((done, total), (64 * MIB, 64 * MIB));
    println!("of 64 MiB, {} MiB were not sent again", skipped / MIB);
    assert!((30 * MIB..64 * MIB).contains(&skipped), "{skipped}");
    let there = folder.path().join("there");
    client.datastores().download_uri(&uploaded.uri, &there, &options).await.unwrap();
    assert!(fs::read(&file).unwrap() == fs::read(there.join("large.bin")).unwrap());
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn a_signature_whose_time_is_over_is_renewed_and_the_upload_goes_on() {
    let azurite = Azurite::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.bin");
    random_file(&file, 8 << 20);
    // The first is over from the beginning, which only storage says; the second ends in mid-upload.
    let over = azurite.sas_secret(Duration::ZERO);
    thread::sleep(Duration::from_secs(1));
    let short = azurite.sas_secret(Duration::from_secs(3));
    let (server, client) = azurite.workspace(vec![over, short, azurite.sas_secret(HOUR)]).await;
    let waited = AtomicBool::new(false);
    let options = TransferOptions::default().block_size(MIB).parallel(2).on_progress(move |_| {
        if !waited.swap(true, Ordering::SeqCst) {
            thread::sleep(Duration::from_secs(4));
        }
    });
    let uploaded = client.datastores().upload(None, &file, &options).await.unwrap();
    let asked = server.seen().iter().filter(|seen| seen.path.ends_with("/listSecrets")).count();
    assert_eq!(asked, 3, "once for each signature");
    let there = folder.path().join("there");
    client.datastores().download_uri(&uploaded.uri, &there, &options).await.unwrap();
    assert!(fs::read(&file).unwrap() == fs::read(there.join("large.bin")).unwrap());
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn two_uploads_of_the_same_at_the_same_time_both_succeed() {
    let azurite = Azurite::start().await;
    let (_server, client) = azurite.workspace(vec![azurite.sas_secret(HOUR)]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.bin");
    random_file(&file, 8 << 20);
    let options = TransferOptions::default().block_size(MIB);
    let upload = || client.datastores().upload(None, &file, &options);
    let (one, two) = tokio::join!(upload(), upload());
    assert_eq!(one.unwrap().path, two.unwrap().path);
    assert!(upload().await.unwrap().skipped);
}

#[tokio::test]
#[ignore = "needs Azurite and Azure's SDK: cargo xtask azurite"]
async fn what_the_sdk_has_uploaded_is_known_here_and_the_other_way_round() {
    // The SDK asks for a version of the interface that Azurite does not know yet.
    let azurite = Azurite::start_with(&["--skipApiVersionCheck"]).await;
    let (_server, client) = azurite.workspace(vec![azurite.key_secret()]).await;
    let folder = tempfile::tempdir().unwrap();
    let options = TransferOptions::default().block_size(MIB);
    for (name, by_sdk_first) in [("ours", false), ("theirs", true)] {
        let file = folder.path().join(format!("{name}.bin"));
        fs::write(&file, name.repeat(1_000_000)).unwrap();
        let model = folder.path().join(name);
        fs::create_dir_all(model.join("sub.d/deep")).unwrap();
        for path in
            ["sub.d/deep/a.txt", "sub.d/b.txt", "sub-e.txt", "Z.txt", "a b.log", ".amlignore"]
        {
            fs::write(model.join(path), format!("*.log\n# {name} {path}\n")).unwrap();
        }
        for path in [&file, &model] {
            if by_sdk_first {
                let made = azurite.upload_by_sdk(path, "asset", "7");
                let uploaded = client.datastores().upload(None, path, &options).await.unwrap();
                assert!(uploaded.skipped, "{path:?}");
                assert_eq!(made, [uploaded.path.as_str(), "asset", "7"]);
            } else {
                let uploaded = client.datastores().upload(None, path, &options).await.unwrap();
                assert!(!uploaded.skipped);
                let found = azurite.upload_by_sdk(path, "asset", "7");
                assert_eq!(found[0], uploaded.path);
                // The name and version of our upload, so the SDK has sent nothing.
                assert_eq!(found[2], "1", "{found:?}");
            }
        }
    }
}
