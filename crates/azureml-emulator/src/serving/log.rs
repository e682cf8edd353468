//! What programs say, as the service shows it: its end, and never more than so much.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::{
    folders::Folder,
    rows::{Phase, State, Wanted},
};

/// The length above which a log is put aside, in place of what was put aside before.
const MAX_LENGTH: u64 = 4 << 20;

/// How much of a log is looked at for its end.
const MAX_TAIL: u64 = 1 << 20;

/// Adds a line to what is said while files are fetched.
pub(super) fn note(folder: &Folder, line: &str) {
    let path = folder.initializer_log();
    let written = OpenOptions::new().create(true).append(true).open(&path);
    // A log that cannot be written keeps no deployment from running.
    if let Err(error) = written.and_then(|mut file| writeln!(file, "{line}")) {
        tracing::warn!(%error, path = %path.display(), "a line of a log is lost");
    }
}

/// The last lines of a file, nothing if it is not there.
pub(super) fn tail(path: &Path, n_lines: usize) -> io::Result<String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_TAIL)))?;
    let mut bytes = Vec::new();
    file.take(MAX_TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(n_lines);
    Ok(lines[first..].iter().flat_map(|line| [line, "\n"]).collect())
}

/// The last lines of the log of an instance, those that were put aside too.
pub(super) fn instance_tail(folder: &Folder, number: u64, n_lines: usize) -> io::Result<String> {
    let new = tail(&folder.instance_log(number), n_lines)?;
    let n_older = n_lines.saturating_sub(new.lines().count());
    Ok(tail(&folder.older_log(number), n_older)? + &new)
}

/// Puts a log aside that has grown too long. The program goes on with the same file, which is emptied; what it says in between is lost.
pub(super) fn bound(folder: &Folder, number: u64) -> io::Result<()> {
    let path = folder.instance_log(number);
    let is_long = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_LENGTH);
    if is_long {
        fs::copy(&path, folder.older_log(number))?;
        OpenOptions::new().write(true).open(&path)?.set_len(0)?;
    }
    Ok(())
}

/// The log of a deployment's containers, below what the service says of them.
pub(crate) fn container_log(state: &Path, wanted: &Wanted, n_lines: usize) -> io::Result<String> {
    let folder = Folder::new(state, &wanted.key, wanted.revision);
    let mut text = "Instance status:\n".to_owned();
    for (phase, name) in Phase::ALL {
        let status = match (phase.cmp(&wanted.phase), wanted.state) {
            (std::cmp::Ordering::Less, _) | (_, State::Ready) => "Succeeded",
            (std::cmp::Ordering::Equal, State::Starting) => "InProgress",
            (std::cmp::Ordering::Equal, State::Failed) => "Failed",
            (std::cmp::Ordering::Greater, _) => "Waiting",
        };
        text += &format!("{name}: {status}\n");
    }
    let n_instances = wanted.spec.n_processes();
    for number in 0..n_instances {
        text += &match n_instances {
            1 => "\nContainer logs:\n".to_owned(),
            _ => format!("\nContainer logs of instance {number}:\n"),
        };
        text += &instance_tail(&folder, number, n_lines)?;
    }
    Ok(text)
}

/// What was said while the deployment's files were fetched.
pub(crate) fn initializer_log(state: &Path, wanted: &Wanted, n_lines: usize) -> io::Result<String> {
    tail(&Folder::new(state, &wanted.key, wanted.revision).initializer_log(), n_lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_shown_and_its_beginning_lost() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::new(state.path(), "key", 1);
        folder.clear().unwrap();
        assert_eq!(instance_tail(&folder, 0, 9).unwrap(), "");
        let path = folder.instance_log(0);
        fs::write(&path, "one\ntwo\nthree").unwrap();
        bound(&folder, 0).unwrap();
        assert_eq!(instance_tail(&folder, 0, 2).unwrap(), "two\nthree\n");
        let mut program = OpenOptions::new().append(true).open(&path).unwrap();
        program.write_all(&b"x\n".repeat(3 << 20)).unwrap();
        bound(&folder, 0).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        program.write_all(b"the last\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the last\n");
        assert_eq!(instance_tail(&folder, 0, 2).unwrap(), "x\nthe last\n");
        assert_eq!(instance_tail(&folder, 0, 1).unwrap(), "the last\n");
    }
}
