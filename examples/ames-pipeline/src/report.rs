use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;
use spinney_preprocess::TransformParams;

/// What `--report` writes.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) rows_train: usize,
    pub(crate) rows_test: usize,
    pub(crate) transform_params: &'a TransformParams,
    pub(crate) feature_names: &'a [String],
    pub(crate) metrics: Metrics,
    pub(crate) oob_r2: f64,
    /// In the order of the test rows.
    pub(crate) predictions_test: Vec<f64>,
    pub(crate) timings_ms: BTreeMap<&'static str, f64>,
    pub(crate) bundle: BundleFile,
    pub(crate) endpoint_answer: Value,
}

#[derive(Serialize)]
pub(crate) struct Metrics {
    pub(crate) r2: f64,
    pub(crate) mae: f64,
    pub(crate) rmse: f64,
}

#[derive(Serialize)]
pub(crate) struct BundleFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) fingerprint: String,
}

impl Report<'_> {
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        fs::write(path, json + "\n").with_context(|| format!("could not write {}", path.display()))
    }
}
