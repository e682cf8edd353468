//! What a client gets: the same predictions in the form that it expects.

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

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

/// The headers by which an answer says which model gave it, made once.
#[derive(Debug, Default)]
pub(crate) struct ModelHeaders {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ModelHeaders {
    pub(crate) fn new(model: Option<&ModelIdentity>) -> Self {
        let named = model.into_iter().flat_map(|model| {
            [
                ("x-spinney-model", &model.name),
                ("x-spinney-model-version", &model.version),
                ("x-spinney-fingerprint", &model.fingerprint),
            ]
        });
        let header = |(name, value): (&'static str, &String)| {
            // Names may hold anything, a header may not: what cannot be said there is left out.
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        };
        Self { headers: named.filter_map(header).collect() }
    }
}

/// Writes an answer. `room` is a map whose memory may be used: a connection's first request makes one that is large enough, and
/// it goes from answer to request to answer.
pub(crate) fn answer(
    style: AnswerStyle,
    response: &ScoreResponse,
    model: &ModelHeaders,
    mut room: HeaderMap,
) -> Response {
    let mut answer = Response::new(body(style, &response.predictions).into());
    room.clear();
    let headers = answer.headers_mut();
    *headers = room;
    // For all that will be said, so that nothing is moved on the way.
    headers.reserve(24);
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.extend(model.headers.iter().cloned());
    let unseen = response.unseen_categories.iter().map(|(name, n)| format!("{name}={n}"));
    set_list(headers, "x-spinney-unseen", unseen);
    let guesses = response.guesses.iter();
    let guesses = guesses.map(|guess| format!("{}={}:{}", guess.column, guess.kind, guess.rows));
    set_list(headers, "x-spinney-guesses", guesses);
    answer
}

fn body(style: AnswerStyle, predictions: &[f64]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        predictions: &'a [f64],
    }
    match style {
        AnswerStyle::Native => json(&Body { predictions }, CompactFormatter),
        AnswerStyle::List => json(&predictions, PythonFormatter),
        AnswerStyle::JsonString => {
            let inner = json(&Body { predictions }, PythonFormatter);
            json(&String::from_utf8_lossy(&inner), CompactFormatter)
        }
    }
}

/// A refusal as a script answers that catches its errors: with status 200, and nothing but the message.
pub(crate) fn error_in_answer(error: &ScoreError) -> Response {
    #[derive(Serialize)]
    struct Inner<'a> {
        error: &'a str,
    }
    let inner = json(&Inner { error: &error.to_string() }, CompactFormatter);
    let body = json(&String::from_utf8_lossy(&inner), CompactFormatter);
    let mut answer = (StatusCode::OK, [(header::CONTENT_TYPE, JSON)], body).into_response();
    answer.extensions_mut().insert(error.code());
    answer
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[expect(clippy::expect_used, reason = "text and numbers can always be written to memory")]
fn json(value: &impl Serialize, formatter: impl Formatter) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).expect("plain values are valid JSON");
    bytes
}

/// JSON as Python's `json` writes it.
struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    /// As `repr` writes it: the shortest digits that give it back, with an exponent below -4 and from 16 on.
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, number: f64) -> io::Result<()> {
        if number == 0.0 || (1e-4..1e16).contains(&number.abs()) {
            return CompactFormatter.write_f64(out, number);
        }
        let scientific = format!("{number:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{digits}e{sign}{:02}", exponent.abs())
    }
}

fn set_list(headers: &mut HeaderMap, name: &'static str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty()
        && let Ok(value) = HeaderValue::from_str(&items.join(", "))
    {
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
            assert_eq!(json(&number, PythonFormatter), text.as_bytes());
        }
    }
}
