use std::{fmt, iter};

use serde::Deserialize;
use serde_json::Value;

/// What Azure said when it refused a request, or when an operation that it had begun failed.
///
/// Its text is everything that helps: the code, the message, details below each other, the ids that Azure's support asks for, and,
/// for a deployment that did not come up, the end of its containers' logs.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ServiceError {
    /// What was asked for: the method, and the host and path without the query.
    pub target: String,
    /// The reply's status; `None` if the reply was in order and an operation failed.
    pub status: Option<u16>,
    /// Azure's code, such as `ResourceNotFound`; empty if there was none.
    pub code: String,
    /// Azure's message; for a reply that is no JSON, the beginning of it.
    pub message: String,
    /// The details, nested ones behind the one they belong to.
    pub details: Vec<ErrorDetail>,
    /// Whatever Azure added, as it was.
    pub additional_info: Vec<Value>,
    /// `x-ms-request-id`.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    pub correlation_request_id: Option<String>,
    /// How often the request was sent.
    pub attempts: u32,
    /// The end of the log of each container of a deployment that failed, by the container's type.
    pub logs: Vec<(String, String)>,
}

/// One of the details of a [`ServiceError`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// Azure's code.
    pub code: String,
    /// Azure's message.
    pub message: String,
    /// What it is about, if Azure says so.
    pub target: Option<String>,
}

impl ErrorDetail {
    pub(crate) fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), target: None }
    }
}

/// `{"error": ..}` as Azure Resource Manager defines it. Back ends leave out what they like.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ErrorBody {
    code: Option<String>,
    message: Option<String>,
    target: Option<String>,
    details: Option<Vec<Self>>,
    additional_info: Option<Vec<Value>>,
}

/// How much of a reply that is no JSON is worth showing.
const EXCERPT: usize = 400;

impl ServiceError {
    /// Reads the body of a reply.
    pub(crate) fn read(&mut self, body: &[u8]) {
        #[derive(Deserialize)]
        struct Envelope {
            error: ErrorBody,
        }
        if let Ok(Envelope { error }) = serde_json::from_slice(body) {
            return self.take(error);
        }
        // Some back ends send the inner object alone.
        match serde_json::from_slice::<ErrorBody>(body) {
            Ok(error) if error.code.is_some() || error.message.is_some() => self.take(error),
            _ => {
                let text = without_signatures(&String::from_utf8_lossy(body));
                self.message = text.trim().chars().take(EXCERPT).collect();
            }
        }
    }

    pub(crate) fn take(&mut self, error: ErrorBody) {
        self.code = error.code.unwrap_or_default();
        self.message = without_signatures(&error.message.unwrap_or_default());
        self.take_more(error.additional_info, error.details);
    }

    fn take_more(&mut self, info: Option<Vec<Value>>, details: Option<Vec<ErrorBody>>) {
        for mut info in info.unwrap_or_default() {
            for_each_text(&mut info, &mut |text| *text = without_signatures(text));
            self.additional_info.push(info);
        }
        for error in details.unwrap_or_default() {
            self.details.push(ErrorDetail {
                code: error.code.unwrap_or_default(),
                message: without_signatures(&error.message.unwrap_or_default()),
                target: error.target.as_deref().map(without_signatures),
            });
            self.take_more(error.additional_info, error.details);
        }
    }

    /// All codes, the outer one first.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        iter::once(self.code.as_str()).chain(self.details.iter().map(|detail| detail.code.as_str()))
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        let said = |code: &str| self.codes().any(|own| own.eq_ignore_ascii_case(code));
        let advice = if said("SubscriptionNotRegistered") || said("MissingSubscriptionRegistration")
        {
            "register the resource providers that Azure ML needs: `MlClient::preflight` names the missing ones, \
             `MlClient::resource_providers` registers them"
        } else if said("ClusterCoreQuotaReached") || said("OutOfQuota") || said("QuotaExceeded") {
            "ask for more cores of this family in this region, take a smaller size, or another region"
        } else if said("AuthorizationFailed") || said("LinkedAuthorizationFailed") {
            "the identity lacks a role on the resource: `AzureML Data Scientist` for assets, jobs and endpoints, \
             `AzureML Compute Operator` for computes; a new assignment takes some minutes to hold"
        } else if said("InvalidAuthenticationTokenTenant") {
            "the token is another tenant's: `az login --tenant ..` with the subscription's"
        } else {
            return None;
        };
        Some(advice)
    }
}

/// A text without the signatures of the addresses in it, with which anybody could read what they sign. Services quote addresses.
fn without_signatures(text: &str) -> String {
    let mut parts = text.split("sig=");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_signature = |c: char| c.is_ascii_alphanumeric() || "%+/=-_".contains(c);
        clean.push_str("sig=..");
        clean.push_str(part.trim_start_matches(is_signature));
    }
    clean
}

fn for_each_text(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| for_each_text(value, change)),
        Value::Object(values) => {
            values.values_mut().for_each(|value| for_each_text(value, change));
        }
        _ => {}
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{}: refused with status {status}", self.target)?,
            None => write!(f, "{}: failed", self.target)?,
        }
        if !self.code.is_empty() {
            write!(f, ", {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end())?;
        }
        for detail in &self.details {
            write!(f, "\n  {}", detail.code)?;
            if let Some(target) = &detail.target {
                write!(f, " ({target})")?;
            }
            write!(f, ": {}", detail.message.trim_end())?;
        }
        for info in &self.additional_info {
            write!(f, "\n  {info}")?;
        }
        if let Some(advice) = self.advice() {
            write!(f, "\n  what helps: {advice}")?;
        }
        for (container, log) in &self.logs {
            write!(f, "\n  the end of the log of {container}:")?;
            for line in log.lines() {
                write!(f, "\n  | {line}")?;
            }
        }
        if self.attempts > 1 {
            write!(f, "\n  attempts: {}", self.attempts)?;
        }
        for (name, id) in
            [("request id", &self.request_id), ("correlation id", &self.correlation_request_id)]
        {
            if let Some(id) = id {
                write!(f, "\n  {name}: {id}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {}
