use std::collections::BTreeMap;

/// What stands for the placeholders of a command.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Nothing for an optional input that was not given.
    pub(super) inputs: BTreeMap<String, Option<String>>,
    pub(super) outputs: BTreeMap<String, String>,
}

/// Puts values in the place of `${{inputs.x}}` and `${{outputs.y}}`, and leaves `$[[ .. ]]` out where an input within it was not
/// given.
///
/// Values go in as they are, as in Azure: quoting is the shell's business, and so the command's author's. They are not looked
/// through for further placeholders.
pub(super) fn expand(command: &str, values: &Values) -> Result<String, String> {
    let mut expanded = String::with_capacity(command.len());
    // The part within `$[[ .. ]]`, and whether all of its inputs are given.
    let mut optional: Option<(String, bool)> = None;
    let mut rest = command;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("${{") {
            let (name, after) = after
                .split_once("}}")
                .ok_or_else(|| "a `${{` of the command has no `}}`".to_owned())?;
            let value = values.get(name.trim())?;
            match (value, &mut optional) {
                (Some(value), Some((part, _))) => part.push_str(value),
                (Some(value), None) => expanded.push_str(value),
                (None, Some((_, is_given))) => *is_given = false,
                (None, None) => {
                    return Err(format!(
                        "the command needs `{}`, which is optional and was not given: it belongs between `$[[` and `]]`",
                        name.trim()
                    ));
                }
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix("$[[") {
            if optional.is_some() {
                return Err("the command has a `$[[` within another".to_owned());
            }
            optional = Some((String::new(), true));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("]]").filter(|_| optional.is_some()) {
            if let Some((part, true)) = optional.take() {
                expanded.push_str(&part);
            }
            rest = after;
        } else {
            optional.as_mut().map_or(&mut expanded, |(part, _)| part).push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    if optional.is_some() {
        return Err("a `$[[` of the command has no `]]`".to_owned());
    }
    Ok(expanded)
}

impl Values {
    fn get(&self, name: &str) -> Result<Option<&str>, String> {
        let known = match name.split_once('.') {
            Some(("inputs", input)) => self.inputs.get(input).map(Option::as_deref),
            Some(("outputs", output)) => self.outputs.get(output).map(|path| Some(path.as_str())),
            _ => {
                return Err(format!(
                    "the command's `${{{{{name}}}}}` is neither `${{{{inputs.x}}}}` nor `${{{{outputs.x}}}}`"
                ));
            }
        };
        known.ok_or_else(|| format!("the command names `{name}`, which the job has not"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        let inputs =
            [("data", Some("/in/a b.csv")), ("n", Some("${{inputs.data}}")), ("extra", None)];
        Values {
            inputs: inputs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect(),
            outputs: BTreeMap::from([("model".to_owned(), "/out/model".to_owned())]),
        }
    }

    #[test]
    fn values_go_in_as_they_are() {
        for (command, expanded) in [
            ("python x.py", "python x.py"),
            ("x ${{inputs.data}} ${{ outputs.model }}", "x /in/a b.csv /out/model"),
            ("x '${{inputs.n}}'", "x '${{inputs.data}}'"),
            ("größe ${{inputs.data}}€", "größe /in/a b.csv€"),
            (
                "if [[ -f x ]]; then echo $HOME ${x} $[1] {} }} $; fi",
                "if [[ -f x ]]; then echo $HOME ${x} $[1] {} }} $; fi",
            ),
        ] {
            assert_eq!(expand(command, &values()).as_deref(), Ok(expanded), "{command}");
        }
    }

    #[test]
    fn what_is_optional_goes_with_its_input() {
        for (command, expanded) in [
            ("x $[[--e ${{inputs.extra}}]] y", "x  y"),
            ("x $[[--d ${{inputs.data}}]] y", "x --d /in/a b.csv y"),
            ("x $[[--d ${{inputs.data}} --e ${{inputs.extra}}]]", "x "),
            ("x $[[ always ]]$[[]]", "x  always "),
            ("[[ -f $[[${{inputs.data}}]] ]]", "[[ -f /in/a b.csv ]]"),
        ] {
            assert_eq!(expand(command, &values()).as_deref(), Ok(expanded), "{command}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (command, problem) in [
            ("${{inputs.none}}", "the command names `inputs.none`, which the job has not"),
            ("${{outputs.data}}", "the command names `outputs.data`, which the job has not"),
            (
                "${{search_space.x}}",
                "the command's `${{search_space.x}}` is neither `${{inputs.x}}` nor `${{outputs.x}}`",
            ),
            (
                "x ${{inputs.extra}}",
                "the command needs `inputs.extra`, which is optional and was not given: it belongs between `$[[` and `]]`",
            ),
            ("${{inputs.data", "a `${{` of the command has no `}}`"),
            ("$[[ x", "a `$[[` of the command has no `]]`"),
            ("$[[ $[[ x ]] ]]", "the command has a `$[[` within another"),
        ] {
            assert_eq!(expand(command, &values()), Err(problem.to_owned()), "{command}");
        }
    }

    proptest! {
        #[test]
        fn no_command_makes_it_panic(
            command in r"(\$\{\{|\}\}|\$\[\[|\]\]|inputs\.data|inputs\.extra|outputs\.model|[ -~]|\PC){0,40}"
        ) {
            let _ = expand(&command, &values());
        }

        #[test]
        fn a_value_arrives_whole(value in r"(\$\{\{|\}\}|\$\[\[|\]\]|inputs\.x|\PC){0,20}") {
            let inputs = BTreeMap::from([("x".to_owned(), Some(value.clone()))]);
            let values = Values { inputs, outputs: BTreeMap::new() };
            let expanded = expand("a ${{inputs.x}} $[[b ${{inputs.x}}]] c", &values);
            prop_assert_eq!(expanded, Ok(format!("a {value} b {value} c")));
        }
    }
}
