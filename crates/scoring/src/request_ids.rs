//! Ids by which a request is found again in the logs of client, front door and server: Azure ML's three headers.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use crate::{ErrorCode, ScoreError};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MS_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const MS_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("traceid");
const SERVER_VERSION: HeaderName = HeaderName::from_static("x-ms-server-version");

/// Longer ids are refused.
const MAX_LEN: usize = 100;

/// Says which server answers, and gives every answer its ids: `x-request-id` as sent, or a new one; `x-ms-request-id` as sent, or the
/// client's, or the request's; `x-ms-client-request-id` as sent, or `x-ms-request-id` if that was sent. An empty
/// `x-request-id` asks for none.
pub(crate) async fn add(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut ids = HeaderMap::new();
    for name in [REQUEST_ID, MS_REQUEST_ID, MS_CLIENT_REQUEST_ID] {
        if headers.get(&name).is_some_and(|id| id.len() > MAX_LEN) {
            let message = format!("{name} must not exceed {MAX_LEN} characters");
            return ScoreError::new(ErrorCode::HeaderTooLong, message).into_response();
        }
    }
    let request_id = match headers.get(REQUEST_ID) {
        Some(id) => Some(id.clone()).filter(|id| !id.is_empty()),
        None => HeaderValue::from_str(&Uuid::new_v4().to_string()).ok(),
    };
    let (own, client) = (headers.get(MS_REQUEST_ID), headers.get(MS_CLIENT_REQUEST_ID));
    let found = [
        (MS_REQUEST_ID, own.or(client).cloned().or_else(|| request_id.clone())),
        (MS_CLIENT_REQUEST_ID, client.or(own).cloned()),
        (REQUEST_ID, request_id),
        (TRACE_ID, headers.get(TRACE_ID).cloned()),
        (
            SERVER_VERSION,
            Some(HeaderValue::from_static(concat!("spinney/", env!("CARGO_PKG_VERSION")))),
        ),
    ];
    ids.extend(found.into_iter().filter_map(|(name, id)| Some((name, id?))));
    let mut response = next.run(request).await;
    response.headers_mut().extend(ids);
    response
}
