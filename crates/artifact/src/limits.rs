use crate::{Error, Result};

/// The longest header that is read unless [`Limits`] say otherwise: room for a few hundred thousand categories.
pub const MAX_HEADER_LEN: u64 = 64 << 20;

/// The most nodes that are read unless [`Limits`] say otherwise: a forest of 6 GB.
pub const MAX_NODES: u64 = 100_000_000;

/// How much of a bundle is believed before its contents are at hand.
///
/// Beside these limits, what bytes claim is checked against the bytes that are there: loading takes at most twice the memory
/// of the result, and the file.
///
/// # Examples
///
/// ```
/// use spinney_artifact::{Error, Limits, ModelBundle};
///
/// let limits = Limits::default().max_nodes(1_000_000);
/// let result = ModelBundle::from_bytes_with(b"not a bundle", &limits);
/// assert!(matches!(result, Err(Error::NotABundle)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    max_header_len: u64,
    max_nodes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_header_len: MAX_HEADER_LEN, max_nodes: MAX_NODES }
    }
}

impl Limits {
    /// The longest header in bytes.
    #[must_use]
    pub fn max_header_len(mut self, bytes: u64) -> Self {
        self.max_header_len = bytes;
        self
    }

    /// The most nodes of all trees together. A node takes 56 bytes of memory.
    #[must_use]
    pub fn max_nodes(mut self, nodes: u64) -> Self {
        self.max_nodes = nodes;
        self
    }

    pub(crate) fn check_header(&self, claimed: u64) -> Result<()> {
        let max = self.max_header_len;
        if claimed > max { Err(Error::HeaderTooLong { claimed, max }) } else { Ok(()) }
    }

    pub(crate) fn check_nodes(&self, claimed: u64) -> Result<()> {
        let max = self.max_nodes;
        if claimed > max { Err(Error::TooManyNodes { claimed, max }) } else { Ok(()) }
    }
}
