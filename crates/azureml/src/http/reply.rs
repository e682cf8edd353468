use std::{
    fmt,
    time::{Duration, SystemTime},
};

use azure_core::time::parse_rfc7231;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use url::Url;

use super::target_of;
use crate::{Error, Result};

/// A reply in the range of success.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The reply that there would have been, had there been something to do.
    pub(crate) fn no_content(method: Method, url: Url) -> Self {
        let (headers, body) = (HeaderMap::new(), Vec::new());
        Self { method, url, status: StatusCode::NO_CONTENT, headers, body }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        // A finished operation without a result has an empty body, which is a `()`.
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body).map_err(|source| {
            let is_empty = self.body.is_empty();
            let what = if is_empty { "an empty reply" } else { "a reply of another form" };
            self.error_from(what, Some(without_value(source)))
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// Takes an address from a header, relative to the one asked.
    pub(crate) fn url_of(&self, header: &str) -> Result<Option<Url>> {
        let Some(text) = self.header(header) else { return Ok(None) };
        let url = self.url.join(text);
        url.map(Some).map_err(|_| self.error(format!("the header {header} is no address")))
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> Error {
        self.error_from(what, None)
    }

    fn error_from(&self, what: impl Into<String>, source: Option<serde_json::Error>) -> Error {
        Error::Reply {
            method: self.method.to_string(),
            target: target_of(&self.url),
            what: what.into(),
            source,
        }
    }
}

/// Without headers and body, in which there may be keys.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("target", &format_args!("{} {}", self.method, target_of(&self.url)))
            .field("status", &self.status.as_u16())
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// `Retry-After`, or the variants in milliseconds that some back ends send: seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = ["retry-after-ms", "x-ms-retry-after-ms"].into_iter().find_map(text);
    if let Some(milliseconds) = milliseconds.and_then(|text| text.parse().ok()) {
        return Some(Duration::from_millis(milliseconds));
    }
    let text = text("retry-after")?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: SystemTime = parse_rfc7231(text).ok()?.into();
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The message of an error that quotes no value: one of another type than expected may be a key or a token.
fn without_value(error: serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    if !error.is_data() || text.starts_with("missing field ") {
        return error;
    }
    // What was expected is this crate's word, and stands behind the value.
    let expected = text.rfind(", expected ").and_then(|at| text.get(at..)).unwrap_or_default();
    serde::de::Error::custom(format!("a value of another form{expected}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "its reading fails")]
    struct Keys {
        primary: String,
        count: u8,
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        One,
    }

    #[test]
    fn errors_say_what_was_expected_and_not_what_was_there() {
        let message =
            |text: &str| without_value(serde_json::from_str::<Keys>(text).unwrap_err()).to_string();
        assert_eq!(
            message(r#""SECRET""#),
            "a value of another form, expected struct Keys at line 1 column 8"
        );
        assert_eq!(
            message(r#"{"count": "a, expected SECRET"}"#),
            "a value of another form, expected u8 at line 1 column 30"
        );
        assert_eq!(
            message(r#"{"kind": "SECRET"}"#),
            "a value of another form, expected `One` at line 1 column 17"
        );
        assert_eq!(
            message(r#"{"count": 1, "kind": "One"}"#),
            "missing field `primary` at line 1 column 27"
        );
        assert!(message("{SECRET").starts_with("key must be a string"));
    }
}
