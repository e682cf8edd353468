use std::{io, net::SocketAddr, path::PathBuf};

/// What can keep an emulator from starting, or end it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of the state cannot be read or written.
    #[error("state at {}", path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another emulator works on the folder.
    #[error("{} is in use by another emulator", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The database refuses.
    #[error("database of the state")]
    Database {
        /// What it says.
        #[from]
        source: rusqlite::Error,
    },
    /// A file of the state is not what this release writes.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The local certificate authority cannot be made or read.
    #[error("certificates for TLS")]
    Certificate {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No server can listen there.
    #[error("listening at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An option has a value that cannot be.
    #[error("{name} is {value:?}, and must be {rule}")]
    InvalidOption {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        rule: &'static str,
    },
}

impl Error {
    pub(crate) fn state(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::State { path, source }
    }

    pub(crate) fn certificate(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Certificate { source: Box::new(error) }
    }
}
