use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Column, Table};

/// The least and the greatest number of each numeric column that a model was trained on, to see when what it is asked
/// later drifts away from it.
///
/// Missing values do not count; a column that has nothing else, or is not numeric, has no range. As JSON it is an object with
/// a list of both numbers for each column.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Table, TrainingRanges};
///
/// let schema = InputSchema::builder().numeric(["Area"]).build()?;
/// let table = Table::from_csv_reader("Area\n900\nNA\n1500\n".as_bytes(), &schema)?;
/// assert_eq!(TrainingRanges::of(&table).get("Area"), Some((900.0, 1500.0)));
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrainingRanges {
    ranges: BTreeMap<String, (f64, f64)>,
}

impl TrainingRanges {
    /// Finds the ranges of a table's columns; the target is none of them.
    #[must_use]
    pub fn of(table: &Table) -> Self {
        let range = |(name, column): (&str, &Column)| {
            let numbers = column.as_numeric()?.iter().copied().filter(|number| !number.is_nan());
            let range = numbers.fold(None, |range: Option<(f64, f64)>, number| {
                let (least, greatest) = range.unwrap_or((number, number));
                Some((least.min(number), greatest.max(number)))
            });
            Some((name.to_owned(), range?))
        };
        Self { ranges: table.columns().filter_map(range).collect() }
    }

    /// The least and the greatest number of a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<(f64, f64)> {
        self.ranges.get(column).copied()
    }

    /// All ranges, in code point order of the columns' names.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, (f64, f64))> {
        self.ranges.iter().map(|(column, range)| (column.as_str(), *range))
    }
}
