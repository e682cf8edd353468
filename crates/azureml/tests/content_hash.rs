//! Hashes are those of Azure ML's Python SDK.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use spinney_azureml::{IgnoreFile, asset_hash, code_hash};

/// Files by their paths.
type Tree = BTreeMap<String, Vec<u8>>;

fn write(folder: &Path, tree: &Tree) {
    for (path, content) in tree {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Names that differ in more than case, as the order of others is the file system's in Python.
fn tree() -> impl Strategy<Value = Tree> {
    let name = "[abR]{1,2}(\\.(log|py|é))?";
    let path = prop_oneof![
        3 => name.prop_map(|name| name),
        2 => ("[xY]", name).prop_map(|(folder, name)| format!("{folder}/{name}")),
        1 => ("[xY]", "[pq]", name).prop_map(|(first, second, name)| format!("{first}/{second}/{name}")),
    ];
    let content = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..20),
        Just(vec![7; 100_000]),
    ];
    let files = prop::collection::btree_map(path, content, 0..8).prop_map(|tree| {
        let mut seen = std::collections::BTreeSet::new();
        let is_new = |path: &String| seen.insert(path.to_lowercase());
        tree.into_iter()
            .filter(|(path, _)| !path.contains("//"))
            .filter({
                let mut is_new = is_new;
                move |(path, _)| is_new(path)
            })
            .collect::<Tree>()
    });
    let line = prop::sample::select(vec![
        "*.log", "x/", "x", "/x", "Y/p/", "!*.py", "!x/a.py", "a*", "**/q", "# note", "",
        "x/*.log", "[ab].py", "!Y", "*.é",
    ]);
    let ignore = prop::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n"));
    (files, prop::option::of((prop::sample::select(vec![".amlignore", ".gitignore"]), ignore)))
        .prop_map(|(mut files, ignore)| {
            if let Some((name, text)) = ignore {
                files.insert(name.to_owned(), text.into_bytes());
            }
            files
        })
}

#[test]
#[ignore = "needs the SDK, which `cargo xtask test` sets up"]
fn folders_hash_as_the_sdk_hashes_them() {
    let python = env::var("SPINNEY_CLIENTS_PYTHON").unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::new(Config::default());
    let folders: Vec<PathBuf> = (0..300)
        .map(|i| {
            let folder = root.path().join(i.to_string());
            fs::create_dir_all(&folder).unwrap();
            write(&folder, &tree().new_tree(&mut runner).unwrap().current());
            folder
        })
        .collect();
    let script = "\
import sys, pathlib
from azure.ai.ml._utils._asset_utils import get_content_hash, get_ignore_file, get_object_hash
for folder in sys.argv[1:]:
    ignored = get_ignore_file(folder)
    files = sorted(path for path in pathlib.Path(folder).rglob('*') if path.is_file())
    excluded = ''.join('01'[bool(ignored.is_file_excluded(path))] for path in files)
    print(get_object_hash(folder, ignored), get_content_hash(folder, ignored), excluded or '-')
";
    let output = Command::new(python).args(["-c", script]).args(&folders).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), folders.len());
    for (folder, line) in folders.iter().zip(text.lines()) {
        let expected: Vec<&str> = line.split(' ').collect();
        let ignored = IgnoreFile::of(folder).unwrap();
        let mut files = Vec::new();
        list(folder, &mut files);
        files.sort();
        let excluded: String =
            files.iter().map(|file| if ignored.excludes(file) { '1' } else { '0' }).collect();
        let described = format!(
            "{files:?} {:?}",
            fs::read_to_string(folder.join(".amlignore"))
                .or_else(|_| fs::read_to_string(folder.join(".gitignore")))
        );
        assert_eq!(if excluded.is_empty() { "-" } else { &excluded }, expected[2], "{described}");
        assert_eq!(asset_hash(folder).unwrap(), expected[0], "{described}");
        assert_eq!(code_hash(folder).unwrap(), expected[1], "{described}");
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}

#[test]
fn content_and_names_count_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str, files: &[(&str, &str)]| {
        let folder = root.path().join(name);
        let tree = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        write(&folder, &tree.collect());
        (asset_hash(&folder).unwrap(), code_hash(&folder).unwrap())
    };
    let one = folder("one", &[("a.py", "1"), ("x/b.py", "2")]);
    assert_eq!(folder("two", &[("x/b.py", "2"), ("a.py", "1")]), one);
    let ignored = folder(
        "three",
        &[("a.py", "1"), ("x/b.py", "2"), (".amlignore", "*.log\n.amlignore\n"), ("c.log", "")],
    );
    assert_eq!(ignored, one);
    for (name, files) in [
        ("renamed", [("a.py", "1"), ("x/c.py", "2")]),
        ("changed", [("a.py", "1"), ("x/b.py", "3")]),
        ("moved", [("a.py", "1"), ("b.py", "2")]),
    ] {
        let other = folder(name, &files);
        assert!(other.0 != one.0 && other.1 != one.1, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let root = tempfile::tempdir().unwrap();
    let missing = root.path().join("none");
    for error in [asset_hash(&missing).unwrap_err(), code_hash(&missing).unwrap_err()] {
        assert_eq!(error.to_string(), format!("cannot read {}", missing.display()));
    }
    fs::write(root.path().join(".amlignore"), "fine\n{a\n[z-a]\n").unwrap();
    let error = IgnoreFile::of(root.path()).unwrap_err().to_string();
    assert!(
        error.ends_with(".amlignore, line 3: no pattern") || error.ends_with("line 2: no pattern"),
        "{error}"
    );
}
