use std::{fmt, path};

use object_store::path::Path;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::{Error, Result};

/// Where a file or a folder is: a URL, or a path on this machine.
///
/// # Examples
///
/// ```
/// use spinney_scale::Location;
///
/// let blob = Location::parse("az://houses/2026/part 1.csv")?;
/// assert_eq!(blob.file_name(), "part 1.csv");
/// assert_eq!(blob.to_string(), "az://houses/2026/part%201.csv");
/// assert_eq!(Location::parse("/data/out")?.join("a#b.parquet").to_string(), "file:///data/out/a%23b.parquet");
/// # Ok::<(), spinney_scale::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    url: Url,
}

impl Location {
    /// Takes a URL, or a path, which is relative to the working directory unless it is absolute.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidLocation`] if the text is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || Error::InvalidLocation { text: text.to_owned() };
        let url = if text.contains("://") {
            Url::parse(text).map_err(|_| invalid())?
        } else {
            let absolute = path::absolute(text).map_err(|_| invalid())?;
            Url::from_file_path(absolute).map_err(|()| invalid())?
        };
        // What cannot be a path in storage is found here and not in the middle of a job.
        Path::from_url_path(url.path()).map_err(|_| invalid())?;
        Ok(Self { url })
    }

    /// The last part of the path, decoded; empty for a storage's root.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path().filename().unwrap_or_default().to_owned()
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A file of the given name in this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(name);
        }
        Self { url }
    }

    /// Whether this names a folder by its last character.
    pub(crate) fn ends_in_slash(&self) -> bool {
        self.url.path().ends_with('/')
    }

    /// The path on this machine, if it is on it.
    pub(crate) fn file_path(&self) -> Option<path::PathBuf> {
        if self.url.scheme() == "file" { self.url.to_file_path().ok() } else { None }
    }

    /// The path within the storage.
    pub(crate) fn path(&self) -> Path {
        Path::from_url_path(self.url.path()).unwrap_or_default()
    }

    /// The file at a path of the same storage.
    pub(crate) fn at(&self, path: &Path) -> Self {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path.as_ref().split('/'));
        }
        Self { url }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.url)
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
