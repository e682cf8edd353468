//! The form that nearly all requests have, read in one pass: a list of objects, as it is or under one name.
//!
//! Whatever else it may be is left to [`envelope`](crate::envelope), and so is every refusal.

use spinney_preprocess::{InputSchema, Table};

use crate::envelope::WRAPPERS;

/// The table, if the text has that form and nothing is wrong with it.
pub(crate) fn table(
    text: &str,
    schema: &InputSchema,
    mut unknown: impl FnMut(&str),
) -> Option<Table> {
    // Objects that tell a data type may be tensors.
    let mut tensors = schema.columns().any(|(name, _)| name == "datatype");
    let observe = |name: &str| {
        tensors |= name == "datatype";
        unknown(name);
    };
    let table = Table::from_json_with(list(text)?, schema, observe).ok()?;
    (!tensors).then_some(table)
}

/// Where the list must stand, without a look into it. What follows it is checked by whoever reads it to its end.
fn list(text: &str) -> Option<&str> {
    let text = trim(text);
    if text.starts_with('[') {
        return Some(text);
    }
    let inner = trim(text.strip_prefix('{')?.strip_suffix('}')?).strip_prefix('"')?;
    let (name, rest) = inner.split_once('"')?;
    let list = trim(trim(rest).strip_prefix(':')?);
    (WRAPPERS.contains(&name) && list.starts_with('[')).then_some(list)
}

/// Without what JSON calls white space.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\n', '\r', '\t'])
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn finds_the_list() {
        for text in ["[1]", " [1]\n", "{\"data\":[1]}", "{ \"inputs\" : [1] } "] {
            assert_eq!(list(text), Some("[1]"), "{text}");
        }
        for text in [
            "",
            "{",
            "{}",
            "1",
            "{\"x\": [1]}",
            "{\"data\": {}}",
            "{\"d\\u0061ta\": [1]}",
            "{\"data\"}",
        ] {
            assert_eq!(list(text), None, "{text}");
        }
        // More than the list: what it is given to refuses it.
        assert_eq!(list("{\"data\": [1], \"x\": [2]}"), Some("[1], \"x\": [2]"));
    }
}
