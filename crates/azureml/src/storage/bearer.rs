use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{
        Context, Request, StatusCode,
        headers::AUTHORIZATION,
        policies::{Policy, PolicyResult},
    },
};

use crate::http::Tokens;

/// What tokens for storage are asked for, in all clouds.
const STORAGE_SCOPE: &str = "https://storage.azure.com/.default";

/// Sends the client's own tokens to storage. The crate for blobs has such a policy, but it keeps tokens for each container on its own.
#[derive(Debug)]
pub(super) struct Bearer(pub(super) Tokens);

#[expect(
    elided_lifetimes_in_paths,
    reason = "named, it would be another lifetime than the trait's"
)]
#[async_trait]
impl Policy for Bearer {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let Some((transport, rest)) = next.split_first() else {
            let message = "there is nothing behind the policy";
            return Err(azure_core::Error::with_message(ErrorKind::Other, message));
        };
        let mut is_token_new = false;
        loop {
            let token = self.0.token(STORAGE_SCOPE).await;
            let token =
                token.map_err(|error| azure_core::Error::new(ErrorKind::Credential, error))?;
            request.insert_header(AUTHORIZATION, format!("Bearer {}", token.secret()));
            let response = transport.send(context, request, rest).await?;
            // A token may be refused before its time, say after a change of roles.
            if response.status() != StatusCode::Unauthorized || is_token_new {
                return Ok(response);
            }
            self.0.forget(STORAGE_SCOPE, &token).await;
            is_token_new = true;
        }
    }
}
