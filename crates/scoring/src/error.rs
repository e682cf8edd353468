use std::fmt;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;

use crate::FieldError;

/// Why a request was not answered. Each code has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum ErrorCode {
    /// 400: the body is not JSON.
    MalformedJson,
    /// 401: the request carries no key, or one that is not in the form `Bearer KEY`.
    MissingKey,
    /// 401: the request carries a wrong key.
    WrongKey,
    /// 404: there is no such route, model or deployment.
    NotFound,
    /// 404: no deployment has traffic, and the request names none.
    NoTraffic,
    /// 405: the route exists, but not for this method.
    MethodNotAllowed,
    /// 408: the request took longer than the server's limit.
    Timeout,
    /// 413: the body is longer than the server's limit.
    BodyTooLarge,
    /// 415: the body is encoded in a way that the server does not know.
    UnsupportedEncoding,
    /// 422: the body is JSON, but holds no records.
    WrongShape,
    /// 422: a record lacks a column.
    MissingColumn,
    /// 422: a column holds something that it cannot hold.
    InvalidValue,
    /// 422: a value is missing in a column that had none missing when the model was trained.
    MissingValue,
    /// 422: a record sets a feature that the model makes of a column.
    UnexpectedField,
    /// 429: as many requests wait as may; come again later.
    TooManyRequests,
    /// 431: a header is longer than it may be.
    HeaderTooLong,
    /// 500: the server failed; its log has the reason.
    Internal,
    /// 503: the model is not loaded yet.
    NotReady,
}

impl ErrorCode {
    /// The HTTP status that belongs to the code.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson => StatusCode::BAD_REQUEST,
            Self::MissingKey | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::NotFound | Self::NoTraffic => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongShape
            | Self::MissingColumn
            | Self::InvalidValue
            | Self::MissingValue
            | Self::UnexpectedField => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::HeaderTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Every code there is, for documents and metrics.
    pub(crate) const ALL: [Self; 18] = [
        Self::MalformedJson,
        Self::MissingKey,
        Self::WrongKey,
        Self::NotFound,
        Self::NoTraffic,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::BodyTooLarge,
        Self::UnsupportedEncoding,
        Self::WrongShape,
        Self::MissingColumn,
        Self::InvalidValue,
        Self::MissingValue,
        Self::UnexpectedField,
        Self::TooManyRequests,
        Self::HeaderTooLong,
        Self::Internal,
        Self::NotReady,
    ];
}

/// As it stands in answers, logs and metrics.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A refusal: what is wrong with the request, and where.
///
/// On the wire it is `{"error": {"code", "message", "details": [{"row", "field", "code", "message", "allowed"}]}}`, without the
/// parts that mean nothing. No value of the request is repeated in it: values may be personal.
///
/// # Examples
///
/// ```
/// use spinney_scoring::{ErrorCode, ScoreError};
///
/// let error = ScoreError::new(ErrorCode::MissingColumn, "a column is not there").at(2, "GrLivArea");
/// assert_eq!(error.code().status(), 422);
/// let place = &error.details()[0];
/// assert_eq!((place.row(), place.field()), (Some(2), Some("GrLivArea")));
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ScoreError {
    code: ErrorCode,
    message: String,
    details: Vec<FieldError>,
}

impl ScoreError {
    /// Makes a refusal with a message for the client.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// Makes one refusal of what is wrong with fields. Code and place of the first are those of the whole.
    #[must_use]
    pub fn of_fields(details: Vec<FieldError>) -> Self {
        let code = details.first().map_or(ErrorCode::WrongShape, FieldError::code);
        let first = details.first().map_or("", FieldError::message);
        let message = match details.len() {
            0 | 1 => first.to_owned(),
            n => format!("{first}; details has all {n}"),
        };
        Self { code, message, details }
    }

    /// The server's own failure. The client learns no detail: that is for the log.
    pub(crate) fn internal() -> Self {
        Self::new(ErrorCode::Internal, "the server failed, its log has the reason")
    }

    /// That there is no model yet.
    pub(crate) fn not_ready() -> Self {
        Self::new(ErrorCode::NotReady, "the model is not loaded yet")
    }

    /// Adds a place with the code and the message of the whole: the record, counted from 0, and its field.
    #[must_use]
    pub fn at(mut self, row: impl Into<Option<usize>>, field: impl Into<String>) -> Self {
        let detail = FieldError::new(row, Some(field.into()), self.code, self.message.clone());
        self.details.push(detail);
        self
    }

    /// Adds the record, counted from 0, where no one field is to blame.
    #[must_use]
    pub fn at_row(mut self, row: usize) -> Self {
        let detail = FieldError::new(row, None, self.code, self.message.clone());
        self.details.push(detail);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What is wrong where, if that can be said.
    #[must_use]
    pub fn details(&self) -> &[FieldError] {
        &self.details
    }

    /// Writes the answer, with the values that were refused if `echo` says so.
    pub(crate) fn response(self, echo: bool) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: ErrorCode,
            message: &'a str,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            details: Vec<Value>,
        }
        let details = self.details.iter().map(|detail| detail.to_json(echo)).collect();
        let error = Inner { code: self.code, message: &self.message, details };
        let mut response = (self.code.status(), axum::Json(Body { error })).into_response();
        let headers = response.headers_mut();
        match self.code {
            ErrorCode::TooManyRequests | ErrorCode::NotReady => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            ErrorCode::MissingKey | ErrorCode::WrongKey => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        // For metrics and logs.
        response.extensions_mut().insert(self.code);
        response
    }
}

impl IntoResponse for ScoreError {
    fn into_response(self) -> Response {
        self.response(false)
    }
}
