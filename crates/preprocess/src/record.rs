use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Value;

/// One raw row by column name: a JSON object.
///
/// Names that the schema does not know are ignored. Of a name given twice the last value counts, as
/// in Python.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{Record, Value};
///
/// let record: Record = serde_json::from_str(r#"{"GrLivArea": 1500, "Neighborhood": "NAmes"}"#)?;
/// assert_eq!(record.get("GrLivArea"), Some(&Value::Number(1500.0)));
/// assert_eq!(record, Record::from([("GrLivArea", 1500.into()), ("Neighborhood", "NAmes".into())]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Record {
    values: BTreeMap<String, Value>,
}

impl Record {
    /// Makes a record without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a column and returns what it held before.
    pub fn insert(&mut self, column: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.values.insert(column.into(), value.into())
    }

    /// Returns the value of a column. A missing value is `Some(&Value::Null)`, a missing column
    /// `None`.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.values.get(column)
    }

    /// Returns the columns in code point order of their names.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.values.iter().map(|(column, value)| (column.as_str(), value))
    }

    /// Returns the number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether there is no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<S: Into<String>> FromIterator<(S, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (S, Value)>>(columns: I) -> Self {
        let columns = columns.into_iter().map(|(column, value)| (column.into(), value));
        Self { values: columns.collect() }
    }
}

impl<S: Into<String>, const N: usize> From<[(S, Value); N]> for Record {
    fn from(columns: [(S, Value); N]) -> Self {
        columns.into_iter().collect()
    }
}
