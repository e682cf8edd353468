use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::{FeatureSchema, TransformReport};

/// Dense features with the schema that made them.
///
/// Only a [`FittedPreprocessor`](crate::FittedPreprocessor) makes one, so raw rows cannot be taken
/// for features. Values are finite, or NaN where missing.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Preprocessor, Table};
///
/// let schema = InputSchema::builder().numeric(["Area"]).categorical(["Street"]).build()?;
/// let rows = Table::from_csv_reader("Street,Area\nPave,900\nGrvl,\n".as_bytes(), &schema)?;
/// let (_, x) = Preprocessor::builder(&schema).one_hot(["Street"]).build()?.fit_transform(&rows)?;
/// assert_eq!(x.schema().names(), ["Area", "Street_Grvl", "Street_Pave"]);
/// assert_eq!(x.view().row(0).to_vec(), [900.0, 0.0, 1.0]);
/// assert!(x.view()[[1, 0]].is_nan() && x.report().is_empty());
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FeatureMatrix {
    pub(crate) values: Array2<f64>,
    pub(crate) schema: Arc<FeatureSchema>,
    pub(crate) report: TransformReport,
}

impl FeatureMatrix {
    /// Returns the values, row-major, `n_rows × n_features`.
    #[must_use]
    pub fn view(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// Returns the number of rows: as many as the table had.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.values.nrows()
    }

    /// Returns the number of features.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.values.ncols()
    }

    /// Returns the names of the features, and the hash of how they were made.
    #[must_use]
    pub fn schema(&self) -> &Arc<FeatureSchema> {
        &self.schema
    }

    /// Returns what the rows held that training did not.
    #[must_use]
    pub fn report(&self) -> &TransformReport {
        &self.report
    }
}
