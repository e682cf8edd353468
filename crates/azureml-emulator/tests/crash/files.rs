//! The files of a state, and its database.

use std::{fs, path::Path};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// The hashes of all contents that the database names, in order. It is whole.
fn named(database: &Path) -> Vec<String> {
    let database = Connection::open(database).unwrap();
    let checked: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    let mut names = database
        .prepare("SELECT hash FROM piece UNION SELECT hash FROM block ORDER BY hash")
        .unwrap();
    names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The names of all contents, in order. Each is the hash of what is in the file.
fn kept(state: &Path) -> Vec<String> {
    let folders = fs::read_dir(state.join("blobs")).unwrap().map(|folder| folder.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut names: Vec<String> = files
        .map(|file| {
            let file = file.unwrap();
            let hash = hex::encode(Sha256::digest(fs::read(file.path()).unwrap()));
            assert_eq!(file.file_name(), hash.as_str());
            hash
        })
        .collect();
    names.sort();
    names
}

/// Every file is what its name says, and none is left over: read after a start, which clears away, when nothing is written.
pub(crate) fn check_files(state: &Path) {
    assert_eq!(fs::read_dir(state.join("incoming")).unwrap().count(), 0);
    assert_eq!(kept(state), named(&state.join("state.db")));
}

/// Every content that the database names is there and whole: read after a kill. The database is read as a copy: the next start is to
/// find its journal as the kill has left it.
#[cfg(target_os = "linux")]
pub(crate) fn check_what_a_kill_left(state: &Path) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["state.db", "state.db-wal"] {
        if state.join(name).exists() {
            fs::copy(state.join(name), copy.path().join(name)).unwrap();
        }
    }
    let kept = kept(state);
    for name in named(&copy.path().join("state.db")) {
        assert!(kept.binary_search(&name).is_ok(), "{name} is not there");
    }
}
