use std::{io, path::PathBuf};

/// [`std::result::Result`] with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that Azure would refuse, perhaps after minutes.
    #[error("{what} name `{name}` is not allowed: {rule}")]
    InvalidName {
        /// What is to be called so.
        what: &'static str,
        /// The name.
        name: String,
        /// What a name must be like.
        rule: &'static str,
    },
    /// A text that is no workspace's resource id.
    #[error(
        "`{id}` is not the id of a workspace: /subscriptions/../resourceGroups/../providers/Microsoft.MachineLearningServices/workspaces/.."
    )]
    InvalidWorkspaceId {
        /// The text.
        id: String,
    },
    /// Variables of the environment that name a workspace together, of which some are missing.
    #[error("{} is not set, but other variables of the workspace are", missing.join(" and "))]
    Environment {
        /// The missing ones.
        missing: Vec<&'static str>,
    },
    /// No file that names a workspace.
    #[error("there is no config.json for a workspace in {} or the folders above it", start.display())]
    NoConfigFile {
        /// Where the search began.
        start: PathBuf,
    },
    /// A file for a workspace that lacks something.
    #[error("{}: `{key}` is missing", path.display())]
    ConfigKey {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        key: &'static str,
    },
    /// A file for a workspace that is no JSON object of texts.
    #[error("{} is not the configuration of a workspace", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// A file or folder that could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A line of an ignore file that is no pattern.
    #[error("{}, line {line}: no pattern", path.display())]
    IgnoreFile {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The cause.
        source: ignore::Error,
    },
    /// A name in a folder that is not UTF-8: no hash of it would be the SDK's.
    #[error("{} is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
}
