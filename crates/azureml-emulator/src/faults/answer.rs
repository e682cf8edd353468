use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::{Value, json};

use super::{
    End, Fault,
    about::Service,
    rule::{Ending, Failing},
};
use crate::{
    arm, blob,
    front::{json_response, problem},
};

/// The header that says which fault befell a request.
const FAULT: &str = "x-spinney-fault";

/// How a request to a service ends that a fault befalls.
pub(super) fn end(ending: Ending, service: Service, fault: &Fault) -> End {
    let (status, retry_after) = match ending {
        Ending::Reset => return End::Reset,
        // Storage has another way to say that it has had enough.
        Ending::Throttled { seconds } if service == Service::Blob => (503, Some(seconds)),
        Ending::Throttled { seconds } => (429, Some(seconds)),
        Ending::Refused { status } => (status, None),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = refusal(service, status, &message(fault));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Ok(fault) = HeaderValue::from_str(&fault.to_string()) {
        response.headers_mut().insert(FAULT, fault);
    }
    End::Answered(response)
}

/// An error in the service's own words.
fn refusal(service: Service, status: StatusCode, message: &str) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let code: String = reason.split([' ', '-', '\'']).collect();
    match service {
        Service::Blob => {
            let code = match status.as_u16() {
                500 => "InternalError",
                503 => "ServerBusy",
                _ => code.as_str(),
            };
            blob::refusal(status, code, message)
        }
        Service::Token => {
            let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            let error = if passes { "temporarily_unavailable" } else { "invalid_request" };
            let description = format!("AADSTS90033: {message}");
            let body =
                json!({"error": error, "error_description": description, "error_codes": [90033]});
            json_response(status, &body)
        }
        Service::Arm | Service::History | Service::Scoring => problem(status, &code, message),
    }
}

fn message(fault: &Fault) -> String {
    format!("a fault on demand: {fault}")
}

/// The error of an operation.
pub(super) fn error(failing: &Failing, fault: &Fault) -> Value {
    let message = message(fault);
    match failing {
        Failing::Code(code) => {
            json!({"code": code, "message": message, "details": [], "additionalInfo": []})
        }
        Failing::Quota => arm::quota_reached(message).error(),
    }
}
