use std::{
    env,
    ffi::OsString,
    fs, io, iter,
    path::{Path, PathBuf},
};

use super::folder::set_mode;

/// The search path of a command's programs: `python` and `python3` are the interpreter that the emulator was given, with the
/// programs beside it, such as `pip`; then what the machine has.
///
/// In front are scripts and no links: a virtual environment knows itself by the path that it is called by.
pub(super) fn search_path(folder: &Path, python: Option<&Path>) -> io::Result<OsString> {
    let machine = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let Some(python) = python else { return Ok(machine) };
    let python = std::path::absolute(python)?;
    if cfg!(unix) {
        let quoted = python.to_str().map(|path| path.replace('\'', r"'\''"));
        let quoted = quoted.ok_or_else(|| io::Error::other("the path of Python is no text"))?;
        for name in ["python", "python3"] {
            let script = folder.join(name);
            fs::write(&script, format!("#!/bin/sh\nexec '{quoted}' \"$@\"\n"))?;
            set_mode(&script, 0o755)?;
        }
    }
    let beside = python.parent().map(Path::to_owned);
    let folders: Vec<PathBuf> =
        iter::once(folder.to_owned()).chain(beside).chain(env::split_paths(&machine)).collect();
    env::join_paths(folders).map_err(io::Error::other)
}

/// The shell that runs commands, as on Azure ML's computes if it is there.
pub(super) fn shell(search_path: &OsString) -> io::Result<PathBuf> {
    let find = |name: &str| {
        env::split_paths(search_path).map(|folder| folder.join(name)).find(|path| path.is_file())
    };
    find("bash").or_else(|| find("sh")).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "this machine has neither bash nor sh")
    })
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::process::Command;

    use super::*;

    #[test]
    fn python_is_the_one_that_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let [own, bin] = ["it's mine", "bin"].map(|name| folder.path().join(name));
        fs::create_dir(&own).unwrap();
        fs::create_dir(&bin).unwrap();
        let mine = own.join("python3.99");
        fs::write(&mine, "#!/bin/sh\necho \"$0 $1\"\n").unwrap();
        set_mode(&mine, 0o755).unwrap();
        let path = search_path(&bin, Some(&mine)).unwrap();
        let shell = shell(&path).unwrap();
        for line in ["python 'a b'", "python3 'a b'", "python3.99 'a b'"] {
            let said = Command::new(&shell).args(["-c", line]).env("PATH", &path).output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            assert_eq!(said, format!("{} a b\n", mine.display()), "{line}");
        }
        assert_eq!(search_path(&bin, None).unwrap(), env::var_os("PATH").unwrap());
    }
}
