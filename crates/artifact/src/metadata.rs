use std::{collections::BTreeMap, fmt::Display};

use serde::{Deserialize, Serialize};
use spinney_preprocess::{SchemaHash, TrainingRanges};

use crate::{Error, Result};

/// What a bundle says about itself, for people and for registries.
///
/// # Examples
///
/// ```
/// use spinney_artifact::BundleMetadata;
///
/// let metadata = BundleMetadata::new("ames-housing", "3")
///     .created("2026-11-23T09:00:00Z")
///     .metric("r2", 0.84)
///     .training_data("sha256:52a8d1…", 2344)
///     .parameter("n_estimators", 100)
///     .library("spinney-forest", "0.1.0");
/// assert_eq!(metadata.metrics()["r2"], 0.84);
/// assert_eq!(metadata.provenance().parameters()["n_estimators"], "100");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleMetadata {
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature_schema: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training_ranges: Option<TrainingRanges>,
    metrics: BTreeMap<String, f64>,
    provenance: Provenance,
}

/// Where a model comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<TrainingData>,
    parameters: BTreeMap<String, String>,
    libraries: BTreeMap<String, String>,
    facts: BTreeMap<String, String>,
}

/// The data that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    fingerprint: String,
    rows: u64,
}

impl TrainingData {
    /// What identifies the data: the SHA-256 of a file, say.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Rows that the model was trained on.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl Provenance {
    /// The data, if it was named.
    #[must_use]
    pub fn data(&self) -> Option<&TrainingData> {
        self.data.as_ref()
    }

    /// Parameters of the training by name.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// Versions of libraries by name.
    #[must_use]
    pub fn libraries(&self) -> &BTreeMap<String, String> {
        &self.libraries
    }

    /// Other facts by name.
    #[must_use]
    pub fn facts(&self) -> &BTreeMap<String, String> {
        &self.facts
    }
}

impl BundleMetadata {
    /// Starts the description of a model with its name and version, as it will be registered.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            created: None,
            feature_schema: None,
            training_ranges: None,
            metrics: BTreeMap::new(),
            provenance: Provenance::default(),
        }
    }

    /// Adds the time of creation. It is the caller's to give: without it, the same training gives the same bytes.
    #[must_use]
    pub fn created(mut self, created: impl Into<String>) -> Self {
        self.created = Some(created.into());
        self
    }

    /// Adds a metric. It has to be finite, which [`ModelBundle::new`](crate::ModelBundle::new) checks.
    #[must_use]
    pub fn metric(mut self, name: impl Into<String>, value: f64) -> Self {
        self.metrics.insert(name.into(), value);
        self
    }

    /// Says which features the forest was fitted on, by the hash of their schema. [`ModelBundle::new`](crate::ModelBundle::new)
    /// then refuses a transformer that makes others, even if they are as many.
    #[must_use]
    pub fn feature_schema(mut self, hash: SchemaHash) -> Self {
        self.feature_schema = Some(hash.to_string());
        self
    }

    /// Adds the ranges of the columns that the model was trained on, which a server compares requests with.
    #[must_use]
    pub fn training_ranges(mut self, ranges: TrainingRanges) -> Self {
        self.training_ranges = Some(ranges);
        self
    }

    /// Names the data of the training: what identifies it, the SHA-256 of a file, say, and its number of rows.
    #[must_use]
    pub fn training_data(mut self, fingerprint: impl Display, rows: u64) -> Self {
        self.provenance.data = Some(TrainingData { fingerprint: fingerprint.to_string(), rows });
        self
    }

    /// Adds a parameter of the training.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.provenance.parameters.insert(name.into(), value.to_string());
        self
    }

    /// Adds the version of a library that the model was made with.
    #[must_use]
    pub fn library(mut self, name: impl Into<String>, version: impl Display) -> Self {
        self.provenance.libraries.insert(name.into(), version.to_string());
        self
    }

    /// Adds any other fact about the training.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.provenance.facts.insert(name.into(), value.to_string());
        self
    }

    /// Name of the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version of the model.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Time of creation, if one was given.
    #[must_use]
    pub fn created_at(&self) -> Option<&str> {
        self.created.as_deref()
    }

    /// The ranges of the columns in training, if they were given.
    #[must_use]
    pub fn ranges(&self) -> Option<&TrainingRanges> {
        self.training_ranges.as_ref()
    }

    /// Metrics by name.
    #[must_use]
    pub fn metrics(&self) -> &BTreeMap<String, f64> {
        &self.metrics
    }

    /// Where the model comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    pub(crate) fn check(&self, feature_schema: SchemaHash) -> Result<()> {
        if self.feature_schema.as_ref().is_some_and(|hash| *hash != feature_schema.to_string()) {
            return Err(Error::SchemaMismatch);
        }
        let ranges = self.training_ranges.iter().flat_map(TrainingRanges::iter);
        for (column, (least, greatest)) in ranges {
            if !least.is_finite() || !greatest.is_finite() || least > greatest {
                return Err(Error::InvalidRange { column: column.to_owned(), least, greatest });
            }
        }
        match self.metrics.iter().find(|(_, value)| !value.is_finite()) {
            Some((name, &value)) => Err(Error::InvalidMetric { name: name.clone(), value }),
            None => Ok(()),
        }
    }
}
