use std::{io, path::PathBuf, time::Duration};

use crate::ServiceError;

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
    /// Azure refused a request, or an operation that it had begun failed.
    #[error(transparent)]
    Service(#[from] Box<ServiceError>),
    /// A request without a reply: no connection, or one that broke or took too long.
    #[error("{method} {target}: no reply after {attempts} {}", if *attempts == 1 { "attempt" } else { "attempts" })]
    Transport {
        /// Its method.
        method: String,
        /// Its host and path, without the query, in which there may be secrets.
        target: String,
        /// How often it was sent.
        attempts: u32,
        /// The cause of the last one.
        source: reqwest::Error,
    },
    /// A reply that is not what Azure's specification promises.
    #[error("{method} {target}: {what}")]
    Reply {
        /// The method of its request.
        method: String,
        /// Host and path of its request.
        target: String,
        /// What is wrong with it.
        what: String,
        /// The cause, if its JSON could not be read.
        source: Option<serde_json::Error>,
    },
    /// No token could be had.
    #[error("no token for {scope}")]
    Credential {
        /// What it was for.
        scope: String,
        /// The cause.
        source: azure_core::Error,
    },
    /// An address that a token must not be sent to: neither https nor this machine, or a host that a reply named and
    /// that is not the one asked.
    #[error("no token is sent to {url}: {why}")]
    UntrustedUrl {
        /// The address without its query.
        url: String,
        /// The reason.
        why: &'static str,
    },
    /// A text that is no address.
    #[error("`{url}` is not an address")]
    InvalidUrl {
        /// The text.
        url: String,
    },
    /// An operation that had not ended when it should have. It goes on in Azure.
    #[error("{target} has not ended within {waited:?}; its status is {status}")]
    Deadline {
        /// What was waited for.
        target: String,
        /// How long.
        waited: Duration,
        /// Its last status.
        status: String,
    },
    /// An argument that Azure would refuse, perhaps after minutes.
    #[error("{what} is {value}: {rule}")]
    InvalidArgument {
        /// What it is for.
        what: &'static str,
        /// What was given.
        value: String,
        /// What it must be like.
        rule: &'static str,
    },
    /// What requests need was not to be had: TLS, or a runtime that is not shutting down.
    #[error("cannot set up a connection")]
    Setup {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A component, job or pipeline whose parts do not fit together.
    #[error("{place}: {problem}")]
    Definition {
        /// What it is, and where in it: a pipeline's step.
        place: String,
        /// What does not fit.
        problem: String,
    },
    /// A file that changed between the taking of its hash and the end of its upload.
    #[error("{} has changed during its upload: begin again", path.display())]
    Changed {
        /// The file, or the folder that files were added to.
        path: PathBuf,
    },
    /// A file or folder that could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// [`Error::Reply`], found by no parser.
    pub(crate) fn reply(
        method: impl Into<String>,
        target: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        let (method, target, what) = (method.into(), target.into(), what.into());
        Self::Reply { method, target, what, source: None }
    }

    /// The status of the reply, if a reply is what went wrong. An operation that failed has none.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.service().and_then(|error| error.status)
    }

    /// What Azure said, if it said something.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// Whether something does not exist. Azure's codes for it vary; its status is 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether something is in the way, often another operation on the same resource (status 409).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// The id by which Azure's support finds the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.service().and_then(|error| error.request_id.as_deref())
    }
}
