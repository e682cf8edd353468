//! Bytes as a bundle, as they are and with the checksum that belongs to them: without it nothing would get past the first
//! check. Whatever loads must predict, and be the same when written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use spinney_artifact::ModelBundle;
use spinney_preprocess::Table;

fuzz_target!(|bytes: &[u8]| {
    let sealed = [bytes, Sha256::digest(bytes).as_slice()].concat();
    for bytes in [bytes, &sealed] {
        let Ok(bundle) = ModelBundle::from_bytes(bytes) else { continue };
        let again = ModelBundle::from_bytes(&bundle.to_bytes()).expect("its own bytes");
        assert_eq!(again.forest().to_canonical_bytes(), bundle.forest().to_canonical_bytes());
        let none = Table::from_records(&[], bundle.input_schema()).expect("no rows");
        assert!(bundle.predict(&none).expect("no rows").is_empty());
    }
});
