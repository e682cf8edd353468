use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    process::ExitStatus,
};

use serde_json::{Value, json};

/// Why a run does not complete.
#[derive(Debug)]
pub(super) enum Stop {
    Canceled,
    Failed(Value),
}

/// How much of a log is said along with an error: its end, in bytes.
const TAIL: u64 = 2000;

impl Stop {
    /// Something that whoever wrote the job can mend.
    pub(super) fn user_error(message: impl Into<String>) -> Self {
        Self::Failed(error("UserError", message))
    }

    /// What Azure ML says of a command that did not end well.
    pub(super) fn exit(shell: &Path, status: ExitStatus, log: &Path) -> Self {
        let shell = shell.file_name().unwrap_or_default().display();
        let ended = match status.code() {
            Some(code) => format!("exited with status code {code}"),
            None => format!("was ended: {status}"),
        };
        let mut message = format!(
            "Execution failed. User process '{shell}' {ended}. Please check log file 'user_logs/std_log.txt' for error details."
        );
        let tail = tail(log).unwrap_or_default();
        if !tail.is_empty() {
            message.push_str(" Error: ");
            message.push_str(&tail);
        }
        Self::user_error(message)
    }
}

/// What this machine has failed to do.
impl From<io::Error> for Stop {
    fn from(cause: io::Error) -> Self {
        Self::Failed(error("ServiceError", format!("The emulator could not go on: {cause}")))
    }
}

fn error(code: &str, message: impl Into<String>) -> Value {
    json!({"code": code, "message": message.into(), "details": []})
}

/// The last lines of a log, from a line's beginning.
fn tail(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    // What is appended meanwhile is not read.
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole =
        if start == 0 { &*text } else { text.split_once('\n').map_or(&*text, |(_, rest)| rest) };
    Ok(whole.trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_end_of_a_log_begins_with_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "one\ntwo\n\n").unwrap();
        assert_eq!(tail(&log).unwrap(), "one\ntwo");
        let lines: String = (0..1000).map(|n| format!("line {n:04}\n")).collect();
        std::fs::write(&log, &lines).unwrap();
        let end = tail(&log).unwrap();
        assert!(end.starts_with("line 0801\n") && end.ends_with("line 0999"), "{end}");
        // One line that is longer, and no text.
        std::fs::write(&log, vec![0xff; 5000]).unwrap();
        assert_eq!(tail(&log).unwrap().chars().count(), 2000);
        assert!(tail(&folder.path().join("none")).is_err());
    }
}
