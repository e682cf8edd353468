//! What holds for any forest: the file, the memory, batches and single rows agree.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod model;

use proptest::prelude::*;
use spinney_artifact::{BundleMetadata, Error, Fingerprint, ModelBundle};
use spinney_preprocess::{Preprocessor, Record, Table};

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn public_types_can_cross_threads() {
    assert_send_sync::<ModelBundle>();
    assert_send_sync::<BundleMetadata>();
    assert_send_sync::<Error>();
    assert_send_sync::<Fingerprint>();
}

#[test]
fn features_of_another_transformer_are_refused() {
    let (bundle, table) = (model::bundle(7), model::table());
    let plan = Preprocessor::builder(table.schema()).drop(["style"]).build().unwrap();
    let (_, features) = plan.fit_transform(&table).unwrap();
    assert!(matches!(bundle.predict_features(&features), Err(Error::SchemaMismatch)));
    let reloaded = ModelBundle::from_bytes(&bundle.to_bytes()).unwrap();
    let features = bundle.transform(&table).unwrap();
    assert!(reloaded.predict_features(&features).is_ok());
}

fn record() -> impl Strategy<Value = Record> {
    let number = || prop::option::of(-1e6..1e6);
    let style = prop::option::of(prop_oneof![Just("flat"), Just("house"), Just("castle")]);
    (number(), number(), number(), style).prop_map(|(area, built, sold, style)| {
        let json = serde_json::json!({"area": area, "built": built, "sold": sold, "style": style});
        serde_json::from_value(json).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_forest_survives_the_file(seed: u32, records in prop::collection::vec(record(), 0..20)) {
        let bundle = model::bundle(seed);
        let reloaded = ModelBundle::from_bytes(&bundle.to_bytes()).unwrap();
        let expected = bundle.predict_records(&records).unwrap();
        prop_assert_eq!(&reloaded.predict_records(&records).unwrap(), &expected);
        for (record, expected) in records.into_iter().zip(expected) {
            let single = bundle.predict_records(&[record]).unwrap();
            prop_assert_eq!(single[0].to_bits(), expected.to_bits());
        }
    }

    /// Forests of any shape, weights and targets, over schemas of any width.
    #[test]
    fn any_kind_of_forest_survives_the_file(
        (n_rows, n_features) in (1_usize..60, 1_usize..300),
        kind in 0..6,
        seed: u32,
    ) {
        let bundle = model::random(n_rows, n_features, kind, seed);
        let bytes = bundle.to_bytes();
        let reloaded = ModelBundle::from_bytes(&bytes).unwrap();
        let canonical = |bundle: &ModelBundle| bundle.forest().to_canonical_bytes();
        prop_assert!(canonical(&reloaded) == canonical(&bundle));
        prop_assert_eq!(reloaded.forest(), bundle.forest());
        prop_assert!(reloaded.to_bytes() == bytes);
    }

    #[test]
    fn fingerprints_survive_their_text(bytes: [u8; 32]) {
        let fingerprint = Fingerprint::from_bytes(bytes);
        prop_assert_eq!(fingerprint.to_string().parse::<Fingerprint>().unwrap(), fingerprint);
    }
}

#[test]
fn no_rows_give_no_predictions() {
    let bundle = model::bundle(7);
    let table = Table::from_records(&[], bundle.input_schema()).unwrap();
    assert!(bundle.predict(&table).unwrap().is_empty());
}
