use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

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
    /// 404: there is no such route.
    NotFound,
    /// 405: the route exists, but not for this method.
    MethodNotAllowed,
    /// 408: the request took longer than the server's limit.
    Timeout,
    /// 413: the body is longer than the server's limit.
    BodyTooLarge,
    /// 415: the body is encoded in a way that the server does not know.
    UnsupportedEncoding,
    /// 431: a header is longer than it may be.
    HeaderTooLong,
    /// 422: the body is JSON, but holds no records.
    WrongShape,
    /// 422: a record lacks a column.
    MissingColumn,
    /// 422: a column holds something that it cannot hold.
    InvalidValue,
    /// 422: a value is missing in a column that had none missing when the model was trained.
    MissingValue,
    /// 500: the server failed; its log has the reason.
    Internal,
}

impl ErrorCode {
    /// The HTTP status that belongs to the code.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson => StatusCode::BAD_REQUEST,
            Self::MissingKey | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::HeaderTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::WrongShape | Self::MissingColumn | Self::InvalidValue | Self::MissingValue => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A refusal: what is wrong with the request, and where.
///
/// On the wire it is `{"error": {"code": .., "message": .., "row": .., "column": ..}}`; `row` and `column` are left out where
/// they mean nothing. No value of the request is repeated in it: values may be personal.
///
/// # Examples
///
/// ```
/// use spinney_scoring::{ErrorCode, ScoreError};
///
/// let error = ScoreError::new(ErrorCode::MissingColumn, "a column is not there").at(2, "GrLivArea");
/// assert_eq!(error.code().status(), 422);
/// assert_eq!((error.row(), error.column()), (Some(2), Some("GrLivArea")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct ScoreError {
    code: ErrorCode,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
}

impl ScoreError {
    /// Makes a refusal with a message for the client.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), row: None, column: None }
    }

    /// The server's own failure. The client learns no detail: that is for the log.
    pub(crate) fn internal() -> Self {
        Self::new(ErrorCode::Internal, "the server failed, its log has the reason")
    }

    /// Adds the place: the record, counted from 0, and its column.
    #[must_use]
    pub fn at(mut self, row: impl Into<Option<usize>>, column: impl Into<String>) -> Self {
        self.row = row.into();
        self.column = Some(column.into());
        self
    }

    /// Adds the record, counted from 0, where no one column is to blame.
    #[must_use]
    pub fn at_row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The record, counted from 0, if one is to blame.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.row
    }

    /// The column, if one is to blame.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }
}

impl IntoResponse for ScoreError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: ScoreError,
        }
        (self.code.status(), Json(Body { error: self })).into_response()
    }
}
