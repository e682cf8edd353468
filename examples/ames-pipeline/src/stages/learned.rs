//! What one step has learned for others: `xform_params`.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use spinney_artifact::Fingerprint;
use spinney_preprocess::{FittedPreprocessor, Table, TrainingRanges, TransformParams};

use super::rows;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Learned {
    pub(super) transform_params: TransformParams,
    /// What requests are compared with later.
    pub(super) training_ranges: TrainingRanges,
    /// The file of raw rows that all this was learned from.
    pub(super) training_data: TrainingData,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainingData {
    pub(super) fingerprint: Fingerprint,
    pub(super) rows: u64,
}

impl Learned {
    pub(super) fn new(
        transformer: &FittedPreprocessor,
        file: &Path,
        table: &Table,
    ) -> Result<Self> {
        let contents = fs::read(file).with_context(|| format!("{}", file.display()))?;
        Ok(Self {
            transform_params: transformer.params().clone(),
            training_ranges: TrainingRanges::of(table),
            training_data: TrainingData {
                fingerprint: Fingerprint::of(&contents),
                rows: table.n_rows() as u64,
            },
        })
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("could not read {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}: not what a prep step has learned", path.display()))
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        rows::write_text(path, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    pub(super) fn transformer(&self) -> Result<FittedPreprocessor> {
        Ok(FittedPreprocessor::from_params(self.transform_params.clone())?)
    }
}
