/// What a transform met that training did not: for callers to log, to count, or to refuse.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Preprocessor, Table};
///
/// let schema = InputSchema::builder().categorical(["Street"]).build()?;
/// let train = Table::from_csv_reader("Street\nGrvl\nPave\n".as_bytes(), &schema)?;
/// let fitted = Preprocessor::builder(&schema).one_hot(["Street"]).build()?.fit(&train)?;
///
/// let rows = Table::from_csv_reader("Street\nPave\nMud\nMud\n".as_bytes(), &schema)?;
/// let x = fitted.transform(&rows)?;
/// let unseen = &x.report().unseen_categories()[0];
/// assert_eq!((unseen.name(), unseen.n_rows(), unseen.first_row()), ("Street", 2, 1));
/// assert_eq!(x.view().row(1).to_vec(), [0.0, 0.0]);
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransformReport {
    pub(crate) unseen_categories: Vec<ColumnCount>,
    pub(crate) untrained_missing: Vec<ColumnCount>,
}

impl TransformReport {
    /// Returns the columns with categories that training did not show, or that an ordinal step does
    /// not list, in step order.
    #[must_use]
    pub fn unseen_categories(&self) -> &[ColumnCount] {
        &self.unseen_categories
    }

    /// Returns the features with missing values (NaN) that had none in training, in feature order.
    /// A forest has learned no branch for them.
    #[must_use]
    pub fn untrained_missing(&self) -> &[ColumnCount] {
        &self.untrained_missing
    }

    /// Tells whether there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unseen_categories.is_empty() && self.untrained_missing.is_empty()
    }
}

/// A column or feature and the rows to report of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnCount {
    name: String,
    n_rows: usize,
    first_row: usize,
}

impl ColumnCount {
    /// Counts the marked rows; `None` if there is none.
    pub(crate) fn new(name: &str, marked: impl Iterator<Item = bool>) -> Option<Self> {
        let mut rows = marked.enumerate().filter(|(_, marked)| *marked).map(|(row, _)| row);
        let first_row = rows.next()?;
        Some(Self { name: name.to_owned(), n_rows: 1 + rows.count(), first_row })
    }

    /// Returns the name of the column or feature.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of rows, at least 1.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the first of the rows, counted from 0.
    #[must_use]
    pub fn first_row(&self) -> usize {
        self.first_row
    }
}
