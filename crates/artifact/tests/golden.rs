//! The bytes themselves.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod model;

use sha2::{Digest, Sha256};
use spinney_artifact::{FORMAT_VERSION, Fingerprint, MAGIC, ModelBundle};

#[test]
fn begins_with_magic_version_and_readable_header() {
    let bytes = model::bundle(7).to_bytes();
    assert_eq!(bytes[..16], MAGIC);
    assert_eq!(bytes[16..20], FORMAT_VERSION.to_le_bytes());
    let header_len = u64::from_le_bytes(bytes[20..28].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[28..28 + header_len]).unwrap();
    assert_eq!(header["metadata"]["name"], "prices");
    assert_eq!(header["metadata"]["metrics"]["r2"], 0.5);
    assert_eq!(header["transform_params"]["version"], 1);
    assert_eq!(header["schema_hash"], model::bundle(7).feature_schema().hash().to_string());
}

#[test]
fn accounts_for_every_byte() {
    let bundle = model::bundle(7);
    let bytes = bundle.to_bytes();
    let header_len = u64::from_le_bytes(bytes[20..28].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[28..28 + header_len]).unwrap();
    let end = 28 + header_len;
    assert_eq!(bytes[end..end + 32], *bundle.fingerprint().as_bytes());
    assert_eq!(Sha256::digest(&bytes[..end])[..], bytes[end..end + 32]);
    let mut rest = &bytes[end + 32..];
    for section in header["sections"].as_array().unwrap() {
        let (contents, after) = rest.split_at(section["bytes"].as_u64().unwrap() as usize);
        let sha256: Fingerprint = section["sha256"].as_str().unwrap().parse().unwrap();
        assert_eq!(Sha256::digest(contents)[..], *sha256.as_bytes());
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn a_reloaded_bundle_is_the_one_in_memory() {
    let bundle = model::bundle(7);
    let again = ModelBundle::from_bytes(&bundle.to_bytes()).unwrap();
    assert_eq!(again.forest().to_canonical_bytes(), bundle.forest().to_canonical_bytes());
    assert_eq!(again.transformer().params(), bundle.transformer().params());
    assert_eq!(again.metadata(), bundle.metadata());
    assert_eq!(again.fingerprint(), bundle.fingerprint());
    assert_eq!(again.to_bytes(), bundle.to_bytes());
}
