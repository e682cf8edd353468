use std::{io, path::PathBuf};

/// What can go wrong with a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The transformer makes another number of features than the forest was fitted on.
    #[error("the transformer makes {transformer} features, but the forest was fitted on {forest}")]
    FeatureCount {
        /// Features that the transformer makes.
        transformer: usize,
        /// Features that the forest was fitted on.
        forest: usize,
    },
    /// Features were made, or the forest was fitted, by another transformer than the bundle's.
    #[error("the features are those of another transformer than this bundle's")]
    SchemaMismatch,
    /// A metric that is not a finite number.
    #[error("metric `{name}` is {value}, but a metric must be finite")]
    InvalidMetric {
        /// The metric's name.
        name: String,
        /// The value given.
        value: f64,
    },
    /// A range of a column that is none.
    #[error(
        "the range of column `{column}` is {least} to {greatest}, but needs two finite numbers in order"
    )]
    InvalidRange {
        /// The column.
        column: String,
        /// The lower end.
        least: f64,
        /// The upper end.
        greatest: f64,
    },
    /// A text that is not a fingerprint.
    #[error("a fingerprint has 64 hex digits")]
    InvalidFingerprint,
    /// The bytes do not begin as a bundle does.
    #[error("not a spinney bundle")]
    NotABundle,
    /// A format version that this release does not know.
    #[error("the bundle has format version {found}, this release reads {supported}")]
    UnsupportedVersion {
        /// The bundle's format version.
        found: u32,
        /// The version that this release reads.
        supported: u32,
    },
    /// The bytes end too early.
    #[error("the bundle is cut off: {part} needs {needed} bytes, {available} are left")]
    Truncated {
        /// The part that is incomplete.
        part: &'static str,
        /// Bytes it needs.
        needed: u64,
        /// Bytes there are.
        available: u64,
    },
    /// There are bytes behind the end.
    #[error("{extra} bytes follow the end of the bundle")]
    TrailingBytes {
        /// How many.
        extra: usize,
    },
    /// The header claims a length above the limit.
    #[error("the header claims {claimed} bytes, at most {max} are allowed")]
    HeaderTooLong {
        /// The length claimed.
        claimed: u64,
        /// The limit.
        max: u64,
    },
    /// The forest claims more nodes than the limit.
    #[error("the forest claims {claimed} nodes, at most {max} are allowed")]
    TooManyNodes {
        /// The number claimed.
        claimed: u64,
        /// The limit.
        max: u64,
    },
    /// A hash does not match the contents.
    #[error("the bundle is damaged: the hash of {part} does not match its contents")]
    ChecksumMismatch {
        /// The part that is damaged.
        part: String,
    },
    /// The header lists another section than its format version has there.
    #[error("the bundle's header lists section `{name}` where `{expected}` should be")]
    UnknownSection {
        /// The section's name.
        name: String,
        /// The name that belongs there.
        expected: &'static str,
    },
    /// The header is not what its format version asks for.
    #[error("the bundle's header is not valid")]
    Header(#[source] serde_json::Error),
    /// The schema hash in the header is not that of the transform parameters beside it.
    #[error("the bundle's schema hash does not belong to its transform parameters")]
    SchemaHash,
    /// The forest section is not what its format version asks for.
    #[error("the bundle's forest section is not valid: {problem}")]
    ForestSection {
        /// What is wrong with it.
        problem: String,
    },
    /// An export of scikit-learn is not what it should be.
    #[error("the export of scikit-learn is not valid: {problem}")]
    Import {
        /// What is wrong with it.
        problem: String,
    },
    /// Something that an ONNX model cannot express exactly.
    #[error("{part} cannot be written as ONNX: {problem}")]
    Onnx {
        /// A step, a column or the forest.
        part: String,
        /// Why.
        problem: &'static str,
    },
    /// The transformer refused its parameters or the data.
    #[error(transparent)]
    Preprocess(#[from] spinney_preprocess::Error),
    /// The forest refused its trees or the features.
    #[error(transparent)]
    Forest(#[from] spinney_forest::Error),
    /// A file could not be read or written.
    #[error("could not {action} {path}", path = path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
