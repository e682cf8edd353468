use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, StepKind};

/// Numbers for the words of a categorical column.
///
/// A word that is not listed is unseen: it is counted in the
/// [`TransformReport`](crate::TransformReport), and becomes what a missing value becomes. That is
/// NaN unless [`missing`](Self::missing) or [`missing_value`](Self::missing_value) says otherwise.
/// In pandas: `column.map(mapping).fillna(missing)`.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::Ordinal;
///
/// let quality = Ordinal::levels(["Po", "Fa", "TA", "Gd", "Ex"]).missing("TA");
/// let same = Ordinal::mapping([("Po", 1.0), ("Fa", 2.0), ("TA", 3.0), ("Gd", 4.0), ("Ex", 5.0)])
///     .missing_value(3.0);
/// # let _ = (quality, same);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Ordinal {
    mapping: Vec<Level>,
    missing: Option<Missing>,
}

/// A category and its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The category.
    pub category: String,
    /// Its number.
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Missing {
    Like(String),
    Value(f64),
}

impl Ordinal {
    /// Numbers categories from 1 upwards, in the given order.
    pub fn levels<S: Into<String>>(worst_to_best: impl IntoIterator<Item = S>) -> Self {
        let value = std::iter::successors(Some(1.0), |value| Some(value + 1.0));
        Self::mapping(worst_to_best.into_iter().zip(value))
    }

    /// Gives each category a number. Two categories may share one.
    pub fn mapping<S: Into<String>>(levels: impl IntoIterator<Item = (S, f64)>) -> Self {
        let level = |(category, value): (S, f64)| Level { category: category.into(), value };
        Self { mapping: levels.into_iter().map(level).collect(), missing: None }
    }

    /// Treats missing and unseen values like the given category.
    pub fn missing(self, category: impl Into<String>) -> Self {
        Self { missing: Some(Missing::Like(category.into())), ..self }
    }

    /// Gives missing and unseen values a number of their own.
    pub fn missing_value(self, value: f64) -> Self {
        Self { missing: Some(Missing::Value(value)), ..self }
    }

    /// Returns the levels and the number for missing values.
    pub(crate) fn resolve(&self, column: &str) -> Result<(&[Level], Option<f64>)> {
        let missing = match &self.missing {
            None => None,
            Some(Missing::Value(value)) => Some(*value),
            Some(Missing::Like(category)) => {
                let level = self.mapping.iter().find(|level| level.category == *category);
                let level = level.ok_or_else(|| Error::UnknownCategory {
                    step: StepKind::Ordinal,
                    column: column.to_owned(),
                    category: category.clone(),
                })?;
                Some(level.value)
            }
        };
        check(column, &self.mapping, missing)?;
        Ok((&self.mapping, missing))
    }
}

pub(crate) fn check(column: &str, mapping: &[Level], missing: Option<f64>) -> Result<()> {
    let step = StepKind::Ordinal;
    if mapping.is_empty() {
        return Err(Error::NoCategories { step, column: column.to_owned() });
    }
    let mut seen = BTreeSet::new();
    if let Some(level) = mapping.iter().find(|level| !seen.insert(&level.category)) {
        let category = level.category.clone();
        return Err(Error::DuplicateCategory { step, column: column.to_owned(), category });
    }
    let values = mapping.iter().map(|level| ("value", level.value));
    let mut values = values.chain(missing.map(|value| ("missing", value)));
    match values.find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((option, value)) => {
            Err(Error::InvalidNumber { step, column: column.to_owned(), option, value })
        }
    }
}
