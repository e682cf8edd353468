//! Bytes from anywhere: an error, never a panic, never a wrong prediction.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod model;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use spinney_artifact::{BundleMetadata, Error, ModelBundle};
use spinney_forest::RandomForest;

fn error(bytes: &[u8]) -> Error {
    ModelBundle::from_bytes(bytes).unwrap_err()
}

/// Puts a matching checksum behind contents that were tampered with.
fn sealed(mut contents: Vec<u8>) -> Vec<u8> {
    let digest = Sha256::digest(&contents);
    contents.extend(digest);
    contents
}

fn contents() -> Vec<u8> {
    let mut bytes = model::bundle(7).to_bytes();
    bytes.truncate(bytes.len() - 32);
    bytes
}

#[test]
fn refuses_what_is_not_a_bundle() {
    for bytes in [&b""[..], b"PK\x03\x04", b"spinney bundle\n", &[0; 100]] {
        assert_eq!(error(bytes).to_string(), "not a spinney bundle");
    }
}

#[test]
fn refuses_truncation_at_every_byte() {
    let bytes = model::bundle(7).to_bytes();
    for len in 1..bytes.len() {
        assert!(matches!(error(&bytes[..len]), Error::Truncated { .. }), "at {len}");
    }
}

#[test]
fn refuses_every_flipped_bit() {
    let mut bytes = model::bundle(7).to_bytes();
    for byte in 0..bytes.len() {
        for bit in 0..8 {
            bytes[byte] ^= 1 << bit;
            assert!(ModelBundle::from_bytes(&bytes).is_err(), "bit {bit} of byte {byte}");
            bytes[byte] ^= 1 << bit;
        }
    }
}

#[test]
fn refuses_other_versions_by_name() {
    let mut bytes = model::bundle(7).to_bytes();
    bytes[16] = 9;
    let expected = "the bundle has format version 9, this release reads 1";
    assert_eq!(error(&bytes).to_string(), expected);
}

#[test]
fn refuses_bytes_behind_the_end() {
    let mut bytes = model::bundle(7).to_bytes();
    bytes.push(0);
    assert_eq!(error(&bytes).to_string(), "1 bytes follow the end of the bundle");
}

#[test]
fn refuses_claimed_lengths_without_allocating() {
    for claim in [u64::MAX, 1 << 40, (64 << 20) + 1] {
        let mut contents = contents();
        contents[20..28].copy_from_slice(&claim.to_le_bytes());
        assert!(matches!(error(&sealed(contents)), Error::HeaderTooLong { .. }));
    }
    let contents = contents();
    let header_len = u64::from_le_bytes(contents[20..28].try_into().unwrap()) as usize;
    // The lengths within the forest: after its own length and its number of features.
    for claim in [u64::MAX, 1 << 60, 1 << 32] {
        let mut contents = contents.clone();
        contents[28 + header_len + 16..][..8].copy_from_slice(&claim.to_le_bytes());
        assert!(matches!(error(&sealed(contents)), Error::ForestSection { .. }));
    }
}

#[test]
fn refuses_a_header_that_was_changed_with_its_checksum() {
    for (from, to) in [
        ("\"prices\"", "7       "),
        ("\"schema_hash\"", "\"schema_hasj\""),
        ("\"one_hot\"", "\"one_hut\""),
    ] {
        let mut contents = contents();
        let at = contents.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        contents[at..][..from.len()].copy_from_slice(to.as_bytes());
        assert!(matches!(error(&sealed(contents)), Error::Header(_)), "{to}");
    }
    let mut contents = contents();
    let at = contents.windows(6).position(|window| window == b"\"flat\"").unwrap();
    contents[at..][..6].copy_from_slice(b"\"flap\"");
    let error = error(&sealed(contents));
    assert!(matches!(error, Error::SchemaHash | Error::Header(_)), "{error:?}");
}

#[test]
fn refuses_a_forest_that_does_not_fit() {
    let bundle = model::bundle(7);
    let y = ndarray::array![1.0, 2.0];
    let forest = RandomForest::params().fit_arrays(ndarray::array![[1.0], [2.0]].view(), y.view());
    let transformer = bundle.transformer().clone();
    let error = ModelBundle::new(transformer, forest.unwrap(), BundleMetadata::new("x", "1"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "the transformer makes 7 features, but the forest was fitted on 1"
    );
}

#[test]
fn refuses_metrics_that_json_cannot_hold() {
    let bundle = model::bundle(7);
    let metadata = BundleMetadata::new("x", "1").metric("r2", f64::NAN);
    let error = ModelBundle::new(bundle.transformer().clone(), bundle.forest().clone(), metadata);
    assert_eq!(error.unwrap_err().to_string(), "metric `r2` is NaN, but a metric must be finite");
}

#[test]
fn refuses_a_missing_file_by_name() {
    let error = ModelBundle::load("no/such.bundle").unwrap_err();
    assert_eq!(error.to_string(), "could not load no/such.bundle");
    assert!(std::error::Error::source(&error).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ModelBundle::from_bytes(&bytes).is_err());
    }

    /// Damage behind a valid checksum: whatever still loads must predict without a panic.
    #[test]
    fn no_sealed_damage_makes_it_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut contents = contents();
        for (at, byte) in damage {
            let at = at.index(contents.len());
            contents[at] = byte;
        }
        if let Some(cut) = cut {
            contents.truncate(cut.index(contents.len()));
        }
        if let Ok(bundle) = ModelBundle::from_bytes(&sealed(contents)) {
            let _ = bundle.predict(&model::table());
        }
    }
}
