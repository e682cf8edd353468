/// Names for an error that says what there is: `` `a`, `b` and `c` ``.
pub(crate) fn name_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Whether inputs, outputs and steps may be called so: it becomes a name in the job's own code.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.len() <= 255
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_one_would_say_them() {
        assert_eq!(name_list([]), "none");
        assert_eq!(name_list(["a"]), "`a`");
        assert_eq!(name_list(["a", "b"]), "`a` and `b`");
        assert_eq!(name_list(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn identifiers_have_no_hyphen_dot_or_digit_first() {
        for name in ["X", "x_train", "_1"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "1x", "x-train", "x.y", "größe", "x y", "}}"] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
