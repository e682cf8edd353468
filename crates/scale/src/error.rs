use std::path::PathBuf;

use datafusion::{arrow::datatypes::DataType, error::DataFusionError};
use spinney_artifact::Fingerprint;
use spinney_preprocess::ColumnKind;

/// What can go wrong with scoring at scale.
///
/// What is wrong with a file names the file, and the column if one is to blame. The message never repeats its cause, which is
/// in [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that is neither a path nor a URL.
    #[error("{text:?} is neither a path nor a URL")]
    InvalidLocation {
        /// The text.
        text: String,
    },
    /// A URL of a kind of storage that is not known.
    #[error(
        "{url} is in no storage that is known here: use a path, file://, az://, abfss:// or s3://"
    )]
    UnknownStorage {
        /// The URL.
        url: String,
    },
    /// Storage that could not be opened, read or written.
    #[error("could not {action} {location}")]
    Storage {
        /// What was attempted.
        action: &'static str,
        /// The file or the storage.
        location: String,
        /// The cause.
        source: object_store::Error,
    },
    /// A folder that could not be made or read.
    #[error("could not {action} {path}", path = path.display())]
    Folder {
        /// What was attempted.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file that is no bundle.
    #[error("{location} is no bundle that can be used")]
    Bundle {
        /// The file.
        location: String,
        /// The cause.
        source: spinney_artifact::Error,
    },
    /// A bundle that is not the one that the job was planned with.
    #[error("{location} holds bundle {found}, the job was planned with {expected}")]
    OtherBundle {
        /// The file.
        location: String,
        /// The fingerprint that the plan carries.
        expected: Fingerprint,
        /// That of the file.
        found: Fingerprint,
    },
    /// There is nothing to score.
    #[error("there is no input file in {location}")]
    NoInput {
        /// Where there should be one; empty if no place was named.
        location: String,
    },
    /// A file whose name does not say what it holds.
    #[error("{file}: the name of an input ends in .csv, .parquet, .parq or .pq")]
    UnknownFormat {
        /// The file.
        file: String,
    },
    /// Inputs that would be written to the same output.
    #[error("{first} and {second} would both be written to {output}")]
    SameOutput {
        /// An input.
        first: String,
        /// Another one.
        second: String,
        /// The output.
        output: String,
    },
    /// An output that would replace an input.
    #[error("{file} would be written over itself: choose another output folder")]
    OverwritesInput {
        /// The file.
        file: String,
    },
    /// A file that lacks a column of the bundle.
    #[error("{file}: column `{column}` is not there")]
    MissingColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A column that holds what the bundle cannot take.
    #[error("{file}: column `{column}` is {found}, the bundle takes a {expected} one")]
    WrongType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// What the bundle takes.
        expected: ColumnKind,
        /// The column's type.
        found: DataType,
    },
    /// A file that has two columns of a name.
    #[error("{file}: column `{column}` is there twice")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A file that has a column of the name that predictions are to have.
    #[error("{file}: there is a column `{column}` already: name the predictions otherwise")]
    PredictionColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A parquet file that is none, or was cut off.
    #[error("{file} is no parquet file that can be read")]
    Parquet {
        /// The file.
        file: String,
        /// The cause.
        source: Box<DataFusionError>,
    },
    /// A CSV without a header line that can be read.
    #[error("{file}: {problem}")]
    CsvHeader {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A call of the predict function with other arguments than the bundle's columns.
    #[error("predict takes {expected} columns, found {found}: {}", match column {
        Some(column) => format!("`{column}` is missing"),
        None => "there are too many".to_owned(),
    })]
    ArgumentCount {
        /// Columns of the bundle.
        expected: usize,
        /// Arguments given.
        found: usize,
        /// The first column without an argument.
        column: Option<String>,
    },
    /// A call of the predict function with an argument of the wrong type.
    #[error("predict: column `{column}` is {found}, the bundle takes a {expected} one")]
    ArgumentType {
        /// The column.
        column: String,
        /// What the bundle takes.
        expected: ColumnKind,
        /// The argument's type.
        found: DataType,
    },
    /// Rows that the bundle refused. The row in the cause is counted within a batch of rows of the file.
    #[error("a batch of rows could not be scored")]
    Rows(#[source] spinney_artifact::Error),
    /// A plan that another version made, or that is damaged.
    #[error("the plan's predict function cannot be read")]
    Plan(#[source] serde_json::Error),
    /// The thread that loads a bundle could not do its work.
    #[error("could not load a bundle on a thread of its own")]
    Thread {
        /// The cause.
        source: std::io::Error,
    },
    /// The engine could not do a file's job.
    #[error("{file} could not be scored in {attempts} attempts")]
    Job {
        /// The file.
        file: String,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong the last time.
        source: Box<DataFusionError>,
    },
    /// An output that does not hold the rows that it should.
    #[error("{file} has {read} rows, but {written} were written")]
    RowCount {
        /// The file.
        file: String,
        /// Rows of the input.
        read: u64,
        /// Rows of the output.
        written: u64,
    },
    /// A manifest that cannot be read or written as JSON.
    #[error("{file} is no manifest")]
    Manifest {
        /// The file.
        file: String,
        /// The cause.
        source: serde_json::Error,
    },
    /// The engine could not be set up.
    #[error("could not set up {what}")]
    Engine {
        /// The part.
        what: &'static str,
        /// The cause.
        source: Box<DataFusionError>,
    },
    /// A node of a cluster could not start, or ended.
    #[error("the {node} at {address} ended")]
    Node {
        /// Scheduler or executor.
        node: &'static str,
        /// Where it should listen.
        address: String,
        /// The cause.
        source: Box<ballista_core::error::BallistaError>,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate as the engine carries it.
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
