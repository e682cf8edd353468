use std::fmt;

use serde_json::{Map, Value};

use crate::ErrorCode;

/// What is wrong with one field of one record.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use spinney_scoring::{ErrorCode, FieldError};
///
/// let error = FieldError::new(3, Some("GrLivArea".to_owned()), ErrorCode::InvalidValue, "no number")
///     .allowed(json!({"type": "number"}))
///     .value(json!("big"));
/// assert_eq!((error.row(), error.field()), (Some(3), Some("GrLivArea")));
/// assert!(!format!("{error:?}").contains("big"));
/// ```
#[derive(Clone, PartialEq)]
pub struct FieldError {
    row: Option<usize>,
    field: Option<String>,
    code: ErrorCode,
    message: String,
    // Boxed, as most errors on their way have neither.
    allowed: Option<Box<Value>>,
    value: Option<Box<Value>>,
}

impl FieldError {
    /// Says what is wrong where: the record, counted from 0, and its field, as far as one is to blame.
    #[must_use]
    pub fn new(
        row: impl Into<Option<usize>>,
        field: Option<String>,
        code: ErrorCode,
        message: impl Into<String>,
    ) -> Self {
        Self { row: row.into(), field, code, message: message.into(), allowed: None, value: None }
    }

    /// Adds what the field may hold, as a JSON Schema.
    #[must_use]
    pub fn allowed(mut self, schema: Value) -> Self {
        self.allowed = Some(Box::new(schema));
        self
    }

    /// Adds the value that was refused. Clients see it only if the server [echoes
    /// values](crate::ServerOptions::echo_values), and it is in no log.
    #[must_use]
    pub fn value(mut self, value: Value) -> Self {
        self.value = Some(Box::new(value));
        self
    }

    /// The record, counted from 0, if one is to blame.
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        self.row
    }

    /// The field, if one is to blame.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn to_json(&self, echo: bool) -> Value {
        let value = self.value.as_deref().filter(|_| echo).cloned();
        let members = [
            ("row", self.row.map(Value::from)),
            ("field", self.field.clone().map(Value::from)),
            ("code", Some(self.code.to_string().into())),
            ("message", Some(self.message.clone().into())),
            ("allowed", self.allowed.as_deref().cloned()),
            ("value", value),
        ];
        let members =
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect::<Map<_, _>>())
    }
}

/// Without the value, which may be personal.
impl fmt::Debug for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldError")
            .field("row", &self.row)
            .field("field", &self.field)
            .field("code", &self.code)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}
