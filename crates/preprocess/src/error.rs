use std::fmt;
use std::path::PathBuf;

use crate::{ColumnKind, Position, StepKind, ValueKind};

/// [`std::result::Result`] with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong, from reading rows to transforming them.
///
/// Errors of the data say where: file, line, row, column. Errors of a plan or of transform params
/// say step and column. The message never repeats its cause, which is in
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Input schema
    /// An input schema without columns.
    #[error("an input schema needs at least one column")]
    NoColumns,
    /// A column without a name.
    #[error("a column name is empty")]
    EmptyColumnName,
    /// A column named twice in an input schema.
    #[error("column `{column}` is named twice")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// A column that is to be predicted and to predict from.
    #[error("column `{column}` is both target and feature")]
    TargetIsFeature {
        /// The name.
        column: String,
    },

    // CSV
    /// The input could not be opened or read.
    #[error("{}cannot read the CSV", In(path))]
    Io {
        /// The file, if read by path.
        path: Option<PathBuf>,
        /// The cause.
        source: std::io::Error,
    },
    /// The input is empty.
    #[error("{}no header line", In(path))]
    NoHeader {
        /// The file, if read by path.
        path: Option<PathBuf>,
    },
    /// The header lacks a column of the schema.
    #[error("{}column `{column}` is not in the header", In(path))]
    MissingColumn {
        /// The file, if read by path.
        path: Option<PathBuf>,
        /// The column.
        column: String,
    },
    /// The header has a column of the schema twice.
    #[error(
        "{}column `{column}` is in the header twice: field {first} and field {second}",
        In(path)
    )]
    DuplicateHeader {
        /// The file, if read by path.
        path: Option<PathBuf>,
        /// The column.
        column: String,
        /// The first place, counted from 1.
        first: usize,
        /// The second place, counted from 1.
        second: usize,
    },
    /// A row with more or fewer fields than the header.
    #[error("{position}: expected {}, found {found}", Count(*expected, "field"))]
    RaggedRow {
        /// Where.
        position: Position,
        /// The number of fields in the header.
        expected: usize,
        /// The number of fields in the row.
        found: usize,
    },
    /// A field of a used column that is not UTF-8.
    #[error("{position}: column `{column}` is not UTF-8 from byte {byte} on")]
    InvalidUtf8 {
        /// Where.
        position: Position,
        /// The column.
        column: String,
        /// The first bad byte of the field, counted from 0.
        byte: usize,
    },
    /// Text in a numeric column of a CSV.
    #[error("{position}: column `{column}` is numeric, found {text:?}")]
    NotANumber {
        /// Where.
        position: Position,
        /// The column.
        column: String,
        /// The text, cut after 40 characters.
        text: String,
    },
    /// A number that is infinite, or too large for an `f64`.
    #[error("{position}: column `{column}` has an infinite number")]
    InfiniteNumber {
        /// Where.
        position: Position,
        /// The column.
        column: String,
    },

    // Tables
    /// Text that is not a JSON list of objects.
    #[error("not a JSON list of objects")]
    JsonRows {
        /// The cause.
        source: serde_json::Error,
    },
    /// A record without a column of the schema.
    #[error("row {row}: column `{column}` is not there")]
    MissingField {
        /// The index of the record, counted from 0.
        row: usize,
        /// The column.
        column: String,
    },
    /// A value that the column cannot hold.
    #[error("row {row}: column `{column}` is {expected}, found {found}")]
    WrongValue {
        /// The index of the record, counted from 0.
        row: usize,
        /// The column.
        column: String,
        /// What the column holds.
        expected: ColumnKind,
        /// What was found. The value itself is not repeated: it may be personal.
        found: ValueKind,
    },
    /// More different words in one column than a table can tell apart (2^32 - 2).
    #[error("column `{column}` has too many categories")]
    TooManyCategories {
        /// The column.
        column: String,
    },
    /// A column was given to a table whose schema does not name it.
    #[error("there is no input column `{column}`")]
    UnknownInput {
        /// The column.
        column: String,
    },
    /// A column of the schema was not given.
    #[error("input column `{column}` is not there")]
    MissingInput {
        /// The column.
        column: String,
    },
    /// A column was given values of the other kind.
    #[error("input column `{column}` is {expected}, found a {found} one")]
    WrongInput {
        /// The column.
        column: String,
        /// What the schema says.
        expected: ColumnKind,
        /// What was given.
        found: ColumnKind,
    },
    /// Columns differ in length.
    #[error("input column `{column}` has {}, those before it {expected}", Count(*found, "row"))]
    ColumnLength {
        /// The column.
        column: String,
        /// The length of the columns before it.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// A row refers to a word that its column's dictionary does not have.
    #[error("row {row}: column `{column}` refers to a word that is not in its dictionary")]
    NoSuchWord {
        /// The row.
        row: usize,
        /// The column.
        column: String,
    },
    /// The target was asked of a table whose schema names none.
    #[error("the input schema names no target")]
    NoTarget,
    /// The target was asked of a table whose input did not have it.
    #[error("the input has no target column `{column}`")]
    NoTargetColumn {
        /// The target.
        column: String,
    },
    /// A row without a target value.
    #[error("{position}: target `{column}` is missing")]
    MissingTarget {
        /// Where.
        position: Position,
        /// The target.
        column: String,
    },
    /// A row was asked for that is not in the table.
    #[error("row {row} is not in a table of {}", Count(*n_rows, "row"))]
    NoSuchRow {
        /// The row.
        row: usize,
        /// The number of rows in the table.
        n_rows: usize,
    },

    // Splits
    /// A share of rows out of range.
    #[error("{option} {value} must be above 0 and below 1")]
    SplitFraction {
        /// `test_size` or `train_size`.
        option: &'static str,
        /// The share asked for.
        value: f64,
    },
    /// A number of rows out of range.
    #[error("{option} {value} must be at least 1 and below the number of rows, {n_rows}")]
    SplitCount {
        /// `test_size` or `train_size`.
        option: &'static str,
        /// The number asked for.
        value: usize,
        /// The rows there are.
        n_rows: usize,
    },
    /// Train and test rows together are more than there are.
    #[error("{n_train} train and {n_test} test rows are more than {}", Count(*n_rows, "row"))]
    SplitTooLarge {
        /// Rows to train on.
        n_train: usize,
        /// Rows to test on.
        n_test: usize,
        /// The rows there are.
        n_rows: usize,
    },
    /// No row is left to train on.
    #[error("no row is left to train on: {n_test} of {} held out", Count(*n_rows, "row"))]
    EmptyTrain {
        /// The rows there are.
        n_rows: usize,
        /// Rows to test on.
        n_test: usize,
    },

    // Plans, and steps of transform params
    /// A step names a column that does not exist (yet).
    #[error("{step}: no column `{column}`")]
    UnknownColumn {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
    },
    /// A step does not work on this kind of column.
    #[error("{step}: column `{column}` must be {expected}")]
    WrongColumnKind {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// The kind the step works on.
        expected: ColumnKind,
    },
    /// A step names a column that an earlier step has encoded or dropped.
    #[error("{step}: column `{column}` was already taken by {by}")]
    ColumnUsed {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// The earlier step.
        by: StepKind,
    },
    /// A derived column named like one that exists.
    #[error("{step}: there is already a column `{column}`")]
    NameTaken {
        /// The step.
        step: StepKind,
        /// The name.
        column: String,
    },
    /// A range whose end is excluded.
    #[error("{step}: the range of column `{column}` must include its ends: write `a..=b`")]
    ExcludedBound {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
    },
    /// A range without a finite end, or upside down.
    #[error("{step}: column `{column}` needs a range with min <= max, found {min} to {max}")]
    InvalidRange {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// The lower end, negative infinity if open.
        min: f64,
        /// The upper end, infinity if open.
        max: f64,
    },
    /// A number that must be finite, or finite and above zero.
    #[error("{step}: {option} of column `{column}` cannot be {value}")]
    InvalidNumber {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// Which number.
        option: &'static str,
        /// The number.
        value: f64,
    },
    /// A limit that must be at least 1.
    #[error("{step}: {option} of column `{column}` must be at least 1")]
    ZeroLimit {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// Which limit.
        option: &'static str,
    },
    /// A constant of the wrong kind, or a mean of words.
    #[error("{step}: column `{column}` is {expected}, the value is not")]
    WrongFill {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// What the column holds.
        expected: ColumnKind,
    },
    /// An encoder without categories.
    #[error("{step}: column `{column}` has no categories")]
    NoCategories {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
    },
    /// A category given twice.
    #[error("{step}: category {category:?} of column `{column}` is there twice")]
    DuplicateCategory {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// The category.
        category: String,
    },
    /// The category that stands for missing values is not one of the categories.
    #[error("{step}: column `{column}` has no category {category:?} for missing values")]
    UnknownCategory {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
        /// The category.
        category: String,
    },
    /// A categorical column that no step turns into numbers.
    #[error("categorical column `{column}` is neither encoded nor dropped")]
    NotEncoded {
        /// The column.
        column: String,
    },
    /// No feature is left.
    #[error("no feature is left")]
    NoFeatures,
    /// Two features of one name, as of columns `a` and `a_b` with categories `b_c` and `c`.
    #[error("feature `{feature}` is there twice")]
    DuplicateFeature {
        /// The name.
        feature: String,
    },

    // Fitting and transforming
    /// A table that was read with another input schema.
    #[error("the table was read with another input schema: expected {expected}, found {found}")]
    SchemaMismatch {
        /// The first difference: what the plan has.
        expected: String,
        /// What the table has.
        found: String,
    },
    /// Nothing to learn from.
    #[error("cannot fit on a table without rows")]
    NoRows,
    /// A column in which every value is missing.
    #[error("column `{column}` is missing in all of {}", Count(*n_rows, "row"))]
    AllMissing {
        /// The column.
        column: String,
        /// The number of rows.
        n_rows: usize,
    },
    /// Numbers so large that what a step learns of them is infinite.
    #[error("{step}: the numbers in column `{column}` are too large")]
    Overflow {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
    },
    /// Numbers so large that a step makes infinity of them.
    #[error("{position}: {step} makes column `{column}` infinite")]
    InfiniteResult {
        /// Where.
        position: Position,
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
    },

    // Transform params
    /// Text that is not the JSON of transform params.
    #[error("not the JSON of transform params")]
    Json {
        /// The cause.
        source: serde_json::Error,
    },
    /// Transform params of a later version of this crate.
    #[error("transform params have version {found}, only version {supported} is supported")]
    UnsupportedVersion {
        /// The version found.
        found: u64,
        /// The version this crate reads.
        supported: u64,
    },
    /// Categories out of order.
    #[error("{step}: categories of column `{column}` are not in code point order")]
    UnsortedCategories {
        /// The step.
        step: StepKind,
        /// The column.
        column: String,
    },
    /// Feature names that do not follow from the steps.
    #[error(
        "the steps give other features than listed: at {index} {}, not {}",
        Name(expected),
        Name(found)
    )]
    WrongFeatures {
        /// The first place that differs, counted from 0.
        index: usize,
        /// What the steps give.
        expected: Option<String>,
        /// What is listed.
        found: Option<String>,
    },
    /// A list of features with missing values that names something else, or is out of order.
    #[error("`{feature}` is not in its place among the features that may be missing")]
    WrongMissing {
        /// The name.
        feature: String,
    },
    /// Text that is not a schema hash.
    #[error("a schema hash is 64 hexadecimal digits")]
    InvalidHash,
}

/// `path: `, if there is one.
struct In<'a>(&'a Option<PathBuf>);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |path| write!(f, "{}: ", path.display()))
    }
}

/// `1 row`, `2 rows`.
struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// A name in quotes, or `none`.
struct Name<'a>(&'a Option<String>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "`{name}`"),
            None => f.write_str("none"),
        }
    }
}
