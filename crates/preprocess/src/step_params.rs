use serde::{Deserialize, Serialize};

use crate::{Drop, Fill, ImputeStrategy, Level, StepKind, Unseen};

/// One step with what `fit` learned of it, as it stands in the JSON of
/// [`TransformParams`](crate::TransformParams).
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Fill, Impute, InputSchema, Preprocessor, StepParams, Table};
///
/// let schema = InputSchema::builder().numeric(["LotFrontage"]).build()?;
/// let train = Table::from_csv_reader("LotFrontage\n60\nNA\n80\n".as_bytes(), &schema)?;
/// let plan = Preprocessor::builder(&schema).impute("LotFrontage", Impute::Mean).build()?;
/// let fitted = plan.fit(&train)?;
/// let [StepParams::Impute { column, value, .. }] = fitted.params().steps() else { unreachable!() };
/// assert_eq!((column.as_str(), value), ("LotFrontage", &Fill::Number(70.0)));
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum StepParams {
    /// Appends `output = minuend - subtrahend`, missing if either is.
    Difference {
        /// The new column.
        output: String,
        /// Subtracted from.
        minuend: String,
        /// Subtracted.
        subtrahend: String,
    },
    /// Sets numbers below `min` to `min` and above `max` to `max`.
    Clip {
        /// The column.
        column: String,
        /// The lower end, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// The upper end, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Sets missing values to `value`.
    Impute {
        /// The column.
        column: String,
        /// How the value was chosen.
        strategy: ImputeStrategy,
        /// The value.
        value: Fill,
    },
    /// Replaces words by numbers.
    Ordinal {
        /// The column.
        column: String,
        /// The numbers.
        mapping: Vec<Level>,
        /// The number for missing and unseen words; without it they become missing numbers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<f64>,
    },
    /// Replaces a column by a block of features, one per category.
    OneHot {
        /// The column.
        column: String,
        /// Categories with a feature of their own, in code point order.
        categories: Vec<String>,
        /// Categories that share the last feature, in code point order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        infrequent: Vec<String>,
        /// Which feature is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drop: Option<Drop>,
        /// What a word in neither list becomes.
        unseen: Unseen,
    },
    /// Subtracts `mean` and divides by `scale`.
    StandardScale {
        /// The column.
        column: String,
        /// The mean in training.
        mean: f64,
        /// The standard deviation in training, 1 if there was none to speak of.
        scale: f64,
    },
    /// Maps `min` to 0 and `max` to 1.
    MinMaxScale {
        /// The column.
        column: String,
        /// The least value in training.
        min: f64,
        /// The greatest value in training.
        max: f64,
    },
    /// Makes no feature of the column.
    Drop {
        /// The column.
        column: String,
    },
}

impl StepParams {
    /// Returns which step it is.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Difference { .. } => StepKind::Difference,
            Self::Clip { .. } => StepKind::Clip,
            Self::Impute { .. } => StepKind::Impute,
            Self::Ordinal { .. } => StepKind::Ordinal,
            Self::OneHot { .. } => StepKind::OneHot,
            Self::StandardScale { .. } => StepKind::StandardScale,
            Self::MinMaxScale { .. } => StepKind::MinMaxScale,
            Self::Drop { .. } => StepKind::Drop,
        }
    }
}
