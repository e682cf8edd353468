//! What a fitted forest has learned: which features matter, and how.
//!
//! Named after scikit-learn's `sklearn.inspection`. Impurity-based importances are
//! [`RandomForest::feature_importances`](crate::RandomForest::feature_importances).

mod partial_dependence;
mod permutation_importance;
mod quadrature;
mod shap;

pub use partial_dependence::partial_dependence;
pub use permutation_importance::{PermutationImportance, permutation_importance};
pub use shap::{ShapValues, shap_values};
