//! `config.json`: the file by which a folder belongs to a workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{Error, Result, WorkspaceId};

/// Where the file may be, in the order of the Python SDK: each is looked for all the way up before the next.
const PLACES: [&str; 6] = [
    ".azureml/config.json",
    ".azureml/project.json",
    "aml_config/config.json",
    "aml_config/project.json",
    "config.json",
    "project.json",
];

/// Folders that are looked into, the first included.
const MAX_LEVELS: usize = 20;

#[derive(Deserialize)]
struct Config {
    subscription_id: Option<String>,
    resource_group: Option<String>,
    workspace_name: Option<String>,
    /// In older files, the id of the workspace.
    #[serde(rename = "Scope")]
    scope: Option<String>,
}

pub(crate) fn read(path: &Path) -> Result<WorkspaceId> {
    let file = if path.is_file() { path.to_owned() } else { find(path)? };
    let bytes = fs::read(&file).map_err(|source| Error::Io { path: file.clone(), source })?;
    let config: Config = serde_json::from_slice(&bytes)
        .map_err(|source| Error::ConfigFile { path: file.clone(), source })?;
    if let Some(scope) = config.scope {
        return scope.parse();
    }
    let missing = |key| Error::ConfigKey { path: file.clone(), key };
    WorkspaceId::new(
        config.subscription_id.ok_or_else(|| missing("subscription_id"))?,
        config.resource_group.ok_or_else(|| missing("resource_group"))?,
        config.workspace_name.ok_or_else(|| missing("workspace_name"))?,
    )
}

fn find(start: &Path) -> Result<PathBuf> {
    let start = std::path::absolute(start)
        .map_err(|source| Error::Io { path: start.to_owned(), source })?;
    let folders: Vec<&Path> = start.ancestors().take(MAX_LEVELS).collect();
    PLACES
        .iter()
        .flat_map(|place| folders.iter().map(move |folder| folder.join(place)))
        .find(|file| file.is_file())
        .ok_or(Error::NoConfigFile { start })
}
