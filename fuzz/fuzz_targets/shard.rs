//! Bytes as a shard of a forest, as they are and with the hash that belongs to them. What is read is written the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use spinney_forest::{ForestShard, RandomForest};

fuzz_target!(|bytes: &[u8]| {
    let sealed = [bytes, &Sha256::digest(bytes)].concat();
    for bytes in [bytes, &sealed] {
        let Ok(shard) = ForestShard::from_bytes(bytes) else { continue };
        assert_eq!(shard.to_bytes(), bytes);
        let is_whole = shard.trees() == (0..shard.n_estimators());
        assert_eq!(RandomForest::from_shards(vec![shard]).is_ok(), is_whole);
    }
});
