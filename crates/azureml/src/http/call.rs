use std::time::Duration;

use azure_core::Bytes;
use reqwest::Method;
use serde::Serialize;
use url::Url;

/// Whose token goes with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Azure Resource Manager's.
    ResourceManager,
    /// Azure ML's.
    MachineLearning,
    /// None.
    Anonymous,
}

/// A request to be sent, perhaps more than once. It has no text for debugging: there may be a key in it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) scope: Scope,
    /// JSON.
    pub(crate) body: Option<Bytes>,
    /// Whether Azure ML's own token goes along, in `x-azureml-token`: jobs act with it.
    pub(crate) has_machine_learning_token: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Another limit for one attempt than the client's.
    pub(crate) timeout: Option<Duration>,
    /// Whether sending it twice is the same as sending it once.
    pub(crate) is_idempotent: bool,
}

impl Call {
    /// A request of a method whose repetition HTTP allows; POST and PATCH are not.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let is_idempotent = method.is_idempotent();
        Self {
            method,
            url,
            scope: Scope::ResourceManager,
            has_machine_learning_token: false,
            body: None,
            headers: Vec::new(),
            timeout: None,
            is_idempotent,
        }
    }

    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn put(url: Url, body: &impl Serialize) -> Self {
        Self::new(Method::PUT, url).body(body)
    }

    pub(crate) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    pub(crate) fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// The bodies are this crate's own types, whose keys are texts: they have a JSON form.
    pub(crate) fn body(self, body: &impl Serialize) -> Self {
        self.json(serde_json::to_vec(body).unwrap_or_default())
    }

    /// A body that is JSON already.
    pub(crate) fn json(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    pub(crate) fn patch(url: Url, body: &impl Serialize) -> Self {
        Self::new(Method::PATCH, url).body(body)
    }

    pub(crate) fn timeout(self, timeout: Option<Duration>) -> Self {
        Self { timeout, ..self }
    }

    /// A POST that only reads or asks for a state, and so may be repeated.
    pub(crate) fn repeatable(mut self) -> Self {
        self.is_idempotent = true;
        self
    }

    pub(crate) fn with_machine_learning_token(mut self) -> Self {
        self.has_machine_learning_token = true;
        self
    }

    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The method and the address without its query, for errors and logs.
    pub(crate) fn target(&self) -> String {
        format!("{} {}", self.method, target_of(&self.url))
    }
}

/// An address without its query, in which there may be a signature.
pub(crate) fn target_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}
