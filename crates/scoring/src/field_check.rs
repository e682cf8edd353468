//! Everything that is wrong with the fields of a request, where scoring stops at the first.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use spinney_preprocess::{ColumnKind, Record, Value};

use crate::{ErrorCode, FieldError, InputField};

/// More than anybody reads.
const MAX_ERRORS: usize = 100;

/// Lists what is wrong, row by row, up to 100 fields. `made` are the features that are made of a column, by name.
pub(crate) fn check(
    fields: &[InputField],
    made: &BTreeMap<String, String>,
    records: &[Record],
) -> Vec<FieldError> {
    let of_row = |(row, record)| {
        let columns = fields.iter().filter_map(move |field| column(field, row, record));
        columns.chain(made_fields(made, row, record))
    };
    records.iter().enumerate().flat_map(of_row).take(MAX_ERRORS).collect()
}

fn column(field: &InputField, row: usize, record: &Record) -> Option<FieldError> {
    let name = field.name();
    let wrong = |code, message: String, value: Option<&Value>| {
        let error = FieldError::new(row, Some(name.to_owned()), code, message);
        let error = error.allowed(field.json_schema());
        Some(match value.and_then(plain) {
            Some(value) => error.value(value),
            None => error,
        })
    };
    let Some(value) = record.get(name) else {
        let message = format!("row {row}: column `{name}` is not there");
        return wrong(ErrorCode::MissingColumn, message, None);
    };
    match (field.kind(), value) {
        (_, Value::Null) if !field.is_nullable() => {
            let message = untrained_missing(row, name);
            wrong(ErrorCode::MissingValue, message, None)
        }
        (_, Value::Null) | (ColumnKind::Numeric, Value::Bool(_)) => None,
        (ColumnKind::Numeric, Value::Number(number)) if number.is_finite() => None,
        (ColumnKind::Categorical, Value::String(word)) if field.admits(word) => None,
        (ColumnKind::Categorical, Value::String(_)) => {
            let message =
                format!("row {row}: column `{name}` holds a word that is not one of its own");
            wrong(ErrorCode::InvalidValue, message, Some(value))
        }
        (kind, _) => {
            let found = value.kind();
            let message = format!("row {row}: column `{name}` is {kind}, found {found}");
            wrong(ErrorCode::InvalidValue, message, Some(value))
        }
    }
}

/// Why a value must not be missing.
pub(crate) fn untrained_missing(row: usize, name: &str) -> String {
    format!(
        "row {row}: `{name}` is missing, but the model was trained without missing values in it"
    )
}

fn made_fields<'a>(
    made: &'a BTreeMap<String, String>,
    row: usize,
    record: &'a Record,
) -> impl Iterator<Item = FieldError> + 'a {
    record.iter().filter_map(move |(name, _)| {
        let column = made.get(name)?;
        let message = format!(
            "row {row}: `{name}` is a feature that the model makes of `{column}`: send that alone"
        );
        Some(FieldError::new(row, Some(name.to_owned()), ErrorCode::UnexpectedField, message))
    })
}

/// Of lists and objects nothing is left to be shown.
fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::Bool(value) => Some((*value).into()),
        Value::Number(number) => Some((*number).into()),
        Value::String(text) => Some(text.as_str().into()),
        _ => None,
    }
}
