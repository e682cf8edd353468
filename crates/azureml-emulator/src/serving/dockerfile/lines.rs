use super::Refused;

/// An instruction as it is written, with the lines that continue it put behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Where it begins, counted from 1.
    pub(super) number: usize,
    /// In upper case.
    pub(super) instruction: String,
    pub(super) rest: String,
    /// As it begins, for messages.
    pub(super) first: &'a str,
}

/// The longest Dockerfile that is read.
const MAX_LENGTH: usize = 1 << 20;

pub(super) fn read(text: &str) -> Result<Vec<Line<'_>>, Refused> {
    if text.len() > MAX_LENGTH {
        return Err(Refused::new(0, format!("it is longer than {MAX_LENGTH} bytes")));
    }
    check_escape(text)?;
    let mut lines = Vec::new();
    let mut open: Option<(usize, String, &str)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        // Comments and empty lines do not end an instruction that is being continued.
        if line.trim_start().starts_with('#') || (line.trim().is_empty() && open.is_some()) {
            continue;
        }
        let (begun, mut whole, first) = open.take().unwrap_or((number, String::new(), line));
        let end = line.trim_end();
        match end.strip_suffix('\\') {
            Some(start) => {
                whole.push_str(start);
                open = Some((begun, whole, first));
            }
            None => {
                whole.push_str(end);
                lines.extend(split(begun, &whole, first));
            }
        }
    }
    if let Some((begun, whole, first)) = open {
        lines.extend(split(begun, &whole, first));
    }
    Ok(lines)
}

fn split<'a>(number: usize, whole: &str, first: &'a str) -> Option<Line<'a>> {
    let whole = whole.trim();
    if whole.is_empty() {
        return None;
    }
    let (instruction, rest) =
        whole.split_once(char::is_whitespace).map_or((whole, ""), |(word, rest)| (word, rest));
    Some(Line {
        number,
        instruction: instruction.to_uppercase(),
        rest: rest.trim().to_owned(),
        first: first.trim(),
    })
}

/// Directives stand in comments at the very beginning; the one of them that would change how the rest is read is refused.
fn check_escape(text: &str) -> Result<(), Refused> {
    for (number, line) in (1..).zip(text.lines()) {
        let Some(comment) = line.trim_start().strip_prefix('#') else { break };
        let Some((name, value)) = comment.split_once('=') else { break };
        if name.trim().eq_ignore_ascii_case("escape") && value.trim() != "\\" {
            return Err(Refused::new(number, "the escape character can only be the backslash"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_continued_lines_and_leaves_comments_out() {
        let text = "# syntax=docker/dockerfile:1\nFROM x\n\n\
                    env A=1 \\\n # between\n\n    B=2\ncmd [\"a\"]\\";
        let lines = read(text).unwrap();
        let found: Vec<_> = lines
            .iter()
            .map(|line| (line.number, line.instruction.as_str(), line.rest.as_str()))
            .collect();
        assert_eq!(found, [(2, "FROM", "x"), (4, "ENV", "A=1     B=2"), (8, "CMD", "[\"a\"]")]);
        assert_eq!(lines[1].first, "env A=1 \\");
    }

    #[test]
    fn another_escape_character_and_a_file_without_end_are_refused() {
        assert_eq!(read("# escape=`\nFROM x").unwrap_err().line, 1);
        assert!(read("# escape=\\\nFROM x").is_ok());
        // No directive any more.
        assert!(read("FROM x\n# escape=`").is_ok());
        assert!(read(&"#".repeat(MAX_LENGTH + 1)).is_err());
    }
}
