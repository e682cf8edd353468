/// Which files are the job's own output, as the SDK has it: those of today's runtime, or else those of older ones.
pub(super) fn streamed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
    let mut found: Vec<&str> = names.clone().filter(|name| is_standard_output(name)).collect();
    if found.is_empty() {
        found = names.filter(|name| is_older_log(name)).collect();
    }
    found.sort_unstable();
    found
}

/// `user_logs/std_log.txt`, and of several machines or processes the first: `std_log_0.txt`, `std_log_process_00_ps.txt`.
fn is_standard_output(name: &str) -> bool {
    let ending = name.strip_prefix("user_logs/std_log").and_then(|rest| rest.strip_suffix(".txt"));
    ending.is_some_and(|ending| {
        let ending = ending.strip_suffix("_ps").unwrap_or(ending).trim_end_matches('0');
        !ending.contains(|c: char| c.is_ascii_digit())
    })
}

fn is_older_log(name: &str) -> bool {
    let numbered = name.strip_prefix("azureml-logs/").and_then(|rest| rest.strip_suffix(".txt"));
    let is_numbered = numbered.is_some_and(|rest| {
        rest.len() > 2 && rest.as_bytes().iter().take(2).all(u8::is_ascii_digit)
    });
    is_numbered || matches!(name, "logs/azureml/executionlogs.txt" | "azureml-logs/hyperdrive.txt")
}

/// A log that grows while it is read, again and again as a whole.
#[derive(Default)]
pub(super) struct LogFile {
    /// What has been seen of it.
    text: Vec<u8>,
    /// How much of that has been given away as lines.
    given: usize,
    /// The version seen last, not to be sent again.
    pub(super) etag: Option<String>,
}

impl LogFile {
    /// Takes what the file is now, and gives the lines that are new and complete.
    ///
    /// What is shorter than before and the same so far is an older copy, and nothing new. Anything else is another file under the
    /// same name, and all of it is new.
    pub(super) fn read(&mut self, now: Vec<u8>) -> Vec<String> {
        if now.starts_with(&self.text) {
            self.text = now;
        } else if !self.text.starts_with(&now) {
            self.text = now;
            self.given = 0;
        }
        let complete = self.text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.give(complete)
    }

    /// Gives a last line without an end.
    pub(super) fn rest(&mut self) -> Vec<String> {
        self.give(self.text.len())
    }

    fn give(&mut self, end: usize) -> Vec<String> {
        let new = self.text.get(self.given..end).unwrap_or_default();
        if new.is_empty() {
            return Vec::new();
        }
        let new = new.strip_suffix(b"\n").unwrap_or(new);
        self.given = end;
        // A part of a character cannot be: lines end at line feeds.
        new.split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_those_that_the_sdk_streams() {
        for name in [
            "user_logs/std_log.txt",
            "user_logs/std_log_0.txt",
            "user_logs/std_log_process_00.txt",
            "user_logs/std_log_process_0_ps.txt",
        ] {
            assert!(is_standard_output(name), "{name}");
        }
        for name in [
            "user_logs/std_log_1.txt",
            "user_logs/std_log_process_10.txt",
            "user_logs/std_log.txt.gz",
            "system_logs/std_log.txt",
        ] {
            assert!(!is_standard_output(name), "{name}");
        }
        let older = ["azureml-logs/70_driver_log.txt", "logs/azureml/executionlogs.txt", "x.txt"];
        assert_eq!(streamed(older.into_iter()), older[..2]);
        let both = ["user_logs/std_log.txt", "logs/azureml/executionlogs.txt"];
        assert_eq!(streamed(both.into_iter()), both[..1]);
        assert_eq!(streamed(["azureml-logs/7.txt", "azureml-logs/x.txt"].into_iter()), [""; 0]);
    }

    #[test]
    fn lines_are_given_once_and_whole() {
        let mut file = LogFile::default();
        assert_eq!(file.read(b"one\ntw".to_vec()), ["one"]);
        assert_eq!(file.read(b"one\ntw".to_vec()), [""; 0]);
        assert_eq!(file.read(b"one\ntwo\r\n\nthr".to_vec()), ["two", ""]);
        assert_eq!(file.rest(), ["thr"]);
        assert_eq!(file.rest(), [""; 0]);
        assert_eq!(file.read(b"one\ntwo\r\n\nthree\n".to_vec()), ["ee"]);
    }

    #[test]
    fn an_older_copy_is_nothing_new_and_another_file_is() {
        let mut file = LogFile::default();
        file.read(b"one\ntwo\n".to_vec());
        assert_eq!(file.read(b"one\n".to_vec()), [""; 0]);
        assert_eq!(file.read(Vec::new()), [""; 0]);
        assert_eq!(file.read(b"one\ntwo\nthree\n".to_vec()), ["three"]);
        assert_eq!(file.read(b"other\n".to_vec()), ["other"]);
        assert_eq!(file.read(b"other\nmore\n".to_vec()), ["more"]);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut file = LogFile::default();
        assert_eq!(file.read(b"gr\xc3\xb6\xc3".to_vec()), [""; 0]);
        assert_eq!(file.read(b"gr\xc3\xb6\xc3\x9f\n\xff\n".to_vec()), ["größ", "\u{fffd}"]);
    }
}
