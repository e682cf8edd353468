//! From the bytes of a body to records.

use serde::Deserialize;
use serde_json::value::RawValue;
use spinney_preprocess::Record;

use crate::{
    ErrorCode, ScoreError, ScoreRequest,
    python_json::{self, InfiniteNumber},
};

/// Reads a list of records, or an object that holds one as `data`: the bodies of the workshop's two scoring scripts.
pub(crate) fn parse(bytes: &[u8]) -> Result<ScoreRequest, ScoreError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        ScoreError::new(ErrorCode::MalformedJson, message)
    })?;
    match read(text) {
        // Perhaps Python wrote it. What it may write beyond JSON is a syntax error to the parser.
        Err(error) if error.code() == ErrorCode::MalformedJson => {
            let json = python_json::to_json(text).map_err(infinite)?;
            if json == text { Err(error) } else { read(&json) }
        }
        result => result,
    }
}

fn read(text: &str) -> Result<ScoreRequest, ScoreError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }

    let mut list: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    if list.get().starts_with('{') {
        let envelope: Envelope<'_> = serde_json::from_str(list.get()).map_err(malformed)?;
        list = envelope.data.ok_or_else(|| wrong_shape("an object without `data`"))?;
    }
    if !list.get().starts_with('[') {
        return Err(wrong_shape("something else"));
    }
    let items: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(malformed)?;
    let record = |(row, item): (usize, &RawValue)| -> Result<Record, ScoreError> {
        if !item.get().starts_with('{') {
            let message = format!("row {row} is not an object with a value for each column");
            return Err(ScoreError::new(ErrorCode::WrongShape, message).at_row(row));
        }
        serde_json::from_str(item.get()).map_err(malformed)
    };
    let records = items.into_iter().enumerate().map(record).collect::<Result<_, _>>()?;
    Ok(ScoreRequest { records })
}

/// The parser's message names line and column of the text, and what it expected there, but repeats no value.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn malformed(error: serde_json::Error) -> ScoreError {
    ScoreError::new(ErrorCode::MalformedJson, format!("the body is not JSON: {error}"))
}

fn wrong_shape(found: &str) -> ScoreError {
    let message = format!(
        "the body must be a list of records, or an object with such a list as `data`, but it is {found}"
    );
    ScoreError::new(ErrorCode::WrongShape, message)
}

fn infinite(number: InfiniteNumber) -> ScoreError {
    let message = match (number.row, &number.column) {
        (Some(row), Some(column)) => format!("row {row}: column `{column}` has an infinite number"),
        (None, Some(column)) => format!("column `{column}` has an infinite number"),
        (_, None) => "the body has an infinite number".to_owned(),
    };
    let refusal = ScoreError::new(ErrorCode::InvalidValue, message);
    match number.column {
        Some(column) => refusal.at(number.row, column),
        None => refusal,
    }
}
