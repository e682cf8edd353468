use std::{
    fs,
    path::{Path, PathBuf},
};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::{Error, Result};

/// The file that keeps files of a folder from being uploaded: `.amlignore`, or else `.gitignore`, in the folder itself.
///
/// Patterns are git's, as far as the Python SDK follows them: the last that matches a file decides, and a file below a folder
/// that is left out may be taken in again, which git does not allow. Ignore files in deeper folders have no effect.
///
/// # Examples
///
/// ```
/// use std::fs;
/// use spinney_azureml::IgnoreFile;
///
/// let folder = tempfile::tempdir()?;
/// fs::write(folder.path().join(".amlignore"), "*.log\nraw/\n")?;
/// let ignored = IgnoreFile::of(folder.path())?;
/// assert!(ignored.excludes(&folder.path().join("run.log")));
/// assert!(ignored.excludes(&folder.path().join("raw/a.csv")));
/// assert!(!ignored.excludes(&folder.path().join("train.py")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IgnoreFile {
    folder: PathBuf,
    /// One for each line, in their order.
    patterns: Vec<Gitignore>,
}

impl IgnoreFile {
    /// Reads the ignore file of a folder; without one nothing is left out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::IgnoreFile`] if a line is no pattern.
    pub fn of(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref().to_owned();
        let files = [".amlignore", ".gitignore"].map(|name| folder.join(name));
        let Some(path) = files.into_iter().find(|file| file.exists()) else {
            return Ok(Self { folder, patterns: Vec::new() });
        };
        let text =
            fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let pattern = |(number, line): (usize, &str)| {
            let mut builder = GitignoreBuilder::new("");
            let built = builder.add_line(None, line.trim_end()).and_then(|builder| builder.build());
            built.map_err(|source| Error::IgnoreFile {
                path: path.clone(),
                line: number + 1,
                source,
            })
        };
        let patterns = text.lines().enumerate().map(pattern).collect::<Result<_>>()?;
        Ok(Self { folder, patterns })
    }

    /// Whether a file in the folder, at any depth, is left out. A path elsewhere is not.
    #[must_use]
    pub fn excludes(&self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.folder) else { return false };
        let folders: Vec<&Path> =
            relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        // A pattern says something about the file itself, or about a folder above it.
        let said = |pattern: &Gitignore| {
            let above = folders.iter().map(|folder| pattern.matched(folder, true));
            let found = std::iter::once(pattern.matched(relative, false)).chain(above);
            found.filter(|found| !found.is_none()).map(|found| found.is_ignore()).next()
        };
        self.patterns.iter().filter_map(said).next_back().unwrap_or(false)
    }
}
