use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Copy, Refused};

/// A folder that stands for the root of a container.
#[derive(Debug, Clone)]
pub(crate) struct Root(pub(crate) PathBuf);

/// A path within a container, without `.` and `..`, and never above the root.
pub(crate) fn absolute(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl Root {
    /// Where something of the container is on this machine.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.0.join(absolute("/", path).trim_start_matches('/'))
    }

    /// Puts the container's paths in a text into the place where they are, if they are there: `/model` in `--model=/model`, or in a line for
    /// the shell.
    pub(crate) fn translated(&self, text: &str) -> String {
        let mut result = String::with_capacity(text.len());
        let mut before = None;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let begins = c == '/' && !before.is_some_and(is_of_path);
            if begins {
                let end = rest.find(|c| !is_of_path(c)).unwrap_or(rest.len());
                let (path, behind) = rest.split_at(end);
                let place = self.outside(path);
                if !path.starts_with("//") && place != self.0 && place.exists() {
                    result.push_str(&place.to_string_lossy());
                } else {
                    result.push_str(path);
                }
                before = path.chars().last();
                rest = behind;
            } else {
                result.push(c);
                before = Some(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        result
    }

    /// Follows a `COPY` from a context that is on this machine.
    pub(crate) fn copy(&self, context: &Path, copy: &Copy) -> io::Result<Result<(), Refused>> {
        let to = self.outside(&copy.to);
        for source in &copy.sources {
            let from = if source.is_empty() { context.to_owned() } else { context.join(source) };
            if from.is_dir() {
                copy_folder(&from, &to, copy.mode)?;
            } else if from.is_file() {
                let is_folder = copy.is_folder || to.is_dir();
                let name = from.file_name().unwrap_or_default();
                copy_file(&from, &if is_folder { to.join(name) } else { to.clone() }, copy.mode)?;
            } else {
                let why = format!("{source:?} is not in the build context");
                return Ok(Err(Refused::new(copy.line, why)));
            }
        }
        Ok(Ok(()))
    }
}

fn is_of_path(c: char) -> bool {
    c.is_alphanumeric() || "/._-+@%~".contains(c)
}

fn copy_folder(from: &Path, to: &Path, mode: Option<u32>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to, mode)?;
        } else {
            copy_file(&entry.path(), &to, mode)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, mode: Option<u32>) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)?;
    if let Some(mode) = mode {
        set_mode(to, mode)?;
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Lets a program be run that came from a blob, which has no permissions.
#[cfg(unix)]
pub(crate) fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path)?.permissions().mode();
    set_mode(path, mode | 0o700)
}

#[cfg(not(unix))]
pub(crate) fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for (folder, path, whole) in [
            ("/", "a", "/a"),
            ("/app", "./b/", "/app/b"),
            ("/app", "/b//c", "/b/c"),
            ("/app", "../../../etc", "/etc"),
            ("/", "..", "/"),
        ] {
            assert_eq!(absolute(folder, path), whole);
        }
    }

    #[test]
    fn files_are_copied_and_found_again_in_texts() {
        let folder = tempfile::tempdir().unwrap();
        let (context, root) = (folder.path().join("context"), Root(folder.path().join("root")));
        fs::create_dir_all(context.join("src/sub")).unwrap();
        fs::write(context.join("src/sub/a.txt"), "a").unwrap();
        fs::write(context.join("run.sh"), "b").unwrap();
        let copy = |source: &str, to: &str, is_folder| {
            let (sources, to) = (vec![source.to_owned()], to.to_owned());
            let copy = Copy { line: 3, sources, to, is_folder, mode: Some(0o755) };
            root.copy(&context, &copy).unwrap()
        };
        copy("src", "/app", false).unwrap();
        copy("run.sh", "/app", false).unwrap();
        copy("run.sh", "/bin/other", false).unwrap();
        copy("", "/all", false).unwrap();
        assert_eq!(copy("missing", "/app", false).unwrap_err().line, 3);
        for path in ["/app/sub/a.txt", "/app/run.sh", "/bin/other", "/all/src/sub/a.txt"] {
            assert!(root.outside(path).is_file(), "{path}");
        }
        let place = |path: &str| root.outside(path).display().to_string();
        let text = "exec /app/run.sh --in=/app/sub:/etc '/app' http://x/app a/app / /usr/bin";
        let (run, sub, app) = (place("/app/run.sh"), place("/app/sub"), place("/app"));
        let wanted = format!("exec {run} --in={sub}:/etc '{app}' http://x/app a/app / /usr/bin");
        assert_eq!(root.translated(text), wanted);
    }
}
