//! What a body must contain, by JSON pointer.

use serde_json::Value;

use super::reply::Refusal;

type Checked<T> = Result<T, Refusal>;

fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn wrong(pointer: &str, what: &str, found: &Value) -> Refusal {
    Refusal::user_error(format!("{} must be {what}, and is {found}", dotted(pointer)))
}

/// A field that is there and not `null`.
fn present<'a>(body: &'a Value, pointer: &str) -> Option<&'a Value> {
    body.pointer(pointer).filter(|value| !value.is_null())
}

fn missing(pointer: &str) -> Refusal {
    let path = dotted(pointer);
    Refusal::user_error(format!("The field {path} is required."))
        .detail("RequiredField", &format!("{path} is required"))
}

pub(crate) fn is_object(body: &Value, pointer: &str) -> Checked<()> {
    match present(body, pointer) {
        None => Err(missing(pointer)),
        Some(Value::Object(_)) => Ok(()),
        Some(other) => Err(wrong(pointer, "an object", other)),
    }
}

pub(crate) fn optional_object(body: &Value, pointer: &str) -> Checked<()> {
    present(body, pointer).map_or(Ok(()), |_| is_object(body, pointer))
}

pub(crate) fn text<'a>(body: &'a Value, pointer: &str) -> Checked<&'a str> {
    optional_text(body, pointer)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(pointer))
}

pub(crate) fn optional_text<'a>(body: &'a Value, pointer: &str) -> Checked<Option<&'a str>> {
    match present(body, pointer) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(pointer, "a string", other)),
    }
}

pub(crate) fn optional_whole(body: &Value, pointer: &str) -> Checked<Option<u64>> {
    match present(body, pointer) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(pointer, "a whole number from 0", value)),
        },
    }
}

pub(crate) fn whole(body: &Value, pointer: &str) -> Checked<u64> {
    optional_whole(body, pointer)?.ok_or_else(|| missing(pointer))
}

pub(crate) fn optional_bool(body: &Value, pointer: &str) -> Checked<Option<bool>> {
    match present(body, pointer) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(wrong(pointer, "true or false", other)),
    }
}

/// One of some words, in any case; as it is spelled there.
pub(crate) fn one_of(body: &Value, pointer: &str, words: &[&'static str]) -> Checked<&'static str> {
    let value = text(body, pointer)?;
    match words.iter().find(|word| word.eq_ignore_ascii_case(value)) {
        Some(word) => Ok(word),
        None => Err(Refusal::user_error(format!(
            "{} is {value:?}, and must be one of {}",
            dotted(pointer),
            words.join(", ")
        ))),
    }
}

/// A map of strings, if it is there: tags. Numbers are taken too: the SDK sends one.
pub(crate) fn optional_words(body: &Value, pointer: &str) -> Checked<()> {
    let Some(value) = present(body, pointer) else { return Ok(()) };
    let Value::Object(words) = value else { return Err(wrong(pointer, "an object", value)) };
    match words.iter().find(|(_, word)| !word.is_string() && !word.is_number() && !word.is_null()) {
        None => Ok(()),
        Some((name, word)) => Err(wrong(&format!("{pointer}/{name}"), "a string", word)),
    }
}

/// The location, which Azure Resource Manager asks for.
pub(crate) fn location(body: &Value) -> Checked<&str> {
    optional_text(body, "/location")?.filter(|location| !location.is_empty()).ok_or_else(|| {
        let message = "The location property is required for this definition.";
        Refusal::new(400, "LocationRequired", message)
    })
}
