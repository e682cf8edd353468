use std::fmt;

/// A line that the emulator does not follow, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Counted from 1; 0 if it is the file as a whole.
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Refused {
    pub(crate) fn new(line: usize, why: impl Into<String>) -> Self {
        Self { line, why: why.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "Dockerfile: {}", self.why),
            line => write!(f, "Dockerfile, line {line}: {}", self.why),
        }
    }
}

impl std::error::Error for Refused {}
