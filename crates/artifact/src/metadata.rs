use std::{collections::BTreeMap, fmt::Display};

use serde::{Deserialize, Serialize};

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
///     .training("random_state", "123");
/// assert_eq!(metadata.metrics()["r2"], 0.84);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleMetadata {
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    metrics: BTreeMap<String, f64>,
    training: BTreeMap<String, String>,
}

impl BundleMetadata {
    /// Starts the description of a model with its name and version, as it will be registered.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            created: None,
            metrics: BTreeMap::new(),
            training: BTreeMap::new(),
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

    /// Adds a fact about the training: a parameter, a number of rows, where the data came from.
    #[must_use]
    pub fn training(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.training.insert(name.into(), value.to_string());
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

    /// Metrics by name.
    #[must_use]
    pub fn metrics(&self) -> &BTreeMap<String, f64> {
        &self.metrics
    }

    /// Facts about the training by name.
    #[must_use]
    pub fn training_facts(&self) -> &BTreeMap<String, String> {
        &self.training
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.metrics.iter().find(|(_, value)| !value.is_finite()) {
            Some((name, &value)) => Err(Error::InvalidMetric { name: name.clone(), value }),
            None => Ok(()),
        }
    }
}
