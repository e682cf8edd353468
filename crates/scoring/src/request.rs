use std::borrow::Cow;

use axum::body::Bytes;
use spinney_preprocess::{InputSchema, Record, Table};

use crate::{ScoreError, body, quick_rows};

/// A request to score rows: the `raw_data` of a scoring script's `run(raw_data)`, and what can be read from it.
///
/// Reading is left to the scorer: one that wants a table need not pay for records, and one that reads the body by itself pays
/// for neither.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Value};
/// use spinney_scoring::ScoreRequest;
///
/// let request = ScoreRequest::from_body(r#"{"data": [{"GrLivArea": 1500}]}"#);
/// assert_eq!(request.records()?[0].get("GrLivArea"), Some(&Value::Number(1500.0)));
/// let schema = InputSchema::builder().numeric(["GrLivArea"]).build().unwrap();
/// assert_eq!(request.quick_table(&schema, |_| ()).unwrap().n_rows(), 1);
/// # Ok::<(), spinney_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRequest {
    rows: Rows,
    guesses: bool,
}

#[derive(Clone, PartialEq)]
enum Rows {
    Body(Bytes),
    Records(Vec<Record>),
}

/// How many bytes or records, without their content.
impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Records(records) => write!(f, "{} records", records.len()),
        }
    }
}

impl ScoreRequest {
    /// Takes a body as a client sends it.
    #[must_use]
    pub fn from_body(body: impl Into<Bytes>) -> Self {
        Self { rows: Rows::Body(body.into()), guesses: false }
    }

    /// Takes records.
    #[must_use]
    pub fn from_records(records: Vec<Record>) -> Self {
        Self { rows: Rows::Records(records), guesses: false }
    }

    /// Says whether to guess where the workshop's scoring scripts do, and to tell so, instead of refusing.
    #[must_use]
    pub fn guesses(mut self, guesses: bool) -> Self {
        self.guesses = guesses;
        self
    }

    /// Whether to guess instead of refusing.
    #[must_use]
    pub fn may_guess(&self) -> bool {
        self.guesses
    }

    /// The body, if the request was made of one.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        match &self.rows {
            Rows::Body(bytes) => Some(bytes),
            Rows::Records(_) => None,
        }
    }

    /// The records in the order of the request, whichever [form](crate#forms-of-rows) it has; there may be none.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, or holds no rows.
    pub fn records(&self) -> Result<Cow<'_, [Record]>, ScoreError> {
        match &self.rows {
            Rows::Body(bytes) => body::records(bytes, self.guesses).map(Cow::Owned),
            Rows::Records(records) => Ok(Cow::Borrowed(records)),
        }
    }

    /// The table of the records without the records, several times faster: if the body is a list of objects that have all columns,
    /// as it is or under one of the usual names. `None` says that only [`records`](Self::records) can tell, not that
    /// something is wrong. `unknown` gets each name that is
    /// no column, whenever it is met.
    #[must_use]
    pub fn quick_table(&self, schema: &InputSchema, unknown: impl FnMut(&str)) -> Option<Table> {
        quick_rows::table(std::str::from_utf8(self.body()?).ok()?, schema, unknown)
    }
}
