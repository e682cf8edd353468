use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The texts that mean "missing" in a CSV unless [`InputSchemaBuilder::missing_tokens`] says
/// otherwise: what pandas 3.1 takes for missing.
///
/// They apply to text formats only. In JSON a missing value is `null`, and the string `"None"` is a
/// category like any other.
pub const DEFAULT_MISSING_TOKENS: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// Words from an open list.
    Categorical,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
        })
    }
}

/// What a raw row must contain: named columns of a kind, in order, and perhaps a target.
///
/// The order of the columns is the order of the calls on the builder, whatever the order in a CSV:
/// it is the order of `df[features]` in pandas, and [`Preprocessor`](crate::Preprocessor) lays
/// features out by it.
///
/// Cheap to clone: clones share one allocation.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{ColumnKind, InputSchema};
///
/// let schema = InputSchema::builder()
///     .numeric(["GrLivArea", "YearBuilt"])
///     .categorical(["Neighborhood"])
///     .target("SalePrice")
///     .build()?;
/// assert_eq!(schema.columns().last(), Some(("Neighborhood", ColumnKind::Categorical)));
/// assert_eq!(schema.target(), Some("SalePrice"));
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSchema {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    columns: Vec<(String, ColumnKind)>,
    /// Where in `columns` each name stands.
    places: BTreeMap<String, usize>,
    target: Option<String>,
    missing_tokens: BTreeSet<String>,
}

impl InputSchema {
    /// Starts an empty schema with the [`DEFAULT_MISSING_TOKENS`].
    pub fn builder() -> InputSchemaBuilder {
        InputSchemaBuilder {
            columns: Vec::new(),
            target: None,
            missing_tokens: DEFAULT_MISSING_TOKENS.map(String::from).into(),
        }
    }

    /// Returns the feature columns in order.
    #[must_use]
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, ColumnKind)> {
        self.inner.columns.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// Returns the name of the column to be predicted.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.inner.target.as_deref()
    }

    /// Returns the texts that mean "missing" in a CSV, in code point order.
    #[must_use]
    pub fn missing_tokens(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inner.missing_tokens.iter().map(String::as_str)
    }

    /// The name of the column at a place.
    pub(crate) fn name(&self, place: usize) -> Option<&str> {
        self.inner.columns.get(place).map(|(name, _)| name.as_str())
    }

    /// Where a column stands in the order of [`columns`](Self::columns).
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.inner.places.get(name).copied()
    }

    pub(crate) fn is_missing_token(&self, text: &str) -> bool {
        self.inner.missing_tokens.contains(text)
    }

    /// Checks that a table read with `found` can be used here.
    pub(crate) fn expect_same(&self, found: &Self) -> Result<()> {
        if Arc::ptr_eq(&self.inner, &found.inner) || self.inner == found.inner {
            return Ok(());
        }
        let (expected, found) = self.first_difference(found);
        Err(Error::SchemaMismatch { expected, found })
    }

    fn first_difference(&self, other: &Self) -> (String, String) {
        let describe = |column: Option<&(String, ColumnKind)>| {
            column.map_or("no further column".to_owned(), |(name, kind)| {
                format!("{kind} column `{name}`")
            })
        };
        let n_columns = self.inner.columns.len().max(other.inner.columns.len());
        for i in 0..n_columns {
            let (ours, theirs) = (self.inner.columns.get(i), other.inner.columns.get(i));
            if ours != theirs {
                return (describe(ours), describe(theirs));
            }
        }
        if self.inner.target != other.inner.target {
            let describe = |target: Option<&str>| {
                target.map_or("no target".to_owned(), |name| format!("target `{name}`"))
            };
            return (describe(self.target()), describe(other.target()));
        }
        let describe = |schema: &Self| {
            format!("missing tokens {:?}", schema.missing_tokens().collect::<Vec<_>>())
        };
        (describe(self), describe(other))
    }
}

/// Collects the columns of an [`InputSchema`].
#[derive(Debug, Clone)]
#[must_use]
pub struct InputSchemaBuilder {
    columns: Vec<(String, ColumnKind)>,
    target: Option<String>,
    missing_tokens: BTreeSet<String>,
}

impl InputSchemaBuilder {
    /// Appends numeric columns.
    pub fn numeric<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.columns_of(ColumnKind::Numeric, names)
    }

    /// Appends categorical columns.
    pub fn categorical<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.columns_of(ColumnKind::Categorical, names)
    }

    /// Names the numeric column to be predicted. Input without it can still be read, for
    /// prediction.
    pub fn target(mut self, name: impl Into<String>) -> Self {
        self.target = Some(name.into());
        self
    }

    /// Replaces the texts that mean "missing" in a CSV, [`DEFAULT_MISSING_TOKENS`] at first.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Table};
    ///
    /// let schema = InputSchema::builder().categorical(["MasVnrType"]).missing_tokens(["NA"]).build()?;
    /// let table = Table::from_csv_reader("MasVnrType\nNone\nNA\n".as_bytes(), &schema)?;
    /// let column = table.column("MasVnrType").and_then(|column| column.as_categorical());
    /// assert_eq!(column.map(|column| column.iter().collect()), Some(vec![Some("None"), None]));
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn missing_tokens<S: Into<String>>(mut self, tokens: impl IntoIterator<Item = S>) -> Self {
        self.missing_tokens = tokens.into_iter().map(Into::into).collect();
        self
    }

    /// Checks the columns.
    ///
    /// # Errors
    ///
    /// [`Error::NoColumns`], [`Error::EmptyColumnName`], [`Error::DuplicateColumn`], or
    /// [`Error::TargetIsFeature`].
    pub fn build(self) -> Result<InputSchema> {
        let Self { columns, target, missing_tokens } = self;
        if columns.is_empty() {
            return Err(Error::NoColumns);
        }
        let mut places = BTreeMap::new();
        for (place, (name, _)) in columns.iter().enumerate() {
            if name.is_empty() {
                return Err(Error::EmptyColumnName);
            }
            if places.insert(name.clone(), place).is_some() {
                return Err(Error::DuplicateColumn { column: name.clone() });
            }
        }
        if let Some(target) = &target {
            if target.is_empty() {
                return Err(Error::EmptyColumnName);
            }
            if places.contains_key(target) {
                return Err(Error::TargetIsFeature { column: target.clone() });
            }
        }
        Ok(InputSchema { inner: Arc::new(Inner { columns, places, target, missing_tokens }) })
    }

    fn columns_of<S: Into<String>>(
        mut self,
        kind: ColumnKind,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.columns.extend(names.into_iter().map(|name| (name.into(), kind)));
        self
    }
}
