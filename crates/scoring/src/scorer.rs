use std::fmt;

use spinney_preprocess::{InputSchema, Record};

use crate::ScoreError;

/// A request to score records.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRequest {
    /// The records, in the order of the request; there may be none.
    pub records: Vec<Record>,
    /// Whether to guess where the workshop's scoring scripts do, and to say so, instead of refusing.
    pub guess: bool,
}

/// The answer to a [`ScoreRequest`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreResponse {
    /// One prediction for each record, in their order.
    pub predictions: Vec<f64>,
    /// Columns in which a record holds a category that the model has not seen, with the number of such records.
    pub unseen_categories: Vec<(String, usize)>,
    /// What was guessed, if the request allows it.
    pub guesses: Vec<Guess>,
}

impl ScoreResponse {
    /// Predictions, and nothing to say about them.
    #[must_use]
    pub fn new(predictions: Vec<f64>) -> Self {
        Self { predictions, unseen_categories: Vec::new(), guesses: Vec::new() }
    }
}

/// Something that a request did not say, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The column.
    pub column: String,
    /// What was guessed.
    pub kind: GuessKind,
    /// In how many rows, or 1 for a column that no row has.
    pub rows: usize,
}

/// What was guessed, as pandas and the workshop's scripts do without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuessKind {
    /// No row has the column: 0 everywhere.
    AbsentEverywhere,
    /// Some rows lack the column: missing there.
    AbsentInRow,
    /// Text in a numeric column was read as a number.
    TextAsNumber,
    /// A number in an ordinal column counts as a missing word.
    NumberAsNoWord,
    /// A number in a categorical column is the word that it is written as.
    NumberAsWord,
    /// The client set a feature that is made of a category.
    FeatureOfClient,
    /// A value is missing where the model was trained with none missing.
    UntrainedMissing,
}

impl fmt::Display for GuessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsentEverywhere => "absent-everywhere",
            Self::AbsentInRow => "absent-in-row",
            Self::TextAsNumber => "text-as-number",
            Self::NumberAsNoWord => "number-as-no-word",
            Self::NumberAsWord => "number-as-word",
            Self::FeatureOfClient => "feature-of-client",
            Self::UntrainedMissing => "untrained-missing",
        })
    }
}

/// Which model answers, for headers and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// Fingerprint of its file.
    pub fingerprint: String,
}

/// What stands behind `POST /score`: the `init()` and `run()` of a scoring script.
///
/// Making the value is `init()`; [`score`](Self::score) is `run()`. It is called from several threads at once, away from those
/// that serve connections, so it may compute for as long as it needs.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::Value;
/// use spinney_scoring::{ErrorCode, ScoreError, ScoreRequest, ScoreResponse, Scorer};
///
/// /// Answers twice the area.
/// struct Twice;
///
/// impl Scorer for Twice {
///     fn score(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
///         let area = |(row, record): (usize, &spinney_preprocess::Record)| match record.get("area") {
///             Some(Value::Number(area)) => Ok(2.0 * area),
///             _ => Err(ScoreError::new(ErrorCode::InvalidValue, "no area").at(row, "area")),
///         };
///         let predictions = request.records.iter().enumerate().map(area).collect::<Result<_, _>>()?;
///         Ok(ScoreResponse::new(predictions))
///     }
/// }
/// ```
pub trait Scorer: Send + Sync + 'static {
    /// Scores all records of a request, or refuses it as a whole.
    ///
    /// # Errors
    ///
    /// What the client is told. A panic is answered with 500 and does not end the server.
    fn score(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError>;

    /// What a row must contain, if that is known. The metadata of the Open Inference Protocol say it.
    fn input_schema(&self) -> Option<&InputSchema> {
        None
    }

    /// Which model this is, if it has a name.
    fn model(&self) -> Option<&ModelIdentity> {
        None
    }
}
