//! Which workspace, from wherever it is named.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{fs, path::Path};

use proptest::prelude::*;
use spinney_azureml::{NameRule, WorkspaceId};

const SUBSCRIPTION: &str = "8b3f1c2e-0000-4a7b-9c1d-1234567890ab";

fn config(name: &str) -> String {
    format!(
        r#"{{"subscription_id": "{SUBSCRIPTION}", "resource_group": "rg", "workspace_name": "{name}", "more": 1}}"#
    )
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn found(folder: &Path) -> String {
    match WorkspaceId::from_config(folder) {
        Ok(workspace) => workspace.workspace_name().to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn files_are_looked_for_in_the_order_of_the_sdk() {
    let root = tempfile::tempdir().unwrap();
    let here = root.path().join("a/b/c");
    fs::create_dir_all(&here).unwrap();
    assert!(found(&here).starts_with("there is no config.json for a workspace in "));
    for (file, name) in [
        ("project.json", "project-above"),
        ("a/b/c/project.json", "project-here"),
        ("config.json", "config-above"),
        ("a/b/c/config.json", "config-here"),
        ("aml_config/project.json", "old-project-above"),
        ("aml_config/config.json", "old-config-above"),
        (".azureml/project.json", "new-project-above"),
        (".azureml/config.json", "new-config-above"),
        ("a/.azureml/config.json", "new-config-nearer"),
    ] {
        write(root.path(), file, &config(name));
        assert_eq!(found(&here), name, "each is preferred to all before it");
    }
    assert_eq!(found(&root.path().join("config.json")), "config-above", "a file is read as it is");
}

#[test]
fn twenty_levels_are_searched() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "config.json", &config("far"));
    let deep = |levels: usize| {
        let folder = root.path().join("x/".repeat(levels));
        fs::create_dir_all(&folder).unwrap();
        found(&folder)
    };
    assert_eq!(deep(19), "far");
    assert_ne!(deep(20), "far");
}

#[test]
fn bad_files_are_named() {
    let root = tempfile::tempdir().unwrap();
    for (text, message) in [
        ("{}", "config.json: `subscription_id` is missing"),
        ("[1]", "config.json is not the configuration of a workspace"),
        ("{", "config.json is not the configuration of a workspace"),
        (r#"{"subscription_id": 7}"#, "config.json is not the configuration of a workspace"),
        (r#"{"Scope": "/subscriptions/x"}"#, "`/subscriptions/x` is not the id of a workspace"),
        (
            r#"{"subscription_id": "s", "resource_group": "g", "workspace_name": "wsp"}"#,
            "subscription name `s` is not allowed",
        ),
    ] {
        write(root.path(), "config.json", text);
        assert!(found(root.path()).contains(message), "{}", found(root.path()));
    }
    let id = WorkspaceId::new(SUBSCRIPTION, "rg", "old").unwrap();
    write(root.path(), "config.json", &format!(r#"{{"Scope": "{id}"}}"#));
    assert_eq!(found(root.path()), "old");
}

#[test]
fn variables_name_a_workspace_together_or_not_at_all() {
    let read = |set: &[(&str, &str)]| {
        let set: Vec<(String, String)> =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        WorkspaceId::from_environment(|name| {
            set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        })
    };
    assert_eq!(read(&[]).unwrap(), None);
    assert_eq!(read(&[("AZUREML_ARM_SUBSCRIPTION", "")]).unwrap(), None);
    let all = [
        ("AZUREML_ARM_SUBSCRIPTION", SUBSCRIPTION),
        ("AZUREML_ARM_RESOURCEGROUP", "rg"),
        ("AZUREML_ARM_WORKSPACE_NAME", "wsp"),
    ];
    assert_eq!(read(&all).unwrap(), Some(WorkspaceId::new(SUBSCRIPTION, "rg", "wsp").unwrap()));
    for i in 0..3 {
        let mut some = all.to_vec();
        let (missing, _) = some.remove(i);
        assert!(read(&some).unwrap_err().to_string().starts_with(missing));
    }
}

#[test]
fn names_are_those_that_azure_allows() {
    let long = "a".repeat(256);
    for (rule, good, bad) in [
        (
            NameRule::Workspace,
            &["mlops-ws", "1ab", "a_b-c", &long[..33]][..],
            &["ab", "-ab", "a b", "wsé", &long[..34]][..],
        ),
        (
            NameRule::Compute,
            &["cpu", "ci-a1", "a-1-b", &long[..24]],
            &["ci-1", "1ci", "a", "a_b", "cpu-12", &long[..25]],
        ),
        (
            NameRule::Endpoint,
            &["ames-1", "abc", &long[..32]],
            &["ab", "1ab", "a_b", "ab-", &long[..33]],
        ),
        (NameRule::Deployment, &["blue", "green-2"], &["", "b", "blue-", "blue.2"]),
        (
            NameRule::Asset,
            &["a", "1", "a_b-c", &long[..255]],
            &["", "-a", "_a", "a.b", "a b", &long],
        ),
        (NameRule::Job, &["icy_farm_lwqz2h1c7x"], &["", "a/b"]),
    ] {
        for name in good {
            assert!(rule.check(name).is_ok(), "{rule:?} {name}");
        }
        for name in bad {
            assert!(rule.check(name).is_err(), "{rule:?} {name}");
        }
    }
}

proptest! {
    #[test]
    fn ids_come_back(group in "[a-zA-Z0-9_.()-]{0,20}[a-z]", name in "[a-zA-Z0-9][a-zA-Z0-9_-]{2,30}", upper: bool) {
        let workspace = WorkspaceId::new(SUBSCRIPTION, group, name).unwrap();
        let id = workspace.to_string();
        let id = if upper { id.replace("resourceGroups", "RESOURCEGROUPS") } else { id };
        prop_assert_eq!(id.parse::<WorkspaceId>().unwrap(), workspace);
    }

    #[test]
    fn no_text_panics(text in "[/a-zA-Z.]{0,80}|\\PC{0,40}") {
        let _ = text.parse::<WorkspaceId>();
        let _ = NameRule::Compute.check(&text);
    }
}
