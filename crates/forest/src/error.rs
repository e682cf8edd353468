use std::ops::Range;

/// What can go wrong when fitting, predicting or taking a forest apart.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter lies outside its range.
    #[error("{parameter} is {value}, allowed is {allowed}")]
    InvalidParameter {
        /// The parameter's name, as its setter is called.
        parameter: &'static str,
        /// The value given.
        value: String,
        /// The range that is allowed.
        allowed: &'static str,
    },
    /// A text that is neither a count nor a fraction, nor a name that is allowed instead.
    #[error("`{text}` is neither a whole number nor a fraction")]
    Unreadable {
        /// The text given.
        text: String,
    },
    /// Two parameters contradict each other.
    #[error("{parameter} needs {needs}")]
    ConflictingParameters {
        /// The parameter that cannot be honoured.
        parameter: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// There is no row to learn from.
    #[error("x has no rows")]
    NoRows,
    /// There is no column to learn from.
    #[error("x has no columns")]
    NoFeatures,
    /// More rows than a tree can number.
    #[error("x has {found} rows, at most {max} are supported")]
    TooManyRows {
        /// The number of rows given.
        found: usize,
        /// The largest number supported.
        max: usize,
    },
    /// `x` and `y` differ in length.
    #[error("x has {x_rows} rows, but y has {y_rows}")]
    TargetLength {
        /// Rows of `x`.
        x_rows: usize,
        /// Values in `y`.
        y_rows: usize,
    },
    /// The matrix has another number of columns than the forest was fitted on.
    #[error("x has {found} columns, but the forest was fitted on {expected}")]
    FeatureCount {
        /// Columns the forest was fitted on.
        expected: usize,
        /// Columns given.
        found: usize,
    },
    /// The output has another length than the matrix has rows.
    #[error("the output holds {found} values, but x has {expected} rows")]
    OutputLength {
        /// Rows of `x`.
        expected: usize,
        /// Places in the output.
        found: usize,
    },
    /// A feature is infinite, or becomes so when it is rounded to `f32`.
    #[error("row {row}, column {column} of x is infinite or too large for f32")]
    InfiniteFeature {
        /// Row of `x`, counted from 0.
        row: usize,
        /// Column of `x`, counted from 0.
        column: usize,
    },
    /// A target is NaN or infinite.
    #[error("row {row} of y is {value}, but a target must be finite")]
    InvalidTarget {
        /// Row of `y`, counted from 0.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// Targets so large that their sum overflows.
    #[error("y reaches {largest:e}, too large to be summed over all rows")]
    TargetsTooLarge {
        /// The largest absolute value of `y`.
        largest: f64,
    },
    /// A target below zero, which the Poisson criterion cannot count.
    #[error("row {row} of y is {value}, but the Poisson criterion needs targets of 0 or more")]
    NegativeTarget {
        /// Row of `y`, counted from 0.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// Targets that are all zero, which leaves the Poisson criterion nothing to predict.
    #[error("y sums to 0, but the Poisson criterion needs a target above 0")]
    TargetsSumToZero,
    /// `x` and the sample weights differ in length.
    #[error("x has {x_rows} rows, but sample_weight has {weights}")]
    WeightLength {
        /// Rows of `x`.
        x_rows: usize,
        /// Values in `sample_weight`.
        weights: usize,
    },
    /// A sample weight that is negative, infinite or NaN.
    #[error("row {row} of sample_weight is {value}, but a weight must be 0 or more and finite")]
    InvalidWeight {
        /// Row of `sample_weight`, counted from 0.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// Sample weights that are all zero, or too large to be summed.
    #[error("sample_weight sums to {total}, but the sum must be above 0 and finite")]
    WeightSum {
        /// The sum.
        total: f64,
    },
    /// Monotonic constraints for another number of features than there are.
    #[error("monotonic_cst has {found} values, but x has {expected} columns")]
    ConstraintCount {
        /// Columns of `x`.
        expected: usize,
        /// Constraints given.
        found: usize,
    },
    /// Nodes that do not form a tree, or a tree that does not fit its forest.
    #[error("tree {tree}, node {node}: {problem}")]
    InvalidTree {
        /// The tree, counted from 0.
        tree: usize,
        /// The node, counted from 0.
        node: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A forest without trees.
    #[error("a forest needs at least one tree")]
    NoTrees,
    /// Bytes that are no shard of a forest.
    #[error("no shard of a forest: {problem}")]
    InvalidShard {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// Shards of different forests: other data, parameters or version.
    #[error(
        "trees {}..{} and {}..{} are of different forests: they were fitted with other data, parameters or version",
        one.start, one.end, other.start, other.end
    )]
    ShardsDiffer {
        /// The trees of one of them.
        one: Range<usize>,
        /// The trees of the other.
        other: Range<usize>,
    },
    /// Trees that no shard has.
    #[error("no shard has trees {}..{}", trees.start, trees.end)]
    TreesMissing {
        /// Their numbers.
        trees: Range<usize>,
    },
    /// Trees that two shards have.
    #[error("two shards have trees {}..{}", trees.start, trees.end)]
    TreesRepeated {
        /// Their numbers.
        trees: Range<usize>,
    },
    /// A metric over nothing.
    #[error("a metric needs at least one value")]
    NoValues,
    /// Truth and prediction differ in length.
    #[error("y_true has {y_true} values, but y_pred has {y_pred}")]
    PredictionLength {
        /// Values in `y_true`.
        y_true: usize,
        /// Values in `y_pred`.
        y_pred: usize,
    },
    /// The thread pool could not be started.
    #[error("could not start {n_threads} threads: {message}")]
    ThreadPool {
        /// The number of threads asked for.
        n_threads: usize,
        /// What the operating system or rayon said.
        message: String,
    },
    /// An error of linfa's own, for its generic helpers such as cross-validation.
    #[error("linfa refused the data set")]
    Linfa(#[source] LinfaError),
}

/// linfa's error, comparable by its message.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct LinfaError(#[from] linfa::Error);

impl PartialEq for LinfaError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl From<linfa::Error> for Error {
    fn from(error: linfa::Error) -> Self {
        Self::Linfa(error.into())
    }
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
