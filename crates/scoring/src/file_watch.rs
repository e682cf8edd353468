use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Tells when a file, or any file in a folder and the folders in it, is replaced or written to.
///
/// It looks again and again: that works on every file system, mounted ones and those of secrets included, where notifications
/// do not.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use spinney_scoring::FileWatch;
///
/// # async fn run() {
/// let mut watch = FileWatch::new("models/ames.bundle");
/// loop {
///     watch.changed(Duration::from_secs(1)).await;
///     println!("there is another bundle");
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct FileWatch {
    path: PathBuf,
    seen: Vec<Stamp>,
}

/// What a change changes.
type Stamp = (PathBuf, u64, Option<SystemTime>);

impl FileWatch {
    /// Looks at a path for the first time. It need not exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let seen = stamps(&path);
        Self { path, seen }
    }

    /// Looks again, and tells whether anything is another than at the last look.
    pub fn has_changed(&mut self) -> bool {
        let seen = stamps(&self.path);
        let has_changed = seen != self.seen;
        self.seen = seen;
        has_changed
    }

    /// Waits until a look, one in each interval, finds a change.
    pub async fn changed(&mut self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            if self.has_changed() {
                return;
            }
        }
    }
}

fn stamps(path: &Path) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    collect(path, 2, &mut stamps);
    stamps.sort();
    stamps
}

/// As deep as a bundle is looked for.
fn collect(path: &Path, depth: usize, stamps: &mut Vec<Stamp>) {
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.is_dir() && depth > 0 {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| collect(&entry.path(), depth - 1, stamps));
    } else {
        stamps.push((path.to_owned(), metadata.len(), metadata.modified().ok()));
    }
}
