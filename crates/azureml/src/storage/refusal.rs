//! What storage says, in this crate's words. Addresses have signatures in them and are told without their queries.

use azure_core::{
    error::ErrorKind,
    http::headers::{HeaderName, Headers},
};
use azure_storage_blob::StorageError;
use reqwest::StatusCode;

use crate::{Error, ServiceError};

/// A request that failed, before it is decided what to do about it.
pub(super) struct Refusal {
    pub(super) error: azure_core::Error,
}

impl Refusal {
    pub(super) fn status(&self) -> Option<StatusCode> {
        self.error.http_status().and_then(|status| StatusCode::from_u16(status.into()).ok())
    }

    /// Azure's code; a reply to a HEAD has it in a header only.
    pub(super) fn code(&self) -> Option<&str> {
        match self.error.kind() {
            ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
            _ => None,
        }
    }

    pub(super) fn headers(&self) -> Option<&Headers> {
        match self.error.kind() {
            ErrorKind::HttpResponse { raw_response: Some(response), .. } => {
                Some(response.headers())
            }
            _ => None,
        }
    }

    /// Whether no reply came, or not all of it.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::Connection | ErrorKind::Io)
    }

    /// Whether the signature was refused, which is what happens when its time is over: the first code is Azure's, the second Azurite's, and
    /// Azure's for other reasons too.
    pub(super) fn is_of_signature(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
            && matches!(self.code(), Some("AuthenticationFailed" | "AuthorizationFailure"))
    }

    /// Whether the account does not let anyone in who has no identity.
    pub(super) fn is_of_keys(&self) -> bool {
        matches!(self.code(), Some("KeyBasedAuthenticationNotPermitted"))
    }

    /// The error that the caller sees, with what helps.
    pub(super) fn into_error(
        self,
        call: &Call<'_>,
        attempts: u32,
        advice: Option<String>,
    ) -> Error {
        let status = self.status().map(|status| status.as_u16());
        let Some(status) = status else { return unanswered(self.error, call, attempts) };
        let code = self.code().unwrap_or_default().to_owned();
        let request_id = self.headers().and_then(|headers| {
            headers.get_optional_string(&HeaderName::from_static("x-ms-request-id"))
        });
        let said = StorageError::try_from(self.error).ok().and_then(|error| error.message);
        // Behind the first line there are the request's id and the time.
        let mut message =
            said.and_then(|said| said.lines().next().map(str::to_owned)).unwrap_or_default();
        if let Some(advice) = advice {
            message = if message.is_empty() { advice } else { format!("{message} ({advice})") };
        }
        Error::Service(Box::new(ServiceError {
            target: format!("{} {}", call.method, call.target),
            status: Some(status),
            code,
            message,
            request_id,
            attempts,
            ..ServiceError::default()
        }))
    }
}

/// What was asked for: for errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) method: &'static str,
    /// Host and path.
    pub(super) target: &'a str,
}

fn unanswered(error: azure_core::Error, call: &Call<'_>, attempts: u32) -> Error {
    let (method, target) = (call.method.to_owned(), call.target.to_owned());
    // A token that could not be had.
    let error = match error.into_downcast::<Error>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    match error.into_downcast::<reqwest::Error>() {
        Ok(source) => Error::Transport { method, target, attempts, source: source.without_url() },
        Err(error) => {
            // Its text is left out, as it may have the address in it.
            let what = match error.kind() {
                ErrorKind::Connection | ErrorKind::Io => "the reply broke off",
                _ => "a reply of another form",
            };
            Error::reply(method, target, what)
        }
    }
}
