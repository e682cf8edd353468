//! Text as an export of scikit-learn. Whatever is read makes a bundle that survives its file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spinney_artifact::{BundleMetadata, ModelBundle, ScikitLearnExport};

fuzz_target!(|json: &str| {
    let Ok(export) = ScikitLearnExport::from_json(json) else { return };
    let expected = export.forest().to_canonical_bytes();
    let Ok(bundle) = export.into_bundle(BundleMetadata::new("fuzz", "1")) else { return };
    let again = ModelBundle::from_bytes(&bundle.to_bytes()).expect("its own bytes");
    assert_eq!(again.forest().to_canonical_bytes(), expected);
});
