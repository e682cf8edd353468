//! Runs the program twice and compares files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

use std::{fs, process::Command};

#[test]
fn writes_the_same_bundle_twice() {
    let folder = tempfile::tempdir().unwrap();
    let bundles = ["one.bundle", "two.bundle"].map(|name| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_save-bundle"));
        let output = command.current_dir(folder.path()).arg(name).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.ends_with("(30 features)\n"), "{printed}");
        fs::read(folder.path().join(name)).unwrap()
    });
    assert!(bundles[0] == bundles[1]);
}

#[test]
fn names_a_folder_that_is_not_there() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_save-bundle"));
    let output = command.arg("no/such/folder.bundle").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("could not save no/such/folder.bundle"));
}
