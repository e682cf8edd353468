use std::fmt;

use azure_core::credentials::Secret;
use serde::{Deserialize, Serialize};

/// The keys of an endpoint. Neither is shown in a text for debugging.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EndpointKeys {
    /// The first.
    pub primary_key: Secret,
    /// The second, to use while the first is made anew.
    pub secondary_key: Secret,
}

impl EndpointKeys {
    /// One of them.
    #[must_use]
    pub fn key(&self, kind: KeyKind) -> &Secret {
        match kind {
            KeyKind::Primary => &self.primary_key,
            KeyKind::Secondary => &self.secondary_key,
        }
    }
}

/// Which of the two keys of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum KeyKind {
    /// The first.
    Primary,
    /// The second.
    Secondary,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        })
    }
}

/// A token of Azure ML's for an endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointToken {
    pub(crate) access_token: Secret,
    /// Seconds since 1970, from which on another one should be asked for; 0 for never.
    #[serde(default)]
    pub(crate) refresh_after_time_utc: i64,
    /// Seconds since 1970.
    #[serde(default)]
    pub(crate) expiry_time_utc: i64,
}
