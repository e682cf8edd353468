//! Bundles of every format version so far load, and predict what they did when they were made.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::{fs, path::Path};

use serde::Deserialize;
use spinney_artifact::{BundleInfo, FORMAT_VERSION, ModelBundle};
use spinney_preprocess::Record;

#[derive(Deserialize)]
struct Frozen {
    file: String,
    fingerprint: String,
    rows: Vec<Record>,
    predictions: Vec<f64>,
}

#[test]
fn frozen_bundles_predict_what_they_did() {
    for version in 1..=FORMAT_VERSION {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/bundles")
            .join(format!("v{version}"));
        let expected = fs::read_to_string(folder.join("expected.json")).unwrap();
        let expected: Vec<Frozen> = serde_json::from_str(&expected).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), expected.len() + 1);
        for Frozen { file, fingerprint, rows, predictions } in expected {
            let path = folder.join(&file);
            let bundle = ModelBundle::load(&path).unwrap();
            assert_eq!(bundle.predict_records(&rows).unwrap().to_vec(), predictions, "{file}");
            assert_eq!(bundle.fingerprint().to_string(), fingerprint, "{file}");
            assert_eq!(BundleInfo::read(&path).unwrap().fingerprint(), bundle.fingerprint());
            // The version that is written now gives the same bytes again.
            if version == FORMAT_VERSION {
                assert!(bundle.to_bytes() == fs::read(&path).unwrap(), "{file}");
            }
        }
    }
}
