//! The placeholders of a command: `${{inputs.x}}`, `${{outputs.y}}`, and `$[[ .. ]]` around what is left out without its input.

use crate::name_list::name_list;

/// Checks that a command's placeholders name inputs and outputs that there are. `is_always_given` is asked about inputs outside
/// `$[[ .. ]]`: a command with a value missing in its middle fails on the machine.
pub(crate) fn check(
    command: &str,
    inputs: &[&str],
    outputs: &[&str],
    is_always_given: impl Fn(&str) -> bool,
) -> Result<(), String> {
    for placeholder in placeholders(command)? {
        let Placeholder { text, is_optional } = placeholder;
        if let Some(name) = text.strip_prefix("inputs.") {
            if !inputs.contains(&name) {
                let there = name_list(inputs.iter().copied());
                return Err(format!("the command names an input `{name}`; there are {there}"));
            }
            if !is_optional && !is_always_given(name) {
                return Err(format!(
                    "the command needs the optional input `{name}`: put `$[[` and `]]` around that part of it"
                ));
            }
        } else if let Some(name) = text.strip_prefix("outputs.") {
            if !outputs.contains(&name) {
                let there = name_list(outputs.iter().copied());
                return Err(format!("the command names an output `{name}`; there are {there}"));
            }
        } else {
            return Err(format!(
                "the command's `${{{{{text}}}}}` is neither `${{{{inputs.x}}}}` nor `${{{{outputs.x}}}}`"
            ));
        }
    }
    Ok(())
}

struct Placeholder<'a> {
    text: &'a str,
    /// Whether it is within `$[[ .. ]]`.
    is_optional: bool,
}

fn placeholders(command: &str) -> Result<Vec<Placeholder<'_>>, String> {
    let mut found = Vec::new();
    let mut is_optional = false;
    let mut rest = command;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("${{") {
            let Some((text, after)) = after.split_once("}}") else {
                return Err("a `${{` of the command has no `}}`".to_owned());
            };
            found.push(Placeholder { text: text.trim(), is_optional });
            rest = after;
        } else if let Some(after) = rest.strip_prefix("$[[") {
            if is_optional {
                return Err("the command has a `$[[` within another".to_owned());
            }
            is_optional = true;
            rest = after;
        } else if is_optional && let Some(after) = rest.strip_prefix("]]") {
            is_optional = false;
            rest = after;
        } else {
            let mut chars = rest.chars();
            chars.next();
            rest = chars.as_str();
        }
    }
    if is_optional {
        return Err("a `$[[` of the command has no `]]`".to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(command: &str) -> Result<(), String> {
        check(command, &["a", "b"], &["o"], |name| name == "a")
    }

    #[test]
    fn placeholders_must_name_what_there_is() {
        for command in [
            "python x.py",
            "if [[ -f x ]]; then cat ${{inputs.a}} > ${{outputs.o}}; fi",
            "x ${{ inputs.a }} $[[--b ${{inputs.b}} --o ${{outputs.o}}]] ${{inputs.a}}",
            "größe ${{inputs.a}}",
        ] {
            assert_eq!(check_text(command), Ok(()), "{command}");
        }
        for (command, problem) in [
            ("${{inputs.c}}", "the command names an input `c`; there are `a` and `b`"),
            ("${{outputs.a}}", "the command names an output `a`; there are `o`"),
            (
                "${{search_space.a}}",
                "the command's `${{search_space.a}}` is neither `${{inputs.x}}` nor `${{outputs.x}}`",
            ),
            ("${{inputs.a", "a `${{` of the command has no `}}`"),
            ("$[[${{inputs.b}}", "a `$[[` of the command has no `]]`"),
            ("$[[$[[${{inputs.b}}]]]]", "the command has a `$[[` within another"),
            (
                "${{inputs.b}}",
                "the command needs the optional input `b`: put `$[[` and `]]` around that part of it",
            ),
        ] {
            assert_eq!(check_text(command), Err(problem.to_owned()), "{command}");
        }
    }
}
