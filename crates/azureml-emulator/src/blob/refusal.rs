use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use quick_xml::escape::escape;

/// An error as the Blob service says it: XML, and its code in a header.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: Cow<'static, str>,
    message: String,
}

pub(super) type Answer<T = Response<Body>> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    pub(super) fn not_implemented(what: &str) -> Self {
        let message = format!("{what}: the emulator cannot do that yet");
        Self::new(501, "NotImplementedInEmulator", message)
    }

    pub(super) fn missing_blob() -> Self {
        Self::new(404, "BlobNotFound", "The specified blob does not exist.")
    }

    pub(super) fn missing_container() -> Self {
        Self::new(404, "ContainerNotFound", "The specified container does not exist.")
    }

    pub(super) fn unauthenticated(why: impl std::fmt::Display) -> Self {
        let message = format!(
            "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature. {why}"
        );
        Self::new(403, "AuthenticationFailed", message)
    }

    pub(super) fn invalid_header(name: &str) -> Self {
        let message =
            format!("The value for one of the HTTP headers is not in the correct format: {name}.");
        Self::new(400, "InvalidHeaderValue", message)
    }

    /// For the answer to HEAD, the server leaves the body away.
    pub(super) fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        if status == StatusCode::NOT_MODIFIED {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            return response;
        }
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
            self.code,
            escape(&self.message)
        );
        let mut response = Response::new(Body::from(xml));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            headers.insert("x-ms-error-code", code);
        }
        response
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the state of blobs");
        Self::new(500, "InternalError", "the emulator failed; its log says why")
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the files of blobs");
        Self::new(500, "InternalError", "the emulator failed; its log says why")
    }
}
