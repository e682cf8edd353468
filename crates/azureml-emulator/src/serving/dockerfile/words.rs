//! Words of an instruction: quotes, escapes and variables, as a Dockerfile has them.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

pub(super) type Variables = BTreeMap<String, String>;

/// The longest text that variables may make of a line: each may hold others twice.
const MAX_LENGTH: usize = 128 << 10;

/// Splits at blanks outside of quotes, and puts variables in.
pub(super) fn words(text: &str, variables: &Variables) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut length = 0;
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        let before = word.as_ref().map_or(0, String::len);
        match (c, quote) {
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            ('\\', None) => word.get_or_insert_default().extend(chars.next()),
            ('\\', Some('"')) => {
                // Within quotes only what means something there can be escaped.
                let escaped = chars.next_if(|next| ['"', '$', '\\'].contains(next));
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            ('$', None | Some('"')) => {
                let value = variable(&mut chars, variables)?;
                word.get_or_insert_default().push_str(&value);
            }
            (c, _) => word.get_or_insert_default().push(c),
        }
        length += word.as_ref().map_or(0, String::len).saturating_sub(before);
        if length > MAX_LENGTH {
            return Err(format!("its variables make it longer than {MAX_LENGTH} bytes"));
        }
    }
    if let Some(quote) = quote {
        return Err(format!("there is a {quote} without another"));
    }
    words.extend(word);
    Ok(words)
}

/// The value behind a dollar sign.
fn variable(chars: &mut Peekable<Chars<'_>>, variables: &Variables) -> Result<String, String> {
    let is_of_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    if chars.next_if_eq(&'{').is_none() {
        let mut name = String::new();
        while let Some(c) = chars.next_if(is_of_name) {
            name.push(c);
        }
        return Ok(if name.is_empty() {
            "$".to_owned()
        } else {
            variables.get(&name).cloned().unwrap_or_default()
        });
    }
    let mut inside = String::new();
    loop {
        match chars.next() {
            Some('}') => break,
            Some(c) => inside.push(c),
            None => return Err(format!("${{{inside} has no end")),
        }
    }
    let (name, rule) = match inside.split_once(':') {
        Some((name, rule)) => (name, Some(rule)),
        None => (inside.as_str(), None),
    };
    if name.is_empty() || !name.chars().all(|c| is_of_name(&c)) {
        return Err(format!("${{{inside}}} is no variable"));
    }
    let value = variables.get(name).filter(|value| !value.is_empty());
    let Some(rule) = rule else { return Ok(value.cloned().unwrap_or_default()) };
    if rule.contains('$') {
        return Err(format!("${{{inside}}} has a variable within a variable"));
    }
    match (rule.strip_prefix('-'), rule.strip_prefix('+')) {
        (Some(word), _) => Ok(value.cloned().unwrap_or_else(|| word.to_owned())),
        (_, Some(word)) => Ok(value.map(|_| word.to_owned()).unwrap_or_default()),
        _ => Err(format!("${{{inside}}}: only :- and :+ may stand behind a name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let variables = [("A", "one"), ("EMPTY", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        words(text, &variables).unwrap()
    }

    #[test]
    fn quotes_escapes_and_variables_are_docker_s() {
        assert_eq!(read("a  b\tc"), ["a", "b", "c"]);
        assert_eq!(read(r#"a="1 2"'3 4' b\ c "\"\n""#), ["a=1 23 4", "b c", r#""\n"#]);
        assert_eq!(
            read("$A ${A}x '$A' \"$A\" \\$A $ $B."),
            ["one", "onex", "$A", "one", "$A", "$", "."]
        );
        assert_eq!(
            read("${EMPTY:-x} ${A:-x} ${A:+x} ${B:+x}y '' \"\""),
            ["x", "one", "x", "y", "", ""]
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let doubled = Variables::from([("A".to_owned(), "a".repeat(70_000))]);
        assert!(words("$A", &doubled).is_ok());
        for text in ["'a", "\"a", "${A", "${}", "${A:?x}", "${A:-$B}", "${é}", "${A:é}", "$A$A"] {
            assert!(words(text, &doubled).is_err(), "{text}");
        }
    }
}
