use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where in the input a row came from: the file and line if it was CSV, and the row, counted from
/// 0.
///
/// Rows are counted without the header. In a table made by [`Table::take`](crate::Table::take) the
/// row is the place in that table, the line still the one in the file.
///
/// Displayed as `ames.csv: line 3, row 1`, as far as known.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Table};
///
/// let schema = InputSchema::builder().numeric(["Area"]).build()?;
/// let table = Table::from_csv_reader("Area\n900\n1200\n".as_bytes(), &schema)?;
/// assert_eq!(table.position(1).to_string(), "line 3, row 1");
/// assert_eq!(table.take(&[1])?.position(0).to_string(), "line 3, row 0");
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    path: Option<Arc<Path>>,
    line: Option<u64>,
    row: usize,
}

impl Position {
    pub(crate) fn new(path: Option<Arc<Path>>, line: Option<u64>, row: usize) -> Self {
        Self { path, line, row }
    }

    /// Returns the file, if the row was read from a path.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the line of the CSV where the row begins, counted from 1, the header included.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// Returns the row, counted from 0.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "row {}", self.row)
    }
}
