use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::artifacts::Artifacts;
use crate::world::World;

/// What a command prints, brought to its blob while it runs.
pub(super) struct CommandLog<'a> {
    artifacts: &'a Artifacts,
    file: PathBuf,
    /// How long it was when it was brought there last.
    kept: Option<u64>,
    /// How long that took.
    took: Duration,
}

/// How often to look whether it has grown.
const LOOK: Duration = Duration::from_millis(250);

/// A long log is brought as a whole again and again, and so not as often: that takes this part of the time at most.
const SHARE: u32 = 20;

impl<'a> CommandLog<'a> {
    pub(super) fn new(artifacts: &'a Artifacts, file: PathBuf) -> Self {
        Self { artifacts, file, kept: None, took: Duration::ZERO }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// How long to wait before the next look.
    pub(super) fn pause(&self) -> Duration {
        LOOK.max(self.took.saturating_mul(SHARE))
    }

    /// Brings the log to its blob if it has grown.
    pub(super) async fn keep_up(&mut self) -> io::Result<()> {
        let length = fs::metadata(&self.file)?.len();
        if self.kept != Some(length) {
            let began = Instant::now();
            self.artifacts.keep_log(&self.file, "user_logs/std_log.txt").await?;
            self.kept = Some(length);
            self.took = began.elapsed();
        }
        Ok(())
    }
}

/// What the emulator did for a run: a log beside that of the command.
pub(super) struct Journal<'a> {
    world: &'a World,
    artifacts: &'a Artifacts,
    text: String,
}

impl<'a> Journal<'a> {
    pub(super) fn new(world: &'a World, artifacts: &'a Artifacts) -> Self {
        Self { world, artifacts, text: String::new() }
    }

    pub(super) fn say(&mut self, line: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{} {line}", self.world.clock.now());
    }

    pub(super) async fn keep(&self) -> io::Result<()> {
        let text = self.text.clone();
        self.artifacts.keep_log_text(text, "system_logs/lifecycler/lifecycler.log").await
    }
}
