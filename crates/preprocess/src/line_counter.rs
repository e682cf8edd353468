use std::collections::VecDeque;
use std::io::{self, Read};

/// Passes bytes through and remembers where lines break.
///
/// The `csv` crate's own line numbers say where the record before ended: one line too early after
/// CRLF and after blank lines.
#[derive(Debug)]
pub(crate) struct LineCounter<R> {
    input: R,
    n_bytes: u64,
    /// Line feeds and carriage returns read ahead of the last call: where, and whether a line feed.
    breaks: VecDeque<(u64, bool)>,
    n_lines: u64,
}

impl<R> LineCounter<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, n_bytes: 0, breaks: VecDeque::new(), n_lines: 0 }
    }

    /// Returns the line, counted from 1, of the first byte from `start` on that is no line break.
    /// Calls must not go back.
    pub(crate) fn line_from(&mut self, start: u64) -> u64 {
        let mut end = start;
        while let Some(&(at, line_feed)) = self.breaks.front()
            && at <= end
        {
            end = end.max(at + 1);
            self.n_lines += u64::from(line_feed);
            self.breaks.pop_front();
        }
        self.n_lines + 1
    }
}

impl<R: Read> Read for LineCounter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.input.read(buffer)?;
        for (byte, at) in buffer.iter().take(n_read).zip(self.n_bytes..) {
            if matches!(byte, b'\n' | b'\r') {
                self.breaks.push_back((at, *byte == b'\n'));
            }
        }
        self.n_bytes += n_read as u64;
        Ok(n_read)
    }
}
