//! The same bundle gives the same bytes, and a file is never half written.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod model;

use std::fs;

use spinney_artifact::{Error, ModelBundle};

#[test]
fn the_same_training_gives_the_same_bytes() {
    assert_eq!(model::bundle(7).to_bytes(), model::bundle(7).to_bytes());
    assert_ne!(model::bundle(7).fingerprint(), model::bundle(8).fingerprint());
}

#[test]
fn a_saved_bundle_is_the_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bundle");
    let bundle = model::bundle(7);
    bundle.save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bundle.to_bytes());
    let loaded = ModelBundle::load(&path).unwrap();
    assert_eq!(loaded.predict(&model::table()).unwrap(), bundle.predict(&model::table()).unwrap());
}

#[test]
fn saving_replaces_the_file_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bundle");
    model::bundle(7).save(&path).unwrap();
    model::bundle(8).save(&path).unwrap();
    assert_eq!(ModelBundle::load(&path).unwrap().fingerprint(), model::bundle(8).fingerprint());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn others_may_read_a_saved_bundle_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let path = folder.path().join("model.bundle");
    model::bundle(7).save(&path).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_failed_save_names_the_file_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("model.bundle");
    let error = model::bundle(7).save(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("could not save {}", path.display()));
    assert!(matches!(error, Error::Io { .. }));
    assert!(!path.exists());
}
