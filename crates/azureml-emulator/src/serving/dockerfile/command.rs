/// What `ENTRYPOINT` and `CMD` say, in their two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Exec(Vec<String>),
    Shell(String),
}

impl Command {
    /// An array of JSON is the exec form; all else is for the shell, as Docker has it.
    pub(super) fn read(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(words) => Self::Exec(words),
            Err(_) => Self::Shell(text.to_owned()),
        }
    }

    fn into_words(self) -> Vec<String> {
        match self {
            Self::Exec(words) => words,
            Self::Shell(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line],
        }
    }

    /// The program with its arguments: what `CMD` says is behind the exec form of `ENTRYPOINT`, and lost behind its shell form.
    pub(crate) fn line(entrypoint: Option<&Self>, command: Option<&Self>) -> Vec<String> {
        let words = |command: Option<&Self>| command.cloned().map_or(Vec::new(), Self::into_words);
        match entrypoint {
            Some(Self::Shell(_)) => words(entrypoint),
            Some(Self::Exec(_)) | None => [words(entrypoint), words(command)].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_combine_as_in_docker() {
        let exec = Command::read(r#"["serve", "--port"]"#);
        let shell = Command::read("serve $X");
        assert_eq!(Command::line(Some(&exec), None), ["serve", "--port"]);
        let five = Command::read(r#"["5"]"#);
        assert_eq!(Command::line(Some(&exec), Some(&five)), ["serve", "--port", "5"]);
        assert_eq!(Command::line(Some(&shell), Some(&exec)), ["/bin/sh", "-c", "serve $X"]);
        assert_eq!(Command::line(None, Some(&exec)), ["serve", "--port"]);
        // Quotes that JSON does not know make it a line for the shell.
        assert_eq!(Command::read("['a']"), Command::Shell("['a']".to_owned()));
        assert!(Command::line(None, None).is_empty());
    }
}
