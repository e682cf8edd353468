use std::{error::Error as _, time::Duration};

use azure_core::credentials::Secret;
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
};
use url::Url;
use uuid::Uuid;

use super::{Call, Reply, RetryOptions, Scope, Tokens, reply, target_of};
use crate::{Cloud, Error, ErrorDetail, Result, ServiceError};

/// Who asks, in every request.
pub(crate) const USER_AGENT: &str = concat!("spinney-azureml/", env!("CARGO_PKG_VERSION"));

/// Sends requests with tokens, again where that helps.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: Tokens,
    pub(crate) retry: RetryOptions,
    pub(crate) cloud: Cloud,
}

impl Pipeline {
    /// Sends a request until it succeeds or nothing speaks for another attempt.
    pub(crate) async fn send(&self, call: Call) -> Result<Reply> {
        self.check_trusted(&call)?;
        let client_request_id = Uuid::new_v4().to_string();
        let mut attempts = 0;
        let mut is_token_new = false;
        loop {
            attempts += 1;
            let token = self.token(call.scope).await?;
            let job_token = match call.has_machine_learning_token {
                true => self.token(Scope::MachineLearning).await?,
                false => None,
            };
            let tokens = (token.as_ref(), job_token.as_ref());
            let delay = match self.attempt(&call, tokens, &client_request_id).await {
                Ok(reply) if reply.status.is_success() => return Ok(reply),
                Ok(reply) => {
                    // A token may be refused before its time, say after a change of roles.
                    if let Some(token) =
                        token.filter(|_| reply.status == StatusCode::UNAUTHORIZED && !is_token_new)
                    {
                        self.tokens.forget(self.cloud.scope(call.scope), &token).await;
                        if let Some(token) = job_token {
                            let scope = self.cloud.scope(Scope::MachineLearning);
                            self.tokens.forget(scope, &token).await;
                        }
                        is_token_new = true;
                        continue;
                    }
                    let (status, after) = (reply.status, reply.retry_after());
                    match self.retry.after_reply(attempts, status, after, call.is_idempotent) {
                        Some(delay) => delay,
                        None => return Err(refused(&call, &reply, attempts)),
                    }
                }
                Err(error) => {
                    let may_repeat = call.is_idempotent || error.is_connect();
                    match self.retry.after_failure(attempts, may_repeat && !error.is_builder()) {
                        Some(delay) => delay,
                        None => return Err(broken(&call, error, attempts)),
                    }
                }
            };
            tracing::info!(target = call.target(), attempts, ?delay, "trying again");
            tokio::time::sleep(delay).await;
        }
    }

    async fn token(&self, scope: Scope) -> Result<Option<Secret>> {
        match scope {
            Scope::Anonymous => Ok(None),
            scope => self.tokens.token(self.cloud.scope(scope)).await.map(Some),
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        (token, job_token): (Option<&Secret>, Option<&Secret>),
        client_request_id: &str,
    ) -> reqwest::Result<Reply> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .header(ACCEPT, "application/json")
            .header("user-agent", USER_AGENT)
            .header("x-ms-client-request-id", client_request_id);
        if let Some(token) = token {
            request = request.bearer_auth(token.secret());
        }
        if let Some(token) = job_token {
            request = request.header("x-azureml-token", token.secret());
        }
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        request = match &call.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            // Azure's front ends refuse a POST or PUT that does not say how long it is.
            None if !call.method.is_safe() => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        if let Some(timeout) = call.timeout {
            request = request.timeout(timeout);
        }
        let mut request = request.build()?;
        // Of some headers not even a log of the connection may show the value.
        for name in [AUTHORIZATION.as_str(), "x-azureml-token"] {
            if let Some(value) = request.headers_mut().get_mut(name) {
                value.set_sensitive(true);
            }
        }
        let response = self.http.execute(request).await?;
        let reply = read(call, response).await?;
        tracing::debug!(
            target = call.target(),
            status = reply.status.as_u16(),
            client_request_id,
            request_id = reply.header("x-ms-request-id"),
            "sent"
        );
        Ok(reply)
    }

    /// Refuses to send a token where it could be read, or to a stranger.
    fn check_trusted(&self, call: &Call) -> Result<()> {
        if call.scope == Scope::Anonymous {
            return Ok(());
        }
        check_encrypted(&call.url)?;
        match call.scope {
            Scope::ResourceManager => check_origin(&self.cloud.resource_manager, &call.url),
            _ => Ok(()),
        }
    }
}

/// Refuses an address to which nothing secret may be sent.
pub(crate) fn check_encrypted(url: &Url) -> Result<()> {
    let is_local =
        url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "https" || url.scheme() == "http" && is_local {
        return Ok(());
    }
    let why = "it is neither https nor this machine";
    Err(Error::UntrustedUrl { url: target_of(url), why })
}

/// Refuses an address on another host than the one that is trusted.
pub(crate) fn check_origin(trusted: &Url, url: &Url) -> Result<()> {
    if trusted.origin() == url.origin() {
        return Ok(());
    }
    let why = "a reply named it, and it is not the host that was asked";
    Err(Error::UntrustedUrl { url: target_of(url), why })
}

async fn read(call: &Call, response: Response) -> reqwest::Result<Reply> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?.into();
    Ok(Reply { method: call.method.clone(), url: call.url.clone(), status, headers, body })
}

fn refused(call: &Call, reply: &Reply, attempts: u32) -> Error {
    let id = |name: &str| reply.header(name).map(str::to_owned);
    let mut error = ServiceError {
        target: call.target(),
        status: Some(reply.status.as_u16()),
        request_id: id("x-ms-request-id"),
        correlation_request_id: id("x-ms-correlation-request-id"),
        attempts,
        ..ServiceError::default()
    };
    error.read(&reply.body);
    if error.code.is_empty()
        && let Some(code) = reply.header("x-ms-error-code")
    {
        code.clone_into(&mut error.code);
    }
    // What a deployment's container did, as the endpoint in front of it tells it.
    for (name, what) in [
        ("ms-azureml-model-error-statuscode", "the model's status"),
        ("ms-azureml-model-error-reason", "the model's reason"),
    ] {
        if let Some(value) = reply.header(name) {
            error.details.push(ErrorDetail::new(what, value));
        }
    }
    if let Some(after) = reply::retry_after(&reply.headers).filter(|after| *after > Duration::ZERO)
    {
        error.message.push_str(&format!(" (to be tried again after {} s)", after.as_secs()));
    }
    Error::Service(Box::new(error))
}

fn broken(call: &Call, error: reqwest::Error, attempts: u32) -> Error {
    tracing::debug!(target = call.target(), cause = ?error.source(), "no reply");
    Error::Transport {
        method: call.method.to_string(),
        target: target_of(&call.url),
        attempts,
        source: error.without_url(),
    }
}
