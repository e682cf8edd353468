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
    let key = STANDARD.decode(key.secret()).ok()?;
    let expires_on = (OffsetDateTime::now_utc() + validity).replace_nanosecond(0).ok()?;
    let expiry = to_rfc3339(&expires_on);
    let protocol = if is_local { "https,http" } else { "https" };
    let resource = format!("/blob/{account}/{container}");
    // Permissions, start, expiry, resource, identifier, addresses, protocol, version, kind of resource, snapshot, encryption scope,
    // and five headers of the reply.
    let text = [
        PERMISSIONS,
        "",
        &expiry,
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
        .append_pair("sv", VERSION)
        .append_pair("spr", protocol)
        .append_pair("se", &expiry)
        .append_pair("sr", "c")
        .append_pair("sp", PERMISSIONS)
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

    #[test]
    fn a_signature_is_the_one_of_microsofts_python_package() {
        // generate_container_sas of azure-storage-blob signs the same text; here only its form is checked, Azurite checks the rest.
        let key = Secret::new(STANDARD.encode(b"key"));
        let sas = container_sas("account", "container", &key, Duration::from_secs(60), false);
        let url = Url::parse(&format!("https://local/?{}", sas.unwrap().secret())).unwrap();
        let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, ["sv", "spr", "se", "sr", "sp", "sig"]);
        let left = expiry(&url).unwrap() - OffsetDateTime::now_utc();
        assert!((58..=60).contains(&left.whole_seconds()), "{left}");
        let bad = Secret::new("no base64!");
        assert!(container_sas("a", "c", &bad, Duration::from_secs(60), false).is_none());
    }
}
