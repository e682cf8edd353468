use std::{io, path::PathBuf};

use crate::{InitError, ScoreError};

/// What can go wrong before and between requests. What goes wrong with a request is a [`ScoreError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An endpoint without deployments.
    #[error("an endpoint needs at least one deployment")]
    NoDeployments,
    /// Two deployments of one name.
    #[error("there are two deployments `{name}`")]
    DuplicateDeployment {
        /// The name.
        name: String,
    },
    /// A name that Azure ML would not take.
    #[error(
        "deployment `{name}`: a name has up to 32 letters, digits and hyphens, and begins with a letter"
    )]
    InvalidDeploymentName {
        /// The name.
        name: String,
    },
    /// A deployment that is not there.
    #[error("there is no deployment `{name}`")]
    UnknownDeployment {
        /// The name.
        name: String,
    },
    /// Shares that are no shares.
    #[error("the traffic of all deployments is {total} percent together, but must be 0 or 100")]
    Traffic {
        /// The sum.
        total: u32,
    },
    /// A model that could not be loaded.
    #[error("deployment `{deployment}`: the model could not be loaded")]
    Init {
        /// The deployment.
        deployment: String,
        /// The cause.
        source: InitError,
    },
    /// A model that was loaded, but does not work.
    #[error("deployment `{deployment}`: the model failed its self-test")]
    SelfTest {
        /// The deployment.
        deployment: String,
        /// The cause.
        source: ScoreError,
    },
    /// A deployment that was made of a scorer, not of a way to load one.
    #[error("deployment `{deployment}` has nothing to load its model from")]
    NotReloadable {
        /// The deployment.
        deployment: String,
    },
    /// Keys that could not be read.
    #[error("the keys could not be read from {}", path.display())]
    ReadKeys {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No keys, or too many.
    #[error("{}: found {found} keys, but there must be one or two, a line each", path.display())]
    CountKeys {
        /// The file.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A variable with a value that it cannot have.
    #[error("{variable} must be {expected}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// A certificate or private key that cannot be used.
    #[cfg(feature = "tls")]
    #[error("TLS: {} has no usable {what}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
