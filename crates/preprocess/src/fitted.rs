use std::collections::BTreeSet;
use std::sync::Arc;

use ndarray::Array2;

use crate::frame::Frame;
use crate::program::Program;
use crate::report::ColumnCount;
use crate::{
    FeatureMatrix, FeatureSchema, InputSchema, Result, Table, TransformParams, TransformReport,
};

/// A preprocessor that has learned: turns tables into features, each row by itself.
///
/// A batch gives the same bits as its rows one by one. Cheap enough to make at start-up, and shared
/// between threads as it is.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{FittedPreprocessor, InputSchema, Preprocessor, Table, TransformParams};
///
/// let schema = InputSchema::builder().numeric(["Area"]).build()?;
/// let train = Table::from_csv_reader("Area\n10\n20\n30\n".as_bytes(), &schema)?;
/// let plan = Preprocessor::builder(&schema).min_max_scale("Area").build()?;
/// let json = plan.fit(&train)?.params().to_json();
///
/// let fitted = FittedPreprocessor::from_params(TransformParams::from_json(&json)?)?;
/// let row = Table::from_csv_reader("Area\n15\n".as_bytes(), fitted.input_schema())?;
/// assert_eq!(fitted.transform(&row)?.view()[[0, 0]], 0.25);
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FittedPreprocessor {
    params: TransformParams,
    program: Program,
    features: Arc<FeatureSchema>,
    trained_with_missing: BTreeSet<String>,
}

impl FittedPreprocessor {
    /// Makes a preprocessor of what another one learned.
    ///
    /// # Errors
    ///
    /// Those of [`TransformParams::from_json`], which has found them before: params that exist are
    /// valid.
    pub fn from_params(params: TransformParams) -> Result<Self> {
        let program = Program::new(params.input_schema(), params.steps())?;
        Ok(Self::new(params, program))
    }

    pub(crate) fn new(params: TransformParams, program: Program) -> Self {
        let features = Arc::new(FeatureSchema::new(program.names.clone(), params.hash()));
        let trained_with_missing = params.trained_with_missing().iter().cloned().collect();
        Self { params, program, features, trained_with_missing }
    }

    /// Returns everything that was learned.
    #[must_use]
    pub fn params(&self) -> &TransformParams {
        &self.params
    }

    /// Returns what a raw row must contain: the schema to read tables with.
    #[must_use]
    pub fn input_schema(&self) -> &InputSchema {
        self.params.input_schema()
    }

    /// Returns the features that [`transform`](Self::transform) makes.
    #[must_use]
    pub fn feature_schema(&self) -> &Arc<FeatureSchema> {
        &self.features
    }

    /// Turns rows into features. A table without rows gives a matrix without rows.
    ///
    /// Missing values that no step fills stay NaN. They and unseen categories are no errors: the
    /// [`report`](FeatureMatrix::report) counts them.
    ///
    /// # Errors
    ///
    /// [`Error::SchemaMismatch`](crate::Error::SchemaMismatch) if the table was read with another
    /// schema, [`Error::InfiniteResult`](crate::Error::InfiniteResult) if numbers are so large that
    /// a step made infinity of them.
    pub fn transform(&self, table: &Table) -> Result<FeatureMatrix> {
        self.input_schema().expect_same(table.schema())?;
        let mut frame = Frame::new(table);
        let unseen = self.program.run(&mut frame)?;
        Ok(self.matrix(&frame, unseen))
    }

    /// Lays out the columns that the steps have left as features.
    pub(crate) fn matrix(
        &self,
        frame: &Frame<'_>,
        unseen_categories: Vec<ColumnCount>,
    ) -> FeatureMatrix {
        let Program { plain, blocks, names, .. } = &self.program;
        let mut values = Array2::zeros((frame.table.n_rows(), names.len()));
        let mut untrained_missing = Vec::new();

        let features = values.columns_mut().into_iter().zip(names).zip(plain);
        for ((mut feature, name), &place) in features {
            let numbers = frame.numbers(place);
            if !self.trained_with_missing.contains(name) {
                let missing = numbers.iter().map(|number| number.is_nan());
                untrained_missing.extend(ColumnCount::new(name, missing));
            }
            feature.iter_mut().zip(numbers).for_each(|(value, number)| *value = *number);
        }
        let mut offset = plain.len();
        for &(place, width) in blocks {
            for (row, slot) in frame.slots(place).iter().enumerate() {
                let feature = slot.feature.map(|feature| offset + feature);
                if let Some(value) = feature.and_then(|feature| values.get_mut([row, feature])) {
                    *value = 1.0;
                }
            }
            offset += width;
        }
        let report = TransformReport { unseen_categories, untrained_missing };
        FeatureMatrix { values, schema: Arc::clone(&self.features), report }
    }
}
