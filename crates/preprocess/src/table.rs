use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::column::ColumnBuilder;
use crate::csv_rows::{self, CsvColumns};
use crate::json_rows::{self, JsonColumns};
use crate::split::{TestSize, train_test_split};
use crate::{
    Column, ColumnKind, Error, InputSchema, Position, Record, Result, TableBuilder, Value,
    ValueKind,
};

/// Raw rows as typed columns, in the order of an [`InputSchema`]: where CSV and JSON meet before
/// any step runs.
///
/// The same row gives the same table, and so the same features, whichever it came from. Columns
/// that the schema does not name are ignored. A missing value is neither zero nor a category.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Record, Table, Value};
///
/// let schema = InputSchema::builder().numeric(["LotFrontage"]).categorical(["Street"]).build()?;
/// let from_csv = Table::from_csv_reader("Id,Street,LotFrontage\n7,Pave,NA\n".as_bytes(), &schema)?;
/// let record = Record::from([("LotFrontage", Value::Null), ("Street", "Pave".into())]);
/// let from_json = Table::from_records(&[record], &schema)?;
/// assert_eq!(from_csv.column("Street"), from_json.column("Street"));
/// assert_eq!(from_csv.column("LotFrontage").map(|column| column.n_missing()), Some(1));
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    schema: InputSchema,
    columns: Vec<Column>,
    target: Option<Vec<f64>>,
    n_rows: usize,
    source: Option<Source>,
}

/// Where the rows of a table stand in a CSV.
#[derive(Debug, Clone)]
struct Source {
    path: Option<Arc<Path>>,
    lines: Vec<u64>,
}

impl Table {
    /// Reads a CSV file with a header line, as [`from_csv_reader`](Self::from_csv_reader) does.
    ///
    /// # Errors
    ///
    /// As for [`from_csv_reader`](Self::from_csv_reader), with the path in the message.
    pub fn from_csv_path(path: impl AsRef<Path>, schema: &InputSchema) -> Result<Self> {
        let path: Arc<Path> = path.as_ref().into();
        let file = File::open(&path)
            .map_err(|source| Error::Io { path: Some(path.to_path_buf()), source })?;
        Self::from_csv(file, Some(path), schema)
    }

    /// Reads CSV with a header line from `input`, to its end; no buffering is needed around it.
    ///
    /// Columns may come in any order. Commas separate; quoted fields, CRLF and a UTF-8 byte order
    /// mark are understood; blank lines are skipped. Zero rows are a valid table. Where the schema
    /// names a target, it is read if the file has it.
    ///
    /// A field that equals one of the schema's missing tokens is missing. Categories are taken as
    /// they are. In a numeric column ASCII whitespace around the text is ignored, so that a blank
    /// field is missing too; what is left must be a finite number as
    /// [`f64::from_str`](std::str::FromStr) has it. It is rounded correctly, as pandas does with
    /// `float_precision="round_trip"`; the default of pandas may be off in the last place beyond 15
    /// digits.
    ///
    /// Memory grows with the columns of the schema only.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; of the header [`Error::NoHeader`], [`Error::MissingColumn`],
    /// [`Error::DuplicateHeader`] (for columns of the schema); of a row [`Error::RaggedRow`],
    /// [`Error::InvalidUtf8`], [`Error::NotANumber`], [`Error::InfiniteNumber`].
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["GrLivArea"]).build()?;
    /// let table = Table::from_csv_reader("GrLivArea\n1500\n 1e3\n".as_bytes(), &schema)?;
    /// assert_eq!(table.n_rows(), 2);
    ///
    /// let error = Table::from_csv_reader("GrLivArea\n1500\n1,5\n".as_bytes(), &schema).unwrap_err();
    /// assert_eq!(error.to_string(), "line 3, row 1: expected 1 field, found 2");
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn from_csv_reader(input: impl Read, schema: &InputSchema) -> Result<Self> {
        Self::from_csv(input, None, schema)
    }

    fn from_csv(input: impl Read, path: Option<Arc<Path>>, schema: &InputSchema) -> Result<Self> {
        let CsvColumns { columns, target, lines } = csv_rows::read(input, path.as_ref(), schema)?;
        let n_rows = lines.len();
        let source = Some(Source { path, lines });
        Ok(Self { schema: schema.clone(), columns, target, n_rows, source })
    }

    /// Starts a table of whole columns.
    pub fn builder(schema: &InputSchema) -> TableBuilder<'_> {
        TableBuilder::new(schema)
    }

    /// A table without a target whose columns are those of the schema, all of `n_rows`.
    pub(crate) fn from_parts(schema: &InputSchema, columns: Vec<Column>, n_rows: usize) -> Self {
        Self { schema: schema.clone(), columns, target: None, n_rows, source: None }
    }

    /// Makes a table of JSON objects.
    ///
    /// Every record must have every column of the schema; `null` is missing, and so is a NaN. A
    /// numeric column takes numbers and booleans (1 and 0, as in Python), a categorical one
    /// strings. Where the schema names a target, the table has one if any record has; it is missing
    /// in the others.
    ///
    /// # Errors
    ///
    /// [`Error::MissingField`], [`Error::WrongValue`], or [`Error::InfiniteNumber`], with the index
    /// of the record. No value is repeated in the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Record, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["GrLivArea"]).build()?;
    /// let record = Record::from([("GrLivArea", "1500".into())]);
    /// let error = Table::from_records(&[record], &schema).unwrap_err();
    /// assert_eq!(error.to_string(), "row 0: column `GrLivArea` is numeric, found a string");
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn from_records(records: &[Record], schema: &InputSchema) -> Result<Self> {
        let mut columns: Vec<_> =
            schema.columns().map(|(name, kind)| (name, ColumnBuilder::new(kind))).collect();
        for (row, record) in records.iter().enumerate() {
            for (name, column) in &mut columns {
                let value = record
                    .get(name)
                    .ok_or_else(|| Error::MissingField { row, column: (*name).to_owned() })?;
                push_value(column, value, row, name)?;
            }
        }
        let target = schema.target().and_then(|name| target(records, name)).transpose()?;
        Ok(Self {
            schema: schema.clone(),
            columns: columns.into_iter().map(|(_, column)| column.finish()).collect(),
            target,
            n_rows: records.len(),
            source: None,
        })
    }

    /// Reads a JSON list of objects: the table that [`from_records`](Self::from_records) makes of the same records, without
    /// making records.
    ///
    /// Of a name given twice the last value counts. Memory grows with the columns of the schema only.
    ///
    /// # Errors
    ///
    /// Those of [`from_records`](Self::from_records), and [`Error::JsonRows`] if the text is not a JSON list of objects. It
    /// is read from front to back, so a row before the place where the JSON breaks off is refused first.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["GrLivArea"]).categorical(["Street"]).build()?;
    /// let table = Table::from_json(r#"[{"Street": "Pave", "GrLivArea": 1500}]"#, &schema)?;
    /// assert_eq!(table.column("GrLivArea").and_then(|area| area.as_numeric()), Some(&[1500.0][..]));
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn from_json(json: &str, schema: &InputSchema) -> Result<Self> {
        Self::from_json_with(json, schema, |_| ())
    }

    /// Likewise, and hands over each name that is neither a column nor the target, whenever it meets it.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json).
    pub fn from_json_with(
        json: &str,
        schema: &InputSchema,
        mut unknown: impl FnMut(&str),
    ) -> Result<Self> {
        let JsonColumns { columns, target, n_rows } = json_rows::read(json, schema, &mut unknown)?;
        Ok(Self { schema: schema.clone(), columns, target, n_rows, source: None })
    }

    /// Returns the schema the table was read with.
    #[must_use]
    pub fn schema(&self) -> &InputSchema {
        &self.schema
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns a feature column by name. The target is not one: see [`target`](Self::target).
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(self.schema.place(name)?)
    }

    /// Returns the feature columns in the order of the schema.
    #[must_use]
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &Column)> {
        self.schema.columns().zip(&self.columns).map(|((name, _), column)| (name, column))
    }

    /// Returns the values to be predicted.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`] or [`Error::NoTargetColumn`] if the schema or the input has none,
    /// [`Error::MissingTarget`] with the first row where the value is missing.
    pub fn target(&self) -> Result<&[f64]> {
        let target = self.raw_target()?;
        match target.iter().position(|value| value.is_nan()) {
            None => Ok(target),
            Some(row) => Err(Error::MissingTarget {
                position: self.position(row),
                column: self.schema.target().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Returns the rows that have a target, and the number of those left out:
    /// `df.dropna(subset=[target])`.
    ///
    /// # Errors
    ///
    /// [`Error::NoTarget`] or [`Error::NoTargetColumn`] if the schema or the input has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["GrLivArea"]).target("SalePrice").build()?;
    /// let csv = "GrLivArea,SalePrice\n1500,180000\n1200,NA\n";
    /// let houses = Table::from_csv_reader(csv.as_bytes(), &schema)?;
    /// let (table, n_dropped) = houses.drop_missing_target()?;
    /// assert_eq!((table.target()?, n_dropped), (&[180_000.0][..], 1));
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn drop_missing_target(&self) -> Result<(Self, usize)> {
        let target = self.raw_target()?;
        let present: Vec<usize> =
            (0..).zip(target).filter(|(_, value)| !value.is_nan()).map(|(row, _)| row).collect();
        let n_dropped = self.n_rows - present.len();
        Ok((self.take(&present)?, n_dropped))
    }

    /// Copies the given rows, in the given order; a row may be given more than once.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchRow`] if one is not below [`n_rows`](Self::n_rows).
    pub fn take(&self, rows: &[usize]) -> Result<Self> {
        if let Some(&row) = rows.iter().find(|&&row| row >= self.n_rows) {
            return Err(Error::NoSuchRow { row, n_rows: self.n_rows });
        }
        let source = self.source.as_ref().map(|Source { path, lines }| Source {
            path: path.clone(),
            lines: rows.iter().filter_map(|&row| lines.get(row).copied()).collect(),
        });
        let target = self.target.as_ref();
        Ok(Self {
            schema: self.schema.clone(),
            columns: self.columns.iter().map(|column| column.take(rows)).collect(),
            target: target
                .map(|target| rows.iter().filter_map(|&row| target.get(row).copied()).collect()),
            n_rows: rows.len(),
            source,
        })
    }

    /// Splits the rows at random into `(train, test)`: [`train_test_split`] for a table.
    ///
    /// # Errors
    ///
    /// [`Error::SplitFraction`], [`Error::SplitCount`], or [`Error::EmptyTrain`].
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_preprocess::{InputSchema, Table};
    ///
    /// let schema = InputSchema::builder().numeric(["x"]).build()?;
    /// let table = Table::from_csv_reader("x\n0\n1\n2\n3\n4\n".as_bytes(), &schema)?;
    /// let (train, test) = table.train_test_split(0.2, 0)?;
    /// assert_eq!((train.n_rows(), test.n_rows()), (4, 1));
    /// # Ok::<(), spinney_preprocess::Error>(())
    /// ```
    pub fn train_test_split(
        &self,
        test_size: impl Into<TestSize>,
        random_state: u32,
    ) -> Result<(Self, Self)> {
        let split = train_test_split(self.n_rows, test_size.into(), None, random_state)?;
        Ok((self.take(&split.train)?, self.take(&split.test)?))
    }

    /// Returns where a row came from.
    #[must_use]
    pub fn position(&self, row: usize) -> Position {
        let (path, line) = match &self.source {
            None => (None, None),
            Some(source) => (source.path.clone(), source.lines.get(row).copied()),
        };
        Position::new(path, line, row)
    }

    /// The target as read, NaN where missing.
    fn raw_target(&self) -> Result<&[f64]> {
        let column = self.schema.target().ok_or(Error::NoTarget)?;
        self.target.as_deref().ok_or_else(|| Error::NoTargetColumn { column: column.to_owned() })
    }
}

/// The target of each record, NaN where missing; `None` if no record has one.
fn target(records: &[Record], name: &str) -> Option<Result<Vec<f64>>> {
    if records.iter().all(|record| record.get(name).is_none()) {
        return None;
    }
    let value = |record| Record::get(record, name).unwrap_or(&Value::Null);
    let numbers = records.iter().enumerate().map(|(row, record)| number(value(record), row, name));
    Some(numbers.collect())
}

fn push_value(builder: &mut ColumnBuilder, value: &Value, row: usize, column: &str) -> Result<()> {
    match (builder, value) {
        (ColumnBuilder::Numeric(values), value) => values.push(number(value, row, column)?),
        (ColumnBuilder::Categorical(words), Value::String(word)) => words.push(column, word)?,
        (ColumnBuilder::Categorical(words), Value::Null) => words.push_missing(),
        (ColumnBuilder::Categorical(_), value) => {
            return Err(wrong_value(row, column, ColumnKind::Categorical, value.kind()));
        }
    }
    Ok(())
}

fn number(value: &Value, row: usize, column: &str) -> Result<f64> {
    match value {
        Value::Null => Ok(f64::NAN),
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        Value::Number(value) if value.is_infinite() => Err(Error::InfiniteNumber {
            position: Position::new(None, None, row),
            column: column.to_owned(),
        }),
        Value::Number(value) => Ok(*value),
        value => Err(wrong_value(row, column, ColumnKind::Numeric, value.kind())),
    }
}

fn wrong_value(row: usize, column: &str, expected: ColumnKind, found: ValueKind) -> Error {
    Error::WrongValue { row, column: column.to_owned(), expected, found }
}
