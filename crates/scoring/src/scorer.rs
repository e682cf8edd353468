use std::path::Path;

use spinney_preprocess::InputSchema;

use crate::{InputField, ModelIdentity, ScoreError, ScoreRequest, ScoreResponse};

/// What goes wrong in [`Scorer::init`], as the scorer has it.
pub type InitError = Box<dyn std::error::Error + Send + Sync>;

/// What stands behind `POST /score`: the `init()` and `run()` of a scoring script.
///
/// [`run`](Self::run) is called from several threads at once. Unless [`is_quick`](Self::is_quick) says otherwise these are not
/// the threads that serve connections, so it may compute for as long as it needs.
///
/// # Examples
///
/// ```
/// use std::{fs, path::Path};
///
/// use spinney_preprocess::{Record, Value};
/// use spinney_scoring::{ErrorCode, InitError, ScoreError, ScoreRequest, ScoreResponse, Scorer};
///
/// /// Answers the area times a price that a file holds.
/// struct PricePerArea(f64);
///
/// impl Scorer for PricePerArea {
///     fn init(model_dir: &Path) -> Result<Self, InitError> {
///         Ok(Self(fs::read_to_string(model_dir.join("price.txt"))?.trim().parse()?))
///     }
///
///     fn run(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
///         let price = |(row, record): (usize, &Record)| match record.get("area") {
///             Some(Value::Number(area)) => Ok(self.0 * area),
///             _ => Err(ScoreError::new(ErrorCode::InvalidValue, "no area").at(row, "area")),
///         };
///         let predictions = request.records()?.iter().enumerate().map(price).collect::<Result<_, _>>()?;
///         Ok(ScoreResponse::new(predictions))
///     }
/// }
/// ```
pub trait Scorer: Send + Sync + 'static {
    /// Loads the model from the folder that Azure ML mounts it in and names in `AZUREML_MODEL_DIR`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the model from being loaded. The server is not ready then, or stays with the model it has.
    fn init(model_dir: &Path) -> Result<Self, InitError>
    where
        Self: Sized;

    /// Scores all rows of a request, or refuses it as a whole.
    ///
    /// # Errors
    ///
    /// What the client is told. A panic is answered with 500 and does not end the server.
    fn run(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError>;

    /// Scores something to see that the model works, before it gets any traffic.
    ///
    /// # Errors
    ///
    /// Why it does not.
    fn self_test(&self) -> Result<(), ScoreError> {
        Ok(())
    }

    /// Whether a body of so many bytes is scored so fast (in microseconds) that handing it to another thread would take
    /// longer. It is scored on the thread that serves the connection then.
    fn is_quick(&self, n_bytes: usize) -> bool {
        let _ = n_bytes;
        false
    }

    /// What a row must contain, if that is known. The metadata of the Open Inference Protocol say it.
    fn input_schema(&self) -> Option<&InputSchema> {
        None
    }

    /// What each column may hold, in the order of the schema. API documents say it.
    fn input_fields(&self) -> Vec<InputField> {
        let columns = self.input_schema().into_iter().flat_map(InputSchema::columns);
        columns.map(|(name, kind)| InputField::new(name, kind)).collect()
    }

    /// Which model this is, if it has a name.
    fn model(&self) -> Option<&ModelIdentity> {
        None
    }
}
