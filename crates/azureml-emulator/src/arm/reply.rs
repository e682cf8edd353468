use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, request::Parts},
};
use serde_json::{Value, json};

use crate::{
    front::{broken, json_response},
    store::Resource,
};

/// An answer that is no error.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), headers: Vec::new() }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: 201, ..Self::ok(body) }
    }

    /// 201 for something new, 200 for something that was there.
    pub(crate) fn stored(body: Value, is_new: bool) -> Self {
        if is_new { Self::created(body) } else { Self::ok(body) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the tag by which a later write can say what it is based on.
    pub(crate) fn etag(self, resource: &Resource) -> Self {
        self.header("etag", resource.etag())
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = match &self.body {
            Some(body) => json_response(status, body),
            None => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = status;
                response
            }
        };
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// An error as Azure Resource Manager says it.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: String,
    message: String,
    details: Vec<Value>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), details: Vec::new() }
    }

    /// What is wrong with a request, as the machine-learning services say it.
    pub(crate) fn user_error(message: impl Into<String>) -> Self {
        Self::new(400, "UserError", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "Conflict", message)
    }

    /// What the services behind Azure Resource Manager say of something that is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "UserError", message)
    }

    /// What Azure can and this emulator cannot.
    pub(crate) fn not_implemented(what: impl std::fmt::Display) -> Self {
        let message = format!("{what}: the emulator cannot do that yet");
        Self::new(501, "NotImplementedInEmulator", message)
    }

    pub(crate) fn detail(mut self, code: &str, message: &str) -> Self {
        self.details.push(json!({"code": code, "message": message, "details": []}));
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The object `error`, for a body or for an operation that failed.
    pub(crate) fn error(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "details": self.details,
            "additionalInfo": [],
        })
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        json_response(status, &json!({"error": self.error()}))
    }
}

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    /// The state cannot be read or written.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// The answer to a request that has failed. What is broken here is for the log, and not for who asks.
    pub(crate) fn into_response(self, parts: &Parts) -> Response<Body> {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Broken(error) => {
                tracing::error!(%error, method = %parts.method, path = parts.uri.path(), "no answer");
                broken()
            }
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.into())
    }
}

pub(crate) type Answer<T = Reply> = Result<T, Failure>;
