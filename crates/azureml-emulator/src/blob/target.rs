use axum::http::{HeaderMap, Method, Uri, request::Parts};
use percent_encoding::percent_decode_str;

use super::refusal::{Answer, Refusal};
use crate::{door::Door, front::query};

/// What a request is about, as far as its head says.
pub(super) struct Target {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// Names in lower case.
    pub(super) query: Vec<(String, String)>,
    /// Empty for the account itself.
    pub(super) container: String,
    /// Empty for the container itself.
    pub(super) blob: String,
}

impl Target {
    pub(super) fn new(door: Door, parts: Parts) -> Answer<Self> {
        let path = parts.uri.path().trim_start_matches('/');
        let path = match door {
            Door::Azure => path,
            // The account is the first part.
            Door::Local { .. } => path.split_once('/').map_or("", |(_, rest)| rest),
        };
        let (container, blob) = path.split_once('/').unwrap_or((path, ""));
        let decode = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| Refusal::new(400, "InvalidUri", "the path is no text"))
        };
        let (container, blob) = (decode(container)?, decode(blob)?);
        let is_strange = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
        if blob.len() > 1024 || blob.chars().any(is_strange) || container.contains(['/', '\\']) {
            let message = "The specified resource name contains invalid characters.";
            return Err(Refusal::new(400, "InvalidResourceName", message));
        }
        let query = query(&parts.uri);
        let Parts { method, uri, headers, .. } = parts;
        Ok(Self { method, uri, headers, query, container, blob })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header that is text; nothing if it is missing or empty.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
    }

    /// The length of the body, which has to be known beforehand.
    pub(super) fn content_length(&self) -> Answer<u64> {
        let length = self.header("content-length").and_then(|length| length.parse().ok());
        length.ok_or_else(|| {
            let message = "The Content-Length header was not specified.";
            Refusal::new(411, "MissingContentLengthHeader", message)
        })
    }

    /// Metadata of the request, by names in lower case.
    pub(super) fn metadata(&self) -> Answer<std::collections::BTreeMap<String, String>> {
        let mut metadata = std::collections::BTreeMap::new();
        for (name, value) in &self.headers {
            let Some(name) = name.as_str().strip_prefix("x-ms-meta-") else { continue };
            let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let message =
                    "The specified metadata is invalid. It has characters that are not permitted.";
                return Err(Refusal::new(400, "InvalidMetadata", message));
            }
            let value = value.to_str().map_err(|_| Refusal::invalid_header(name))?;
            metadata.insert(name.to_owned(), value.to_owned());
        }
        Ok(metadata)
    }
}
