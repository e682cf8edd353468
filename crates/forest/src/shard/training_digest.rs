use sha2::{Digest, Sha256};

use crate::{RandomForestValidParams, training_set::TrainingSet};

/// Hashes all that a forest follows from: parameters, data as the trees see them, and the version of this crate. Not the number of threads.
pub(super) fn training_digest(params: &RandomForestValidParams, data: &TrainingSet) -> [u8; 32] {
    let params = RandomForestValidParams { n_threads: None, ..params.clone() };
    let (n_rows, n_features) = (data.x.n_rows(), data.x.n_features());
    let mut hash = Sha256::new();
    let version = env!("CARGO_PKG_VERSION");
    hash.update(format!("spinney-forest {version}\n{params:?}\n{n_rows} x {n_features}\n"));
    let mut bytes = Vec::new();
    for feature in 0..n_features {
        bytes.clear();
        for value in data.x.column(feature) {
            // One NaN is as good as another.
            let value = if value.is_nan() { f32::NAN } else { *value };
            bytes.extend(value.to_le_bytes());
        }
        hash.update(&bytes);
    }
    for values in [Some(&data.y), data.sample_weight.as_ref()] {
        bytes.clear();
        bytes.extend(values.into_iter().flatten().flat_map(|value| value.to_le_bytes()));
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    hash.finalize().into()
}
