//! What a client gets: the same predictions in the form that it expects.

use std::{fmt, str::FromStr};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{ModelIdentity, ScoreError, ScoreResponse};

/// The form of answers.
///
/// # Examples
///
/// ```
/// use spinney_scoring::AnswerStyle;
///
/// assert_eq!("json-string".parse(), Ok(AnswerStyle::JsonString));
/// assert!("xml".parse::<AnswerStyle>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerStyle {
    /// `{"predictions": [..]}`; what the request does not say is refused.
    #[default]
    Native,
    /// A bare list of predictions, as a scoring script answers that returns a list. Guesses as the workshop's scripts do.
    List,
    /// A JSON string that contains `{"predictions": [..]}`, as a scoring script answers that returns the text of JSON. Guesses
    /// likewise.
    JsonString,
}

impl AnswerStyle {
    /// Whether requests are answered with guesses, as scripts on pandas do, instead of refused.
    #[must_use]
    pub fn guesses(self) -> bool {
        self != Self::Native
    }
}

impl fmt::Display for AnswerStyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::List => "list",
            Self::JsonString => "json-string",
        })
    }
}

/// A text that names no answer style.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no answer style: use native, list or json-string")]
pub struct UnknownAnswerStyle(String);

impl FromStr for AnswerStyle {
    type Err = UnknownAnswerStyle;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let styles = [Self::Native, Self::List, Self::JsonString];
        let named = styles.into_iter().find(|style| style.to_string() == text);
        named.ok_or_else(|| UnknownAnswerStyle(text.to_owned()))
    }
}

/// Writes an answer.
pub(crate) fn answer(
    style: AnswerStyle,
    response: &ScoreResponse,
    model: Option<&ModelIdentity>,
) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(model) = model {
        set(&mut headers, "x-spinney-model", &model.name);
        set(&mut headers, "x-spinney-model-version", &model.version);
        set(&mut headers, "x-spinney-fingerprint", &model.fingerprint);
    }
    let unseen = response.unseen_categories.iter().map(|(name, n)| format!("{name}={n}"));
    set_list(&mut headers, "x-spinney-unseen", unseen);
    let guesses = response.guesses.iter();
    let guesses = guesses.map(|guess| format!("{}={}:{}", guess.column, guess.kind, guess.rows));
    set_list(&mut headers, "x-spinney-guesses", guesses);
    (headers, body(style, &response.predictions)).into_response()
}

fn body(style: AnswerStyle, predictions: &[f64]) -> String {
    match style {
        AnswerStyle::Native => {
            #[derive(Serialize)]
            struct Body<'a> {
                predictions: &'a [f64],
            }
            json(&Body { predictions })
        }
        AnswerStyle::List => python_list(predictions),
        AnswerStyle::JsonString => {
            json(&format!("{{\"predictions\": {}}}", python_list(predictions)))
        }
    }
}

/// A refusal as a script answers that catches its errors: with status 200, and nothing but the message.
pub(crate) fn error_in_answer(error: &ScoreError) -> Response {
    #[derive(Serialize)]
    struct Inner<'a> {
        error: &'a str,
    }
    let inner = json(&Inner { error: &error.to_string() });
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], json(&inner)).into_response()
}

#[expect(clippy::expect_used, reason = "text and numbers can always be written to memory")]
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values are valid JSON")
}

/// A list as Python's `json` writes it.
fn python_list(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|&number| python_float(number)).collect();
    format!("[{}]", numbers.join(", "))
}

/// A number as Python's `repr` writes it: the shortest digits that give it back, with an exponent below -4 and from 16 on.
fn python_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = number.to_string();
        if plain.contains('.') { plain } else { plain + ".0" }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    }
}

fn set_list(headers: &mut HeaderMap, name: &'static str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        set(headers, name, &items.join(", "));
    }
}

/// Names may hold anything, a header may not: what cannot be said there is left out.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `repr` of CPython 3.11.
    #[test]
    fn numbers_are_written_as_python_writes_them() {
        for (number, text) in [
            (210_830.93, "210830.93"),
            (232_084.336_666_666_67, "232084.33666666667"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (-1e300, "-1e+300"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(python_float(number), text);
        }
    }
}
