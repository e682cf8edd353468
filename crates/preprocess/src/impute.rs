use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use spinney_numpy_random::pairwise_sum;

use crate::{ColumnKind, Error, Result, StepKind};

/// What to put where a value is missing.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Fill, Impute};
///
/// assert_eq!(Impute::constant(0.0), Impute::Constant(Fill::Number(0.0)));
/// assert_eq!(Impute::constant("None"), Impute::Constant(Fill::Category("None".to_owned())));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Impute {
    /// The mean of the values present; numeric columns only. Summed as pandas does, so equal to
    /// `Series.mean()` bit for bit.
    Mean,
    /// The median of the values present, the mean of the middle two if they are even in number;
    /// numeric columns only.
    Median,
    /// The value present most often; of several the smallest, or the first in code point order.
    /// pandas: `mode()[0]`.
    MostFrequent,
    /// A given value of the column's kind.
    Constant(Fill),
}

/// A value that fills gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fill {
    /// For a numeric column.
    Number(f64),
    /// For a categorical column.
    Category(String),
}

/// How a [`Fill`] was chosen: [`Impute`] without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImputeStrategy {
    /// [`Impute::Mean`]
    Mean,
    /// [`Impute::Median`]
    Median,
    /// [`Impute::MostFrequent`]
    MostFrequent,
    /// [`Impute::Constant`]
    Constant,
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => value.fmt(f),
            Self::Category(category) => category.fmt(f),
        }
    }
}

/// scikit-learn's name of the strategy, as it stands in the JSON.
impl fmt::Display for ImputeStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Median => "median",
            Self::MostFrequent => "most_frequent",
            Self::Constant => "constant",
        })
    }
}

impl Impute {
    /// Fills with `value`.
    pub fn constant(value: impl Into<Fill>) -> Self {
        Self::Constant(value.into())
    }

    pub(crate) fn strategy(&self) -> ImputeStrategy {
        match self {
            Self::Mean => ImputeStrategy::Mean,
            Self::Median => ImputeStrategy::Median,
            Self::MostFrequent => ImputeStrategy::MostFrequent,
            Self::Constant(_) => ImputeStrategy::Constant,
        }
    }

    pub(crate) fn check(&self, column: &str, kind: ColumnKind) -> Result<()> {
        self.strategy().check(column, kind)?;
        match self {
            Self::Constant(fill) => fill.check(column, kind),
            Self::Mean | Self::Median | Self::MostFrequent => Ok(()),
        }
    }
}

impl ImputeStrategy {
    /// Checks that a column of `kind` has such a value.
    pub(crate) fn check(self, column: &str, kind: ColumnKind) -> Result<()> {
        match (self, kind) {
            (Self::Mean | Self::Median, ColumnKind::Categorical) => Err(Error::WrongColumnKind {
                step: StepKind::Impute,
                column: column.to_owned(),
                expected: ColumnKind::Numeric,
            }),
            _ => Ok(()),
        }
    }
}

impl Fill {
    /// Checks that a column of `kind` can hold the value.
    pub(crate) fn check(&self, column: &str, kind: ColumnKind) -> Result<()> {
        let (step, column) = (StepKind::Impute, column.to_owned());
        match (self, kind) {
            (Self::Number(value), ColumnKind::Numeric) if value.is_finite() => Ok(()),
            (&Self::Number(value), ColumnKind::Numeric) => {
                Err(Error::InvalidNumber { step, column, option: "value", value })
            }
            (Self::Category(_), ColumnKind::Categorical) => Ok(()),
            (Self::Number(_), ColumnKind::Categorical)
            | (Self::Category(_), ColumnKind::Numeric) => {
                Err(Error::WrongFill { step, column, expected: kind })
            }
        }
    }
}

impl From<f64> for Fill {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Fill {
    fn from(value: &str) -> Self {
        Self::Category(value.to_owned())
    }
}

impl From<String> for Fill {
    fn from(value: String) -> Self {
        Self::Category(value)
    }
}

/// The mean of the values that are not NaN; `None` if all are.
///
/// pandas adds up all `n` values with zeros in the gaps, which decides how numpy pairs them.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    let present = values.iter().filter(|value| !value.is_nan()).count();
    (present > 0).then(|| pairwise_sum(&gaps_as_zero(values)) / present as f64)
}

/// The median of the values that are not NaN; `None` if all are.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut present = present(values);
    present.sort_by(f64::total_cmp);
    let upper = *present.get(present.len() / 2)?;
    let lower = *present.get((present.len() - 1) / 2)?;
    Some(0.0 + lower.midpoint(upper)) // numpy's mean of the two has no -0.0 either
}

/// The most frequent of the values that are not NaN, of several the smallest; `None` if all are
/// NaN.
pub(crate) fn most_frequent_number(values: &[f64]) -> Option<f64> {
    // Adding zero makes -0.0 and 0.0 one value; the sort keeps the first seen in front.
    let order = |a: &f64, b: &f64| (a + 0.0).total_cmp(&(b + 0.0));
    let mut present = present(values);
    present.sort_by(order);
    let runs = present.chunk_by(|a, b| order(a, b).is_eq());
    runs.rev().max_by_key(|run| run.len())?.first().copied()
}

/// The most frequent word, of several the first in code point order; `None` without words.
pub(crate) fn most_frequent_word(counts: &BTreeMap<&str, usize>) -> Option<String> {
    counts.iter().rev().max_by_key(|&(_, count)| count).map(|(word, _)| (*word).to_owned())
}

pub(crate) fn gaps_as_zero(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect()
}

fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| !value.is_nan()).collect()
}
