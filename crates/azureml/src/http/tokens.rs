use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    time::OffsetDateTime,
};
use tokio::sync::Mutex;

use crate::{Error, Result};

/// Tokens of a credential, kept until shortly before they expire.
#[derive(Clone)]
pub(crate) struct Tokens {
    credential: Arc<dyn TokenCredential>,
    cached: Arc<Mutex<BTreeMap<String, AccessToken>>>,
}

/// A token is renewed so long before it expires, so that it holds for the request that it goes with.
const MARGIN: Duration = Duration::from_secs(300);

impl Tokens {
    pub(crate) fn new(credential: Arc<dyn TokenCredential>) -> Self {
        Self { credential, cached: Arc::default() }
    }

    /// No tokens, for requests that need none.
    pub(crate) fn none() -> Self {
        Self::new(Arc::new(NoCredential))
    }

    /// A token, new or kept. Requests that come together wait for one token, and do not each ask for their own.
    pub(crate) async fn token(&self, scope: &str) -> Result<Secret> {
        let mut cached = self.cached.lock().await;
        let now = OffsetDateTime::now_utc();
        let kept = cached.get(scope).filter(|token| token.expires_on > now);
        if let Some(token) = kept.filter(|token| token.expires_on > now + MARGIN) {
            return Ok(token.token.clone());
        }
        match self.credential.get_token(&[scope], None).await {
            Ok(token) => {
                let secret = token.token.clone();
                cached.insert(scope.to_owned(), token);
                Ok(secret)
            }
            // Close to its end a token still holds; the next request tries again.
            Err(source) => match kept {
                Some(token) => {
                    tracing::warn!(scope, error = %source, "a token could not be renewed");
                    Ok(token.token.clone())
                }
                None => Err(Error::Credential { scope: scope.to_owned(), source }),
            },
        }
    }

    /// Forgets a token that was refused, unless another has taken its place.
    pub(crate) async fn forget(&self, scope: &str, refused: &Secret) {
        let mut cached = self.cached.lock().await;
        if cached.get(scope).is_some_and(|token| token.token == *refused) {
            cached.remove(scope);
        }
    }
}

#[derive(Debug)]
struct NoCredential;

#[async_trait]
impl TokenCredential for NoCredential {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Err(azure_core::Error::with_message(ErrorKind::Credential, "there is no credential"))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("credential", &self.credential).finish_non_exhaustive()
    }
}
