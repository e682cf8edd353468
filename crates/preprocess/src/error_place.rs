use crate::Error;

impl Error {
    /// Returns the row of the data that is to blame, counted from 0, if one is.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Record, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["GrLivArea"]).build()?;
    /// let records = [Record::from([("GrLivArea", 1500.into())]), Record::new()];
    /// let error = Table::from_records(&records, &schema).unwrap_err();
    /// assert_eq!((error.row(), error.column()), (Some(1), Some("GrLivArea")));
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        match self {
            Self::MissingField { row, .. }
            | Self::WrongValue { row, .. }
            | Self::NoSuchWord { row, .. } => Some(*row),
            Self::RaggedRow { position, .. }
            | Self::InvalidUtf8 { position, .. }
            | Self::NotANumber { position, .. }
            | Self::InfiniteNumber { position, .. }
            | Self::MissingTarget { position, .. }
            | Self::InfiniteResult { position, .. } => Some(position.row()),
            _ => None,
        }
    }

    /// Returns the column of the data that is to blame, if one is.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::MissingField { column, .. }
            | Self::WrongValue { column, .. }
            | Self::InvalidUtf8 { column, .. }
            | Self::NotANumber { column, .. }
            | Self::InfiniteNumber { column, .. }
            | Self::MissingTarget { column, .. }
            | Self::MissingColumn { column, .. }
            | Self::AllMissing { column, .. }
            | Self::UnknownInput { column }
            | Self::MissingInput { column }
            | Self::WrongInput { column, .. }
            | Self::ColumnLength { column, .. }
            | Self::NoSuchWord { column, .. }
            | Self::InfiniteResult { column, .. } => Some(column),
            _ => None,
        }
    }
}
