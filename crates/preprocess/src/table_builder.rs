use crate::column::{ColumnBuilder, WordsBuilder};
use crate::csv_rows::push_cell;
use crate::{Column, ColumnKind, Error, InputSchema, Position, Result, Table};

/// Makes a [`Table`] of whole columns, for sources that hold them: Arrow arrays, data frames.
///
/// Columns may come in any order, each once, all of the same length. The table is the one that CSV
/// or JSON of the same rows gives.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Table};
///
/// let schema = InputSchema::builder().numeric(["Area"]).categorical(["Street"]).build()?;
/// let mut builder = Table::builder(&schema);
/// builder.words("Street", [Some("Pave"), None])?;
/// builder.numbers("Area", [Some(900.0), None])?;
/// let table = builder.finish()?;
/// let from_csv = Table::from_csv_reader("Street,Area\nPave,900\nNA,\n".as_bytes(), &schema)?;
/// assert_eq!(table.column("Street"), from_csv.column("Street"));
/// assert_eq!(table.column("Area").map(|column| column.n_missing()), Some(1));
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct TableBuilder<'s> {
    schema: &'s InputSchema,
    columns: Vec<Option<Column>>,
    n_rows: Option<usize>,
}

impl<'s> TableBuilder<'s> {
    pub(crate) fn new(schema: &'s InputSchema) -> Self {
        Self { schema, columns: schema.columns().map(|_| None).collect(), n_rows: None }
    }

    /// Gives a numeric column; `None` and NaN are missing.
    ///
    /// # Errors
    ///
    /// [`Error::InfiniteNumber`]; [`Error::UnknownInput`], [`Error::DuplicateColumn`],
    /// [`Error::WrongInput`] or [`Error::ColumnLength`] if it is no such column of the table.
    pub fn numbers(
        &mut self,
        column: &str,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Result<()> {
        let place = self.place(column, Some(ColumnKind::Numeric))?;
        let values: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        if let Some(row) = values.iter().position(|value| value.is_infinite()) {
            let (position, column) = (Position::new(None, None, row), column.to_owned());
            return Err(Error::InfiniteNumber { position, column });
        }
        self.set(place, column, Column::Numeric(values))
    }

    /// Gives a categorical column; `None` is missing. An empty word is a category like any other.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCategories`]; otherwise as for [`numbers`](Self::numbers).
    pub fn words<'w>(
        &mut self,
        column: &str,
        words: impl IntoIterator<Item = Option<&'w str>>,
    ) -> Result<()> {
        let place = self.place(column, Some(ColumnKind::Categorical))?;
        let mut builder = WordsBuilder::default();
        for word in words {
            match word {
                Some(word) => builder.push(column, word)?,
                None => builder.push_missing(),
            }
        }
        self.set(place, column, ColumnBuilder::Categorical(builder).finish())
    }

    /// Gives a categorical column by reference to a dictionary, whose words are looked at once and
    /// not once per row. The dictionary may hold a word twice, words that no row uses, and `None`,
    /// which is missing.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchWord`] if a key is not below the length of the dictionary; otherwise as for
    /// [`words`](Self::words).
    pub fn encoded_words<'w>(
        &mut self,
        column: &str,
        dictionary: impl IntoIterator<Item = Option<&'w str>>,
        keys: impl IntoIterator<Item = Option<usize>>,
    ) -> Result<()> {
        let place = self.place(column, Some(ColumnKind::Categorical))?;
        let mut builder = WordsBuilder::default();
        let codes: Result<Vec<u32>> = dictionary
            .into_iter()
            .map(|word| word.map_or(Ok(WordsBuilder::MISSING), |word| builder.intern(column, word)))
            .collect();
        let codes = codes?;
        for (row, key) in keys.into_iter().enumerate() {
            let code = key.map_or(Some(WordsBuilder::MISSING), |key| codes.get(key).copied());
            let code = code.ok_or_else(|| Error::NoSuchWord { row, column: column.to_owned() })?;
            builder.push_code(code);
        }
        self.set(place, column, ColumnBuilder::Categorical(builder).finish())
    }

    /// Gives a column of either kind as the fields of a CSV: missing tokens and numbers are read as
    /// [`Table::from_csv_reader`] reads them.
    ///
    /// # Errors
    ///
    /// [`Error::NotANumber`]; otherwise as for [`numbers`](Self::numbers) and [`words`](Self::words).
    pub fn csv_fields<'w>(
        &mut self,
        column: &str,
        fields: impl IntoIterator<Item = &'w str>,
    ) -> Result<()> {
        let place = self.place(column, None)?;
        let (_, kind) = self.schema.columns().nth(place).unwrap_or((column, ColumnKind::Numeric));
        let mut builder = ColumnBuilder::new(kind);
        for (row, text) in fields.into_iter().enumerate() {
            push_cell(&mut builder, column, text, self.schema, &|| Position::new(None, None, row))?;
        }
        self.set(place, column, builder.finish())
    }

    /// Makes the table.
    ///
    /// # Errors
    ///
    /// [`Error::MissingInput`] if a column was not given.
    pub fn finish(self) -> Result<Table> {
        let named = self.schema.columns().zip(self.columns);
        let columns: Result<Vec<Column>> = named
            .map(|((name, _), column)| {
                column.ok_or_else(|| Error::MissingInput { column: name.to_owned() })
            })
            .collect();
        Ok(Table::from_parts(self.schema, columns?, self.n_rows.unwrap_or_default()))
    }

    /// Finds a column that was not given yet and takes values of a kind.
    fn place(&self, column: &str, found: Option<ColumnKind>) -> Result<usize> {
        let name = || column.to_owned();
        let place =
            self.schema.place(column).ok_or_else(|| Error::UnknownInput { column: name() })?;
        if self.columns.get(place).is_some_and(Option::is_some) {
            return Err(Error::DuplicateColumn { column: name() });
        }
        let expected = self.schema.columns().nth(place).map(|(_, kind)| kind);
        match (expected, found) {
            (Some(expected), Some(found)) if expected != found => {
                Err(Error::WrongInput { column: name(), expected, found })
            }
            _ => Ok(place),
        }
    }

    fn set(&mut self, place: usize, name: &str, column: Column) -> Result<()> {
        let found = column.len();
        let expected = *self.n_rows.get_or_insert(found);
        if found != expected {
            return Err(Error::ColumnLength { column: name.to_owned(), expected, found });
        }
        if let Some(slot) = self.columns.get_mut(place) {
            *slot = Some(column);
        }
        Ok(())
    }
}
