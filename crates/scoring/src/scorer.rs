use spinney_preprocess::Record;

use crate::ScoreError;

/// A request to score records.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRequest {
    /// The records, in the order of the request; there may be none.
    pub records: Vec<Record>,
}

/// The answer to a [`ScoreRequest`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreResponse {
    /// One prediction for each record, in their order.
    pub predictions: Vec<f64>,
    /// Columns in which a record holds a category that the model has not seen, with the number of such records.
    pub unseen_categories: Vec<(String, usize)>,
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
///         Ok(ScoreResponse { predictions, unseen_categories: Vec::new() })
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

    /// Which model this is, if it has a name.
    fn model(&self) -> Option<&ModelIdentity> {
        None
    }
}
