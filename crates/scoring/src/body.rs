//! From the bytes of a body to records.

use serde::Deserialize;
use spinney_preprocess::Record;

use crate::{
    ErrorCode, ScoreError, envelope,
    python_json::{self, InfiniteNumber, Replaced},
};

/// Reads rows in any of the forms that clients of Azure ML send. With `repeat` a single value beside lists is repeated, as pandas
/// does.
pub(crate) fn records(bytes: &[u8], repeat: bool) -> Result<Vec<Record>, ScoreError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        ScoreError::new(ErrorCode::MalformedJson, message)
    })?;
    match envelope::read(text, repeat) {
        // Perhaps Python wrote it. What it may write beyond JSON is a syntax error to the parser.
        Err(error) if error.code() == ErrorCode::MalformedJson => {
            let Replaced { json, infinite } = python_json::to_json(text);
            let result = if json == text { Err(error) } else { envelope::read(&json, repeat) };
            match (result, infinite) {
                (Err(error), Some(number)) if error.code() == ErrorCode::MalformedJson => {
                    Err(refuse_infinite(number))
                }
                (result, _) => result,
            }
        }
        result => result,
    }
}

/// The id that an inference request of the Open Inference Protocol carries.
pub(crate) fn id(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Request {
        id: Option<String>,
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let read = |text: &str| serde_json::from_str::<Request>(text).ok();
    read(text).or_else(|| read(&python_json::to_json(text).json))?.id
}

fn refuse_infinite(number: InfiniteNumber) -> ScoreError {
    let message = match (number.row, &number.column) {
        (Some(row), Some(column)) => format!("row {row}: column `{column}` has an infinite number"),
        (None, Some(column)) => format!("column `{column}` has an infinite number"),
        (Some(row), None) => format!("row {row} has an infinite number"),
        (None, None) => "the body has an infinite number".to_owned(),
    };
    let refusal = ScoreError::new(ErrorCode::InvalidValue, message);
    match (number.row, number.column) {
        (row, Some(column)) => refusal.at(row, column),
        (Some(row), None) => refusal.at_row(row),
        (None, None) => refusal,
    }
}
