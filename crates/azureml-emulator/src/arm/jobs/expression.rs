//! What is written between `${{` and `}}` in a pipeline.

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Binding(Binding),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Binding {
    /// `${{parent.inputs.x}}`, whose name may have dots: the members of a group.
    Input(String),
    /// `${{parent.jobs.step.outputs.o}}`
    StepOutput { step: String, output: String },
    /// `${{parent.outputs.o}}`
    Output(String),
}

/// Reads a text with bindings.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (inner, after) =
            after.split_once("}}").ok_or_else(|| format!("{text:?} has a ${{{{ without }}}}"))?;
        parts.push(Part::Binding(binding(inner.trim())?));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// The one binding that a text is.
pub(super) fn binding_of(text: &str) -> Option<Binding> {
    match <[Part; 1]>::try_from(parts(text.trim()).ok()?).ok()? {
        [Part::Binding(binding)] => Some(binding),
        [Part::Text(_)] => None,
    }
}

fn binding(text: &str) -> Result<Binding, String> {
    if let Some(name) = text.strip_prefix("parent.inputs.") {
        return Ok(Binding::Input(name.to_owned()));
    }
    if let Some(name) = text.strip_prefix("parent.outputs.") {
        return Ok(Binding::Output(name.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("parent.jobs.")
        && let Some((step, output)) = rest.split_once(".outputs.")
    {
        return Ok(Binding::StepOutput { step: step.to_owned(), output: output.to_owned() });
    }
    Err(format!(
        "${{{{{text}}}}} is none of ${{{{parent.inputs.NAME}}}}, ${{{{parent.jobs.STEP.outputs.NAME}}}} and ${{{{parent.outputs.NAME}}}}"
    ))
}

/// The names that a command has between `${{` and `}}`, such as `inputs.x`.
pub(super) fn placeholders(command: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = command;
    while let Some((_, after)) = rest.split_once("${{") {
        let (inner, after) =
            after.split_once("}}").ok_or("the command has a ${{ without }}".to_owned())?;
        names.push(inner.trim());
        rest = after;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn bindings_are_read_and_everything_else_is_refused_by_its_name() {
        let output = Binding::StepOutput { step: "s".to_owned(), output: "o".to_owned() };
        assert_eq!(binding_of("${{parent.jobs.s.outputs.o}}"), Some(output));
        let input = Binding::Input("group.x".to_owned());
        assert_eq!(binding_of(" ${{ parent.inputs.group.x }} "), Some(input.clone()));
        assert_eq!(binding_of("x${{parent.inputs.a}}"), None);
        assert_eq!(binding_of("plain"), None);
        let text = |text: &str| Part::Text(text.to_owned());
        let found = parts("a ${{parent.inputs.group.x}} b }} c").unwrap();
        assert_eq!(found, [text("a "), Part::Binding(input), text(" b }} c")]);
        assert_eq!(parts("").unwrap(), []);
        for wrong in ["${{inputs.x}}", "${{parent.jobs.s.inputs.x}}", "${{parent.inputs.x", "${{}}"]
        {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            placeholders("a ${{inputs.x}} $[[${{ outputs.y }}]]").unwrap(),
            ["inputs.x", "outputs.y"]
        );
    }
}
