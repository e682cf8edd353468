//! Ids by which a request is found again in the logs of client, front door and server: Azure ML's three headers, and W3C's trace.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::{ErrorCode, ScoreError};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MS_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const MS_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("traceid");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Longer ids are refused.
const MAX_LEN: usize = 100;

/// The ids of one request.
#[derive(Debug)]
pub(crate) struct RequestIds {
    pub(crate) request: Option<HeaderValue>,
    ms_request: Option<HeaderValue>,
    ms_client_request: Option<HeaderValue>,
    trace: Option<HeaderValue>,
    /// The trace that a W3C `traceparent` names.
    trace_parent: Option<HeaderValue>,
}

impl RequestIds {
    /// `x-request-id` as sent, or a new one; `x-ms-request-id` as sent, or the client's, or the request's;
    /// `x-ms-client-request-id` as sent, or `x-ms-request-id` if that was sent. An empty `x-request-id` asks for none.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ScoreError> {
        for name in [REQUEST_ID, MS_REQUEST_ID, MS_CLIENT_REQUEST_ID] {
            if headers.get(&name).is_some_and(|id| id.len() > MAX_LEN) {
                let message = format!("{name} must not exceed {MAX_LEN} characters");
                return Err(ScoreError::new(ErrorCode::HeaderTooLong, message));
            }
        }
        let request = match headers.get(REQUEST_ID) {
            Some(id) => Some(id.clone()).filter(|id| !id.is_empty()),
            None => new_id(),
        };
        let (own, client) = (headers.get(MS_REQUEST_ID), headers.get(MS_CLIENT_REQUEST_ID));
        Ok(Self {
            ms_request: own.or(client).or(request.as_ref()).cloned(),
            ms_client_request: client.or(own).cloned(),
            request,
            trace: headers.get(TRACE_ID).cloned(),
            trace_parent: headers
                .get(TRACE_PARENT)
                .filter(|parent| is_trace_parent(parent))
                .cloned(),
        })
    }

    /// Gives an answer its ids.
    pub(crate) fn add_to(self, headers: &mut HeaderMap) {
        let ids = [
            (REQUEST_ID, self.request),
            (MS_REQUEST_ID, self.ms_request),
            (MS_CLIENT_REQUEST_ID, self.ms_client_request),
            (TRACE_ID, self.trace),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                headers.insert(name, id);
            }
        }
    }

    /// The request's id for a log.
    pub(crate) fn request(&self) -> &str {
        self.request.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default()
    }

    /// The trace that the request is part of, 32 hex digits, and the span that it comes from, 16; empty without `traceparent`.
    pub(crate) fn trace(&self) -> (&str, &str) {
        let parent = self.trace_parent.as_ref().and_then(|parent| parent.to_str().ok());
        parent.map_or(("", ""), |parent| (&parent[3..35], &parent[36..52]))
    }
}

fn new_id() -> Option<HeaderValue> {
    let mut buffer = Uuid::encode_buffer();
    HeaderValue::from_str(Uuid::new_v4().as_hyphenated().encode_lower(&mut buffer)).ok()
}

/// W3C Trace Context: `version-trace-parent-flags` in lower-case hex digits, none of the ids all zeros. Later versions may be longer.
fn is_trace_parent(header: &HeaderValue) -> bool {
    let bytes = header.as_bytes();
    let is_hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let Some((first, rest)) = bytes.split_at_checked(55) else { return false };
    let parts = [&first[..2], &first[3..35], &first[36..52], &first[53..]];
    let is_zero = |part: &[u8]| part.iter().all(|&byte| byte == b'0');
    [2, 35, 52].iter().all(|&at| first[at] == b'-')
        && parts.iter().all(|part| is_hex(part))
        && !is_zero(parts[1])
        && !is_zero(parts[2])
        && parts[0] != b"ff"
        && (rest.is_empty() || (parts[0] != b"00" && rest[0] == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases of the recommendation's section 3.2.
    #[test]
    fn traces_are_told_from_other_text() {
        let trace = |text: &'static str| {
            let headers = HeaderMap::from_iter([(TRACE_PARENT, HeaderValue::from_static(text))]);
            RequestIds::of(&headers).map(|ids| (ids.trace().0.to_owned(), ids.trace().1.to_owned()))
        };
        let (id, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let found = Ok((id.to_owned(), span.to_owned()));
        assert_eq!(trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), found);
        assert_eq!(trace("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"), found);
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace(text), Ok((String::new(), String::new())), "{text}");
        }
    }
}
