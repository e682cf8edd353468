//! How much memory an upload takes: alone in its process, so that the figure is its own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "figures")]

mod loopback;
#[path = "azurite/peer.rs"]
mod peer;

use std::{fs, time::Duration};

use peer::Azurite;
use spinney_azureml::TransferOptions;

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask azurite"]
async fn a_gigabyte_goes_through_the_memory_of_a_few_blocks() {
    let azurite = Azurite::start().await;
    let hour = Duration::from_secs(3600);
    let (_server, client) = azurite.workspace(vec![azurite.sas_secret(hour)]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gigabyte.bin");
    // A file without content on the disk: zeros are as long to send as anything.
    fs::File::create(&file).unwrap().set_len(1 << 30).unwrap();
    let before = peak();
    let options = TransferOptions::default();
    let uploaded = client.datastores().upload(None, &file, &options).await.unwrap();
    let of_upload = peak() - before;
    let there = folder.path().join("there");
    client.datastores().download_uri(&uploaded.uri, &there, &options).await.unwrap();
    assert_eq!(fs::metadata(there.join("gigabyte.bin")).unwrap().len(), 1 << 30);
    let of_both = peak() - before;
    println!(
        "1 GiB in 8 blocks of 8 MiB: {of_upload} MiB above {before} MiB for the upload, {of_both} MiB with the download"
    );
    assert!(of_upload < 256 && of_both < 320, "{of_upload} and {of_both} MiB");
}
