//! Bytes as a bundle, as they are and with the lengths and hashes that belong to them: without those nothing would get past
//! the first checks. Whatever loads must predict, and be the same when written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use spinney_artifact::{FORMAT_VERSION, Limits, MAGIC, ModelBundle};
use spinney_preprocess::Table;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default().max_nodes(100_000);
    for bytes in [Some(bytes.to_vec()), sealed(bytes)].into_iter().flatten() {
        let Ok(bundle) = ModelBundle::from_bytes_with(&bytes, &limits) else { continue };
        let again = ModelBundle::from_bytes(&bundle.to_bytes()).expect("its own bytes");
        assert_eq!(again.forest().to_canonical_bytes(), bundle.forest().to_canonical_bytes());
        let none = Table::from_records(&[], bundle.input_schema()).expect("no rows");
        assert!(bundle.predict(&none).expect("no rows").is_empty());
    }
});

/// What is taken for header and sections, if it is JSON, with everything around them in order.
fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = MAGIC.len() + 12;
    let header_len = u64::from_le_bytes(bytes.get(start - 8..start)?.try_into().ok()?);
    let end = start.checked_add(usize::try_from(header_len).ok()?)?;
    let mut header: Map<String, Value> = serde_json::from_slice(bytes.get(start..end)?).ok()?;
    let sections = bytes.get(end + 32..)?;
    let claimed = header.get("sections").and_then(|sections| sections[0]["bytes"].as_u64());
    let claimed = claimed.unwrap_or(u64::MAX);
    let forest_len = usize::try_from(claimed).unwrap_or(usize::MAX).min(sections.len());
    let (forest, statistics) = sections.split_at(forest_len);
    let sections_of_header =
        [("forest", forest), ("statistics", statistics)].map(|(name, contents)| {
            let sha256: String =
                Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"name": name, "bytes": contents.len(), "sha256": sha256})
        });
    header.insert("sections".to_owned(), sections_of_header.to_vec().into());
    let header = serde_json::to_vec_pretty(&header).ok()?;
    let len = (header.len() as u64).to_le_bytes();
    let mut sealed = [&MAGIC[..], &FORMAT_VERSION.to_le_bytes(), &len, &header].concat();
    let digest = Sha256::digest(&sealed);
    sealed.extend(digest);
    sealed.extend(sections);
    Some(sealed)
}
