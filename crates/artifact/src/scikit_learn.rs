use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use spinney_forest::{Node, RandomForest, Split};
use spinney_preprocess::{FittedPreprocessor, TransformParams};

use crate::{BundleMetadata, Error, ModelBundle, Result};

/// A forest that scikit-learn fitted, as `python/export_scikit_learn.py` of this crate writes it.
///
/// The file is JSON: `format` ("spinney scikit-learn export"), `version` (1), `scikit_learn` (its version), `estimator`,
/// `parameters` (by name, as text), `n_features`, `feature_names` (or null), `transform_params` (those of the workshop's
/// dictionary in the form of [`TransformParams`], or null) and `trees`. A tree holds scikit-learn's arrays by their names,
/// one entry a node: `children_left`, `children_right` (-1 in leaves), `feature`, `threshold` (null for infinity),
/// `missing_go_to_left`, `value`, `impurity`, `n_node_samples`, `weighted_n_node_samples`. Numbers keep all their bits.
///
/// # Examples
///
/// ```
/// use spinney_artifact::{BundleMetadata, ScikitLearnExport};
///
/// let json = r#"{
///     "format": "spinney scikit-learn export", "version": 1, "scikit_learn": "1.9.1",
///     "estimator": "RandomForestRegressor", "parameters": {"n_estimators": "1"},
///     "n_features": 1, "feature_names": ["area"], "transform_params": null,
///     "trees": [{
///         "children_left": [1, -1, -1], "children_right": [2, -1, -1], "feature": [0, -2, -2],
///         "threshold": [70.5, -2.0, -2.0], "missing_go_to_left": [true, false, false],
///         "value": [150.0, 100.0, 200.0], "impurity": [2500.0, 0.0, 0.0],
///         "n_node_samples": [2, 1, 1], "weighted_n_node_samples": [2.0, 1.0, 1.0]
///     }]
/// }"#;
/// let export = ScikitLearnExport::from_json(json)?;
/// assert_eq!(export.forest().trees()[0].predict_row(&[80.0]), 200.0);
/// let bundle = export.into_bundle(BundleMetadata::new("prices", "1"))?;
/// assert_eq!(bundle.metadata().provenance().libraries()["scikit-learn"], "1.9.1");
/// # Ok::<(), spinney_artifact::Error>(())
/// ```
#[derive(Debug)]
pub struct ScikitLearnExport {
    scikit_learn: String,
    parameters: BTreeMap<String, String>,
    feature_names: Vec<String>,
    transform_params: Option<TransformParams>,
    forest: RandomForest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    version: u64,
    scikit_learn: String,
    #[expect(dead_code, reason = "part of the file, for people")]
    estimator: String,
    parameters: BTreeMap<String, String>,
    n_features: usize,
    feature_names: Option<Vec<String>>,
    transform_params: Option<TransformParams>,
    trees: Vec<WireTree>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTree {
    children_left: Vec<i64>,
    children_right: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<Option<f64>>,
    missing_go_to_left: Vec<bool>,
    value: Vec<f64>,
    impurity: Vec<f64>,
    n_node_samples: Vec<u32>,
    weighted_n_node_samples: Vec<f64>,
}

const FORMAT: &str = "spinney scikit-learn export";
const VERSION: u64 = 1;

impl ScikitLearnExport {
    /// Reads and checks an export.
    ///
    /// # Errors
    ///
    /// [`Error::Import`] if the text is not an export or its trees do not fit together, [`Error::Forest`] as for
    /// [`RandomForest::from_trees`].
    pub fn from_json(json: &str) -> Result<Self> {
        let wire: Wire = serde_json::from_str(json).map_err(|error| import(&error.to_string()))?;
        if wire.format != FORMAT || wire.version != VERSION {
            return Err(import(&format!(
                "it is `{}` version {}, not `{FORMAT}` version {VERSION}",
                wire.format, wire.version
            )));
        }
        let feature_names = wire
            .feature_names
            .unwrap_or_else(|| (0..wire.n_features).map(|feature| format!("x{feature}")).collect());
        if feature_names.len() != wire.n_features {
            let (names, features) = (feature_names.len(), wire.n_features);
            return Err(import(&format!("{names} names for {features} features")));
        }
        let trees: Result<Vec<Vec<Node>>> =
            wire.trees.iter().enumerate().map(|(number, tree)| tree.nodes(number)).collect();
        Ok(Self {
            scikit_learn: wire.scikit_learn,
            parameters: wire.parameters,
            feature_names,
            transform_params: wire.transform_params,
            forest: RandomForest::from_nodes(trees?, wire.n_features)?,
        })
    }

    /// The forest.
    #[must_use]
    pub fn forest(&self) -> &RandomForest {
        &self.forest
    }

    /// Names of the features: those of the data frame that was fitted, or x0, x1, ...
    #[must_use]
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Makes a bundle; parameters and the version of scikit-learn go into the provenance.
    ///
    /// Without transform parameters in the export the features are the input: numeric columns of their names.
    ///
    /// # Errors
    ///
    /// [`Error::Import`] if the transform parameters make other features than the forest was fitted on, otherwise as for
    /// [`ModelBundle::new`].
    pub fn into_bundle(self, metadata: BundleMetadata) -> Result<ModelBundle> {
        let params = match self.transform_params {
            Some(params) => params,
            None => passthrough(&self.feature_names)?,
        };
        if params.features() != self.feature_names {
            return Err(import(
                "the transform parameters make other features, or in another order",
            ));
        }
        let metadata = self
            .parameters
            .into_iter()
            .fold(metadata, |metadata, (name, value)| metadata.parameter(name, value))
            .library("scikit-learn", self.scikit_learn);
        ModelBundle::new(FittedPreprocessor::from_params(params)?, self.forest, metadata)
    }
}

/// Numeric columns that are their own features.
fn passthrough(names: &[String]) -> Result<TransformParams> {
    let columns: Vec<_> =
        names.iter().map(|name| json!({"name": name, "kind": "numeric"})).collect();
    let params = json!({
        "version": 1,
        "input": {"columns": columns, "missing_tokens": [""]},
        "steps": [],
        "features": names,
        "trained_with_missing": names,
    });
    Ok(TransformParams::from_json(&params.to_string())?)
}

impl WireTree {
    fn nodes(&self, number: usize) -> Result<Vec<Node>> {
        let n_nodes = self.children_left.len();
        let lengths = [
            self.children_right.len(),
            self.feature.len(),
            self.threshold.len(),
            self.missing_go_to_left.len(),
            self.value.len(),
            self.impurity.len(),
            self.n_node_samples.len(),
            self.weighted_n_node_samples.len(),
        ];
        if lengths.iter().any(|&len| len != n_nodes) {
            return Err(import(&format!("the arrays of tree {number} differ in length")));
        }
        (0..n_nodes).map(|id| self.node(number, id)).collect()
    }

    fn node(&self, number: usize, id: usize) -> Result<Node> {
        let whole = |value: i64, what: &str| {
            u32::try_from(value)
                .map_err(|_| import(&format!("node {id} of tree {number} has {what} {value}")))
        };
        let split = if self.children_left[id] == -1 && self.children_right[id] == -1 {
            None
        } else {
            Some(Split {
                feature: whole(self.feature[id], "feature")?,
                threshold: self.threshold[id].unwrap_or(f64::INFINITY),
                missing_go_to_left: self.missing_go_to_left[id],
                left: whole(self.children_left[id], "left child")?,
                right: whole(self.children_right[id], "right child")?,
            })
        };
        Ok(Node {
            split,
            value: self.value[id],
            impurity: self.impurity[id],
            n_node_samples: self.n_node_samples[id],
            weighted_n_node_samples: self.weighted_n_node_samples[id],
        })
    }
}

fn import(problem: &str) -> Error {
    Error::Import { problem: problem.to_owned() }
}
