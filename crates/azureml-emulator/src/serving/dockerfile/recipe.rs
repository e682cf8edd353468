use super::{
    Command, Refused,
    lines::{self, Line},
    root::absolute,
    words::{Variables, words},
};

/// What a Dockerfile says, as far as the emulator follows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) copies: Vec<Copy>,
    pub(crate) variables: Variables,
    /// The folder that the program is started in.
    pub(crate) folder: String,
    /// All folders that `WORKDIR` has named, which it makes.
    pub(crate) folders: Vec<String>,
    pub(crate) entrypoint: Option<Command>,
    pub(crate) command: Option<Command>,
    /// What was read and has no effect here.
    pub(crate) notes: Vec<String>,
}

/// Files that are put into the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) line: usize,
    /// In the context, with `/` between their parts; empty for the context itself.
    pub(crate) sources: Vec<String>,
    /// In the image, absolute.
    pub(crate) to: String,
    /// Whether the line says that this is a folder.
    pub(crate) is_folder: bool,
    /// The permissions, if the line gives any.
    pub(crate) mode: Option<u32>,
}

impl Recipe {
    /// Reads a Dockerfile. `path` is what the base image would have as `PATH`.
    pub(crate) fn read(text: &str, path: &str) -> Result<Self, Refused> {
        let mut recipe = Self {
            copies: Vec::new(),
            variables: [("PATH".to_owned(), path.to_owned())].into(),
            folder: "/".to_owned(),
            folders: Vec::new(),
            entrypoint: None,
            command: None,
            notes: Vec::new(),
        };
        let mut has_base = false;
        for line in lines::read(text)? {
            let refused = |why: String| Refused::new(line.number, why);
            if !has_base && line.instruction != "FROM" {
                return Err(refused("FROM must come first".to_owned()));
            }
            match line.instruction.as_str() {
                "FROM" if has_base => {
                    let why = "the emulator builds one stage: a second FROM needs an engine";
                    return Err(refused(why.to_owned()));
                }
                "FROM" => {
                    let base = line.rest.split_whitespace().find(|word| !word.starts_with("--"));
                    let base = base.ok_or_else(|| refused("FROM names no image".to_owned()))?;
                    has_base = true;
                    if base != "scratch" {
                        recipe.note(&line, "the base image is not there, what this machine has is");
                    }
                }
                _ => recipe.follow(&line).map_err(refused)?,
            }
        }
        if !has_base {
            return Err(Refused::new(0, "it has no FROM"));
        }
        if Command::line(recipe.entrypoint.as_ref(), recipe.command.as_ref()).is_empty() {
            let why = "it has neither ENTRYPOINT nor CMD, and the base image's are not known here";
            return Err(Refused::new(0, why));
        }
        Ok(recipe)
    }

    fn note(&mut self, line: &Line<'_>, why: &str) {
        self.notes.push(format!("line {}: {}: {why}", line.number, line.first));
    }

    fn follow(&mut self, line: &Line<'_>) -> Result<(), String> {
        let text = line.rest.as_str();
        match line.instruction.as_str() {
            "COPY" => {
                let copy = self.copy(line)?;
                self.copies.push(copy);
            }
            "ENV" => self.set_variables(text)?,
            "WORKDIR" => {
                let words = words(text, &self.variables)?;
                let [folder] = words.as_slice() else {
                    return Err("WORKDIR has one folder".to_owned());
                };
                self.folder = absolute(&self.folder, folder);
                self.folders.push(self.folder.clone());
            }
            "ENTRYPOINT" if !text.is_empty() => self.entrypoint = Some(Command::read(text)),
            "CMD" if !text.is_empty() => self.command = Some(Command::read(text)),
            "EXPOSE" | "LABEL" => {
                words(text, &self.variables)?;
            }
            "USER" => self.note(line, "the program runs as the emulator's user"),
            name => {
                return Err(format!(
                    "{name} needs an engine for containers: the emulator follows FROM, COPY, ENV, WORKDIR, ENTRYPOINT, CMD, EXPOSE, USER and LABEL"
                ));
            }
        }
        Ok(())
    }

    fn copy(&mut self, line: &Line<'_>) -> Result<Copy, String> {
        let mut rest = line.rest.as_str();
        let mut mode = None;
        while rest.starts_with("--") {
            let (flag, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            rest = behind.trim_start();
            match flag.split_once('=') {
                Some(("--chown", _)) => self.note(line, "files belong to the emulator's user"),
                Some(("--chmod", digits)) => {
                    let read = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777);
                    mode = Some(read.ok_or_else(|| format!("--chmod={digits} is no octal mode"))?);
                }
                Some(("--from", _)) => {
                    return Err("COPY --from needs other images, which are not there".to_owned());
                }
                _ => return Err(format!("the emulator does not know {flag}")),
            }
        }
        let mut paths = match serde_json::from_str::<Vec<String>>(rest) {
            Ok(paths) => paths,
            Err(_) => words(rest, &self.variables)?,
        };
        if paths.iter().any(|path| path.starts_with("<<")) {
            return Err("files that are written within the Dockerfile are not supported".to_owned());
        }
        let to = paths.pop().filter(|_| !paths.is_empty());
        let to = to.ok_or_else(|| "COPY has a source and a destination".to_owned())?;
        let is_folder = paths.len() > 1
            || to.ends_with('/')
            || [".", ".."].contains(&to.rsplit('/').next().unwrap_or_default());
        let sources = paths.iter().map(|path| source(path)).collect::<Result<_, _>>()?;
        let to = absolute(&self.folder, &to);
        Ok(Copy { line: line.number, sources, to, is_folder, mode })
    }

    /// `NAME=VALUE ..`, or the older `NAME VALUE`, which takes the rest of the line.
    fn set_variables(&mut self, text: &str) -> Result<(), String> {
        let first = text.split_whitespace().next().unwrap_or_default();
        let pairs: Vec<(String, String)> = if first.contains('=') {
            let words = words(text, &self.variables)?;
            let pair = |word: &String| {
                let pair = word.split_once('=').ok_or_else(|| format!("{word:?} has no value"))?;
                Ok::<_, String>((pair.0.to_owned(), pair.1.to_owned()))
            };
            words.iter().map(pair).collect::<Result<_, _>>()?
        } else {
            let (name, value) = text
                .split_once(char::is_whitespace)
                .ok_or_else(|| "ENV has a name and a value".to_owned())?;
            vec![(name.to_owned(), words(value, &self.variables)?.join(" "))]
        };
        for (name, value) in pairs {
            if name.is_empty() || name.contains('\0') || value.contains('\0') {
                return Err(format!("{name:?} cannot be the name of a variable"));
            }
            self.variables.insert(name, value);
        }
        Ok(())
    }
}

/// A path in the context, which nothing leads out of.
fn source(path: &str) -> Result<String, String> {
    if path.contains(['*', '?', '[', '\0', '\\']) {
        return Err(format!("{path:?}: name the files: patterns are not supported"));
    }
    let mut parts = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return Err(format!("{path:?} leads out of the build context"));
        }
        parts.push(part);
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Recipe, Refused> {
        Recipe::read(text, "/usr/bin")
    }

    #[test]
    fn what_a_serving_image_says_is_read() {
        let recipe = read(
            "FROM debian:bookworm-slim\nLABEL a=b\nENV ROOT=/app PORT=5001\nENV GREETING hello  $ROOT\n\
             WORKDIR $ROOT\nWORKDIR bin\nCOPY --chmod=755 target/serve target/other ./\n\
             COPY [\"a file\", \"/model/x\"]\nENV PATH=$ROOT/bin:$PATH\nUSER 65532\nEXPOSE $PORT\n\
             ENTRYPOINT [\"/app/bin/serve\"]\nCMD [\"--port\", \"5001\"]\n",
        )
        .unwrap();
        assert_eq!(recipe.folder, "/app/bin");
        assert_eq!(recipe.folders, ["/app", "/app/bin"]);
        assert_eq!(recipe.variables["PATH"], "/app/bin:/usr/bin");
        assert_eq!(recipe.variables["GREETING"], "hello /app");
        let [first, second] = recipe.copies.as_slice() else { panic!("{recipe:?}") };
        assert_eq!(first.sources, ["target/serve", "target/other"]);
        assert_eq!(
            (first.to.as_str(), first.is_folder, first.mode),
            ("/app/bin", true, Some(0o755))
        );
        assert_eq!((second.sources[0].as_str(), second.to.as_str()), ("a file", "/model/x"));
        assert!(!second.is_folder);
        let line = Command::line(recipe.entrypoint.as_ref(), recipe.command.as_ref());
        assert_eq!(line, ["/app/bin/serve", "--port", "5001"]);
        assert_eq!(recipe.notes.len(), 2, "{:?}", recipe.notes);
    }

    #[test]
    fn what_needs_an_engine_is_refused_with_its_line() {
        for (text, line, word) in [
            ("FROM x\nCMD a\nRUN pip install x", 3, "RUN"),
            ("FROM x\nADD a /a\nCMD a", 2, "ADD"),
            ("ARG x\nFROM x", 1, "FROM must come first"),
            ("FROM x AS build\nCMD a\nFROM scratch", 3, "second FROM"),
            ("FROM x\nCOPY --from=build /a /b\nCMD a", 2, "--from"),
            ("FROM x\nCOPY ../secret /b\nCMD a", 2, "leads out"),
            ("FROM x\nCOPY a/../../secret /b\nCMD a", 2, "leads out"),
            ("FROM x\nCOPY *.py /b\nCMD a", 2, "patterns"),
            ("FROM x\nCOPY <<EOF /b\nCMD a", 2, "within the Dockerfile"),
            ("FROM x\nCOPY a\nCMD a", 2, "destination"),
            ("FROM x\nCOPY --chmod=999 a b\nCMD a", 2, "octal"),
            ("FROM x\nENV A\nCMD a", 2, "value"),
            ("FROM x\nENV \\\n  A=1 B\nCMD a", 2, "no value"),
            ("FROM x\nHEALTHCHECK NONE\nCMD a", 2, "HEALTHCHECK"),
            ("FROM x\nCMD", 2, "CMD"),
            ("FROM\nCMD a", 1, "no image"),
            ("FROM x\n", 0, "neither"),
            ("FROM x\nENTRYPOINT []", 0, "neither"),
            ("", 0, "no FROM"),
        ] {
            let refused = read(text).unwrap_err();
            assert_eq!(refused.line, line, "{text}: {refused}");
            assert!(refused.why.contains(word), "{text}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_leads_out(
            text in "(FROM x\n)?((COPY|ENV|WORKDIR|CMD|USER|copy) ?[ a-z./$\\{}\"'=:\\\\\\[\\]\n-]{0,30}\n){0,8}"
        ) {
            if let Ok(recipe) = read(&text) {
                let is_inside = |path: &str| !path.split('/').any(|part| part == "..");
                for copy in &recipe.copies {
                    prop_assert!(copy.to.starts_with('/') && is_inside(&copy.to));
                    prop_assert!(copy.sources.iter().all(|path| is_inside(path) && !path.starts_with('/')));
                }
                prop_assert!(recipe.folders.iter().all(|path| path.starts_with('/') && is_inside(path)));
            }
        }

        #[test]
        fn any_text_at_all_is_read_or_refused(text in any::<String>()) {
            let _ = read(&text);
            let _ = read(&format!("FROM x\nENV A={text}\nCMD $A"));
        }
    }
}
