//! Shared access signatures: made from an account's key, so that the key itself never goes over the wire.

use std::time::Duration;

use azure_core::{
    credentials::Secret,
    time::{OffsetDateTime, parse_rfc3339, to_rfc3339},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::{Url, form_urlencoded};

/// The version of the signature's form.
const VERSION: &str = "2021-12-02";
/// Reading, adding, creating, writing, listing: what Azure ML's own signatures allow.
const PERMISSIONS: &str = "racwl";

/// Signs access to a container for some time. `None` if the key is no base64.
pub(super) fn container_sas(
    account: &str,
    container: &str,
    key: &Secret,
    validity: Duration,
    is_local: bool,
) -> Option<Secret> {
    let expires_on = (OffsetDateTime::now_utc() + validity).replace_nanosecond(0).ok()?;
    let protocol = if is_local { "https,http" } else { "https" };
    sign(account, container, key, &to_rfc3339(&expires_on), protocol)
}

fn sign(
    account: &str,
    container: &str,
    key: &Secret,
    expiry: &str,
    protocol: &str,
) -> Option<Secret> {
    let key = STANDARD.decode(key.secret()).ok()?;
    let resource = format!("/blob/{account}/{container}");
    // Permissions, start, expiry, resource, identifier, addresses, protocol, version, kind of resource, snapshot, encryption scope,
    // and five headers of the reply.
    let text = [
        PERMISSIONS,
        "",
        expiry,
        &resource,
        "",
        "",
        protocol,
        VERSION,
        "c",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
    ]
    .join("\n");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let sas = form_urlencoded::Serializer::new(String::new())
        .append_pair("se", expiry)
        .append_pair("sp", PERMISSIONS)
        .append_pair("spr", protocol)
        .append_pair("sv", VERSION)
        .append_pair("sr", "c")
        .append_pair("sig", &signature)
        .finish();
    Some(Secret::new(sas))
}

/// When the signature in an address ends to hold, as far as it says.
pub(super) fn expiry(url: &Url) -> Option<OffsetDateTime> {
    let (_, text) = url.query_pairs().find(|(name, _)| name == "se")?;
    parse_rfc3339(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature is that of `generate_container_sas` of azure-storage-blob 12.31.1 with its version set to this one.
    #[test]
    fn a_signature_is_the_one_of_microsofts_python_package() {
        let key = Secret::new(STANDARD.encode(b"the key of an account"));
        let sas = sign("spinneytest", "azureml-blobstore", &key, "2026-11-23T12:00:00Z", "https");
        assert_eq!(
            sas.unwrap().secret(),
            "se=2026-11-23T12%3A00%3A00Z&sp=racwl&spr=https&sv=2021-12-02&sr=c&sig=dB7eXp6VY9IBseuRlblWksPht5Y4mN67LZOiIE0s2GE%3D"
        );
    }

    #[test]
    fn its_end_is_read_again_and_a_key_that_is_none_is_refused() {
        let key = Secret::new(STANDARD.encode(b"key"));
        let sas = container_sas("account", "container", &key, Duration::from_secs(60), true);
        let url = Url::parse(&format!("http://127.0.0.1/?{}", sas.unwrap().secret())).unwrap();
        let left = expiry(&url).unwrap() - OffsetDateTime::now_utc();
        assert!(left.whole_seconds() <= 60 && left.whole_seconds() > 0, "{left}");
        assert_eq!(expiry(&Url::parse("https://local/?se=tomorrow").unwrap()), None);
        let bad = Secret::new("no base64!");
        assert!(container_sas("a", "c", &bad, Duration::from_secs(60), false).is_none());
    }
}
