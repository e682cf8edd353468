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
use spinney_artifact::{BundleMetadata, Error, Limits, ModelBundle};
use spinney_forest::RandomForest;

fn error(bytes: &[u8]) -> Error {
    ModelBundle::from_bytes(bytes).unwrap_err()
}

/// A bundle in its parts, to be damaged and sealed again.
struct Parts {
    header: Vec<u8>,
    sections: [Vec<u8>; 2],
}

impl Parts {
    fn new() -> Self {
        let bytes = model::bundle(7).to_bytes();
        let header_len = u64::from_le_bytes(bytes[20..28].try_into().unwrap()) as usize;
        let header = bytes[28..28 + header_len].to_vec();
        let json: serde_json::Value = serde_json::from_slice(&header).unwrap();
        let forest_len = json["sections"][0]["bytes"].as_u64().unwrap() as usize;
        let (forest, statistics) = bytes[28 + header_len + 32..].split_at(forest_len);
        Self { header, sections: [forest.to_vec(), statistics.to_vec()] }
    }

    /// Puts matching lengths and hashes to what was tampered with.
    fn sealed(&self) -> Vec<u8> {
        let mut header = String::from_utf8(self.header.clone()).unwrap();
        let original = Self::new();
        for (section, original) in self.sections.iter().zip(original.sections) {
            let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
            let len = |bytes: &[u8]| format!("\"bytes\": {},", bytes.len());
            header = header.replace(&hash(&original), &hash(section));
            header = header.replace(&len(&original), &len(section));
        }
        self.sealed_with(header.as_bytes())
    }

    fn sealed_with(&self, header: &[u8]) -> Vec<u8> {
        let mut bytes = model::bundle(7).to_bytes()[..20].to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes.extend(self.sections.iter().flatten());
        bytes
    }
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
        let mut bytes = Parts::new().sealed();
        bytes[20..28].copy_from_slice(&claim.to_le_bytes());
        assert!(matches!(error(&bytes), Error::HeaderTooLong { .. }));
    }
    let parts = Parts::new();
    let header = String::from_utf8(parts.header.clone()).unwrap();
    let forest_len = format!("\"bytes\": {},", parts.sections[0].len());
    for claim in [u64::MAX, 1 << 40, parts.sections[0].len() as u64 + 1] {
        let header = header.replacen(&forest_len, &format!("\"bytes\": {claim},"), 1);
        let bytes = parts.sealed_with(header.as_bytes());
        assert!(
            matches!(error(&bytes), Error::Truncated { .. } | Error::ChecksumMismatch { .. }),
            "{claim}"
        );
    }
    // Lengths of sequences: of the nodes of trees, and of the rows of leaves.
    for (section, at) in [(0, 8), (1, 1)] {
        for claim in [u64::MAX, 1 << 60, 1 << 32, 0] {
            let mut parts = Parts::new();
            parts.sections[section][at..][..8].copy_from_slice(&claim.to_le_bytes());
            assert!(matches!(error(&parts.sealed()), Error::ForestSection { .. }), "{claim}");
        }
    }
}

#[test]
fn refuses_more_than_its_limits() {
    let bytes = Parts::new().sealed();
    let nodes = Limits::default().max_nodes(5);
    let header = Limits::default().max_header_len(100);
    let error = |limits| ModelBundle::from_bytes_with(&bytes, &limits).unwrap_err();
    assert!(matches!(error(nodes), Error::TooManyNodes { max: 5, .. }));
    assert!(matches!(error(header), Error::HeaderTooLong { max: 100, .. }));
}

#[test]
fn refuses_a_header_that_was_changed_with_its_hash() {
    let parts = Parts::new();
    let header = String::from_utf8(parts.header.clone()).unwrap();
    for (from, to) in [
        ("\"prices\"", "7       "),
        ("\"schema_hash\"", "\"schema_hasj\""),
        ("\"one_hot\"", "\"one_hut\""),
    ] {
        let bytes = parts.sealed_with(header.replace(from, to).as_bytes());
        assert!(matches!(error(&bytes), Error::Header(_)), "{to}");
    }
    let other_name = header.replace("\"statistics\"", "\"statistic\"");
    assert_eq!(
        error(&parts.sealed_with(other_name.as_bytes())).to_string(),
        "the bundle's header lists section `statistic` where `statistics` should be"
    );
    let other_value = header.replacen("\"flat\"", "\"flap\"", 1);
    let error = error(&parts.sealed_with(other_value.as_bytes()));
    assert!(matches!(error, Error::SchemaHash | Error::Header(_)), "{error:?}");
}

#[test]
fn names_the_part_that_is_damaged() {
    let bytes = model::bundle(7).to_bytes();
    let header_end = bytes.len() - Parts::new().sections.iter().map(Vec::len).sum::<usize>();
    for (at, part) in [
        (100, "the header"),
        (header_end, "section `forest`"),
        (bytes.len() - 1, "section `statistics`"),
    ] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let expected =
            format!("the bundle is damaged: the hash of {part} does not match its contents");
        assert_eq!(error(&bytes).to_string(), expected);
    }
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
fn refuses_ranges_that_are_none() {
    let parts = Parts::new();
    let mut header: serde_json::Value = serde_json::from_slice(&parts.header).unwrap();
    header["metadata"]["training_ranges"] = serde_json::json!({"area": [2.0, 3.0]});
    let read = |header: &serde_json::Value| {
        ModelBundle::from_bytes(&parts.sealed_with(header.to_string().as_bytes()))
    };
    let bundle = read(&header).unwrap();
    assert_eq!(bundle.metadata().ranges().unwrap().get("area"), Some((2.0, 3.0)));
    header["metadata"]["training_ranges"] = serde_json::json!({"area": [3.0, 2.0]});
    let message = "the range of column `area` is 3 to 2, but needs two finite numbers in order";
    assert_eq!(read(&header).unwrap_err().to_string(), message);
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
        let mut parts = Parts::new();
        let n_forest = parts.sections[0].len();
        let len = n_forest + parts.sections[1].len();
        for (at, byte) in damage {
            let at = at.index(len);
            let [forest, statistics] = &mut parts.sections;
            *if at < n_forest { &mut forest[at] } else { &mut statistics[at - n_forest] } = byte;
        }
        if let Some(cut) = cut {
            let cut = cut.index(n_forest);
            parts.sections[0].truncate(cut);
        }
        if let Ok(bundle) = ModelBundle::from_bytes(&parts.sealed()) {
            let _ = bundle.forest().feature_importances();
            let _ = bundle.predict(&model::table());
        }
    }
}
