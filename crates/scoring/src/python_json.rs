//! JSON as Python's `json` writes it: with bare `NaN`, `Infinity` and `-Infinity`.
//!
//! No JSON parser for Rust accepts these, so text that one has refused comes here: `NaN` becomes `null`, which is what pandas
//! makes of both, and an infinite number is named by its place.

use std::mem;

use crate::envelope::WRAPPERS;

/// An infinite number in the text, written as `Infinity` or too large for an `f64`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InfiniteNumber {
    /// Index in the innermost array around it, counted from 0; of a list in a list that of the outer one.
    pub(crate) row: Option<usize>,
    /// Key in the innermost object around it, unless it is the name of a wrapper.
    pub(crate) column: Option<String>,
}

/// JSON that was made of what Python wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    pub(crate) json: String,
    /// The first infinite number. It may stand where nobody reads it.
    pub(crate) infinite: Option<InfiniteNumber>,
}

/// Replaces each bare `NaN` by `null`, and `Infinity` by a number that is too large for an `f64`, which the parser refuses where
/// it is read. Text within strings stays as it is, and so does text that is not JSON: telling what is wrong with that is the
/// parser's task.
pub(crate) fn to_json(text: &str) -> Replaced {
    let mut json = String::with_capacity(text.len());
    let mut infinite = None;
    let mut place = Place::default();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let len = match next {
            '"' => string_len(rest),
            '-' | '0'..='9' | 'a'..='z' | 'A'..='Z' => word_len(rest),
            _ => next.len_utf8(),
        };
        let (token, tail) = rest.split_at(len);
        rest = tail;
        if is_infinite(token) && infinite.is_none() {
            infinite = Some(place.infinite());
        }
        place.pass(token);
        json.push_str(match token {
            "NaN" => "null",
            "Infinity" | "-Infinity" => "1e999",
            token => token,
        });
    }
    Replaced { json, infinite }
}

fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if byte == b'"' && !escaped {
            return at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    text.len()
}

fn word_len(text: &str) -> usize {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    text.bytes().position(|byte| !in_word(byte)).unwrap_or(text.len())
}

fn is_infinite(token: &str) -> bool {
    let unsigned = token.strip_prefix('-').unwrap_or(token);
    unsigned == "Infinity"
        || (unsigned.starts_with(|first: char| first.is_ascii_digit())
            && unsigned.parse::<f64>().is_ok_and(f64::is_infinite))
}

/// Where in the text the scan stands: one entry for each open array or object.
#[derive(Default)]
struct Place {
    open: Vec<Container>,
    /// The last string, as written: a key if a colon follows.
    string: String,
}

enum Container {
    Array(usize),
    Object(Option<String>),
}

impl Place {
    fn pass(&mut self, token: &str) {
        match (token, self.open.last_mut()) {
            ("[", _) => self.open.push(Container::Array(0)),
            ("{", _) => self.open.push(Container::Object(None)),
            ("]" | "}", _) => drop(self.open.pop()),
            (",", Some(Container::Array(index))) => *index += 1,
            (":", Some(Container::Object(key))) => *key = Some(mem::take(&mut self.string)),
            _ if token.starts_with('"') => token.clone_into(&mut self.string),
            _ => {}
        }
    }

    fn infinite(&self) -> InfiniteNumber {
        let index = |container: &Container| match container {
            Container::Array(index) => Some(*index),
            Container::Object(_) => None,
        };
        let mut innermost = self.open.iter().rev();
        let row = match (innermost.next().and_then(index), innermost.next().and_then(index)) {
            // A row of values among rows.
            (Some(_), Some(row)) => Some(row),
            _ => self.open.iter().rev().find_map(index),
        };
        let column = self.open.iter().rev().find_map(|container| match container {
            Container::Object(key) => key.as_deref(),
            Container::Array(_) => None,
        });
        let column = column.map(|key| serde_json::from_str(key).unwrap_or_else(|_| key.to_owned()));
        InfiniteNumber { row, column: column.filter(|name| !WRAPPERS.contains(&name.as_str())) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn infinite(row: impl Into<Option<usize>>, column: &str) -> Option<InfiniteNumber> {
        Some(InfiniteNumber { row: row.into(), column: Some(column.to_owned()) })
    }

    fn found(text: &str) -> Option<InfiniteNumber> {
        to_json(text).infinite
    }

    #[test]
    fn replaces_bare_nan_only() {
        let text = r#"[{"a": NaN, "NaN": "NaN \" NaN", "b": [NaN,NaN]}, NaNa, "\\", NaN]"#;
        let json = r#"[{"a": null, "NaN": "NaN \" NaN", "b": [null,null]}, NaNa, "\\", null]"#;
        assert_eq!(to_json(text), Replaced { json: json.to_owned(), infinite: None });
    }

    #[test]
    fn names_the_place_of_infinite_numbers() {
        assert_eq!(found(r#"[{"a": 1}, {"b": 2, "c": Infinity}]"#), infinite(1, "c"));
        assert_eq!(found(r#"{"data": [{"c": -Infinity}]}"#), infinite(0, "c"));
        assert_eq!(found(r#"{"c": [1, 2, 1e400]}"#), infinite(2, "c"));
        assert_eq!(found(r#"{"\u00e9\"": -1e999}"#), infinite(None, "é\""));
        assert_eq!(found("1e400"), Some(InfiniteNumber { row: None, column: None }));
        let row_1 = Some(InfiniteNumber { row: Some(1), column: None });
        assert_eq!(found(r#"{"columns": ["c"], "data": [[1, 2], [3, Infinity]]}"#), row_1);
        assert_eq!(found(r#"["Infinity", "1e400", 1e300]"#), None);
        assert_eq!(to_json("[Infinity, -Infinity, 1e400]").json, "[1e999, 1e999, 1e400]");
    }

    proptest! {
        #[test]
        fn valid_json_stays_as_it_is(strings in prop::collection::vec(any::<String>(), 0..8), number: f64) {
            let json = serde_json::json!({"strings": strings, "number": number}).to_string();
            prop_assert_eq!(to_json(&json).json, json);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:,\"\\\\NaInfity0-9eé. -]{0,60}") {
            let _ = to_json(&text);
        }
    }
}
