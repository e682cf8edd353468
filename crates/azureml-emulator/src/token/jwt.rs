use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::{moment::Moment, signature::sign};

/// Makes tokens, and knows its own again: their signature is an HMAC with a key that stays in the state folder.
#[derive(Clone)]
pub(crate) struct TokenIssuer {
    key: Vec<u8>,
    tenant: String,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The resource that it is for, as it was asked for, without a slash at the end.
    pub(crate) aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    pub(crate) exp: i64,
    tid: String,
    /// The application, or the client id of the identity.
    pub(crate) appid: String,
    /// Who it is in the directory.
    pub(crate) oid: String,
    ver: String,
}

impl TokenIssuer {
    pub(crate) fn new(key: &[u8], tenant: &str) -> Self {
        Self { key: key.to_owned(), tenant: tenant.to_owned() }
    }

    pub(crate) fn issue(
        &self,
        audience: &str,
        client: &str,
        object: &str,
        now: Moment,
        lifetime: i64,
    ) -> String {
        let seconds = now.seconds();
        let claims = Claims {
            aud: audience.trim_end_matches('/').to_owned(),
            iss: format!("https://sts.windows.net/{}/", self.tenant),
            iat: seconds,
            nbf: seconds,
            exp: seconds + lifetime,
            tid: self.tenant.clone(),
            appid: client.to_owned(),
            oid: object.to_owned(),
            ver: "1.0".to_owned(),
        };
        let encode = |part: String| URL_SAFE_NO_PAD.encode(part);
        let head = encode(json!({"alg": "HS256", "typ": "JWT"}).to_string());
        let body = encode(json!(claims).to_string());
        let signed = format!("{head}.{body}");
        let signature = URL_SAFE_NO_PAD.encode(sign(&self.key, &signed));
        format!("{signed}.{signature}")
    }

    /// What a token of ours says that is not over yet.
    pub(crate) fn check(&self, token: &str, now: Moment) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !bool::from(sign(&self.key, signed).as_slice().ct_eq(&signature)) {
            return None;
        }
        let (_, body) = signed.split_once('.')?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (claims.exp > now.seconds()).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn knows_its_own_tokens_and_no_others() {
        let now = Moment::from_milliseconds(1_000_000);
        let issuer = TokenIssuer::new(b"key", "tenant");
        let token = issuer.issue("https://management.azure.com/", "client", "object", now, 60);
        let claims = issuer.check(&token, now).unwrap();
        assert_eq!(claims.aud, "https://management.azure.com");
        assert_eq!((claims.appid.as_str(), claims.exp), ("client", 1060));
        assert_eq!(issuer.check(&token, Moment::from_milliseconds(1_060_000)), None);
        assert_eq!(TokenIssuer::new(b"other", "tenant").check(&token, now), None);

        let [head, body, signature] =
            <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).unwrap();
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        for forged in [
            format!("{unsigned}.{body}."),
            format!("{unsigned}.{body}.{signature}"),
            format!("{head}.{body}."),
            format!("{head}.{body}"),
            String::new(),
            "..".to_owned(),
        ] {
            assert_eq!(issuer.check(&forged, now), None, "{forged}");
        }
    }
}
