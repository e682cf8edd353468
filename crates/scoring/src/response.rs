use std::fmt;

/// The answer to a [`ScoreRequest`](crate::ScoreRequest).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreResponse {
    /// One prediction for each record, in their order.
    pub predictions: Vec<f64>,
    /// Columns in which a record holds a category that the model has not seen, with the number of such records.
    pub unseen_categories: Vec<(String, usize)>,
    /// Columns in which a value is missing, with the number of such records.
    pub missing_values: Vec<(String, usize)>,
    /// Columns in which a number is beyond all that training showed.
    pub out_of_range: Vec<OutOfRange>,
    /// What was guessed, if the request allows it.
    pub guesses: Vec<Guess>,
}

impl ScoreResponse {
    /// Predictions, and nothing to say about them.
    #[must_use]
    pub fn new(predictions: Vec<f64>) -> Self {
        Self { predictions, ..Self::default() }
    }
}

/// How many records of a request are outside of what the model was trained on, in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange {
    /// The column.
    pub column: String,
    /// Records below the least number of the training.
    pub below: usize,
    /// Records above its greatest.
    pub above: usize,
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
