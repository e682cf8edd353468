use std::fmt;

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    time::OffsetDateTime,
};
use serde::Deserialize;
use url::Url;

use super::expiry::parse_expiry;
use crate::{Error, Result};

/// The managed identity of the compute that an Azure ML job or notebook runs on.
///
/// Azure ML has its own endpoint for it (`MSI_ENDPOINT`, `MSI_SECRET`), of the version 2017-09-01 that other services gave up, and
/// with `clientid` instead of `client_id`. `azure_identity` does not serve it.
pub struct ComputeIdentityCredential {
    endpoint: Url,
    secret: Secret,
    client_id: Option<String>,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Reply {
    access_token: Secret,
    expires_on: Expiry,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expiry {
    Seconds(i64),
    Text(String),
}

impl ComputeIdentityCredential {
    /// Takes the endpoint and its secret, and the client id of the identity if the compute has several.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`].
    pub fn new(
        endpoint: &str,
        secret: impl Into<Secret>,
        client_id: Option<String>,
        http: reqwest::Client,
    ) -> Result<Self> {
        let endpoint =
            Url::parse(endpoint).map_err(|_| Error::InvalidUrl { url: endpoint.to_owned() })?;
        Ok(Self { endpoint, secret: secret.into(), client_id, http })
    }

    async fn ask(&self, resource: &str) -> azure_core::Result<AccessToken> {
        let mut url = self.endpoint.clone();
        url.query_pairs_mut()
            .append_pair("api-version", "2017-09-01")
            .append_pair("resource", resource)
            .extend_pairs(self.client_id.iter().map(|client_id| ("clientid", client_id)));
        let failed = |error: reqwest::Error| {
            let error = error.without_url();
            azure_core::Error::with_error(
                ErrorKind::Credential,
                error,
                "the identity endpoint gave no reply",
            )
        };
        let request = self.http.get(url).header("secret", self.secret.secret());
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let body = response.bytes().await.map_err(failed)?;
        let refused = |what: String| azure_core::Error::with_message(ErrorKind::Credential, what);
        if !status.is_success() {
            let text: String = String::from_utf8_lossy(&body).chars().take(400).collect();
            return Err(refused(format!("the identity endpoint refused with {status}: {text}")));
        }
        let reply: Reply = serde_json::from_slice(&body)
            .map_err(|_| refused("the identity endpoint's reply holds no token".to_owned()))?;
        let expires_on = match &reply.expires_on {
            Expiry::Seconds(seconds) => OffsetDateTime::from_unix_timestamp(*seconds).ok(),
            Expiry::Text(text) => parse_expiry(text),
        };
        let expires_on = expires_on
            .ok_or_else(|| refused("the identity endpoint's `expires_on` is no time".to_owned()))?;
        Ok(AccessToken::new(reply.access_token, expires_on))
    }
}

#[async_trait]
impl TokenCredential for ComputeIdentityCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let [scope] = scopes else {
            let what = "an identity endpoint gives tokens for one scope at a time";
            return Err(azure_core::Error::with_message(ErrorKind::Credential, what));
        };
        // Identity endpoints speak of resources; a scope is one with a suffix.
        self.ask(scope.strip_suffix("/.default").unwrap_or(scope)).await
    }
}

impl fmt::Debug for ComputeIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComputeIdentityCredential")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
