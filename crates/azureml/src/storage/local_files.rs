use std::{
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use azure_core::Bytes;

use crate::{Error, Result, asset_hash, code_hash, content_hash::files_of};

/// A file, or the files of a folder, as they were when their hash was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalFiles {
    root: PathBuf,
    /// What the file or folder is called.
    pub(crate) name: String,
    pub(crate) is_folder: bool,
    /// In the order of Azure ML's Python SDK, of which the first carries the marks of a complete upload.
    pub(super) files: Vec<LocalFile>,
    pub(crate) hash: String,
}

/// One of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalFile {
    path: PathBuf,
    /// Its path from where the upload begins, with slashes.
    pub(super) blob: String,
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

impl LocalFiles {
    /// Data, a model or a build context.
    pub(crate) async fn of_asset(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        blocking(move || Self::read(&path, |path| asset_hash(path))).await
    }

    /// Code.
    pub(crate) async fn of_code(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        blocking(move || Self::read(&path, |path| code_hash(path))).await
    }

    fn read(path: &Path, hash: impl FnOnce(&Path) -> Result<String>) -> Result<Self> {
        // The folder's own name, also of `.` or of a link; a file may be a link with a name of its own.
        let canonical = fs::canonicalize(path).map_err(|source| io_error(path, source))?;
        let is_folder = canonical.is_dir();
        let root = if is_folder { canonical } else { path.to_owned() };
        let name = root.file_name().ok_or_else(|| Error::InvalidArgument {
            what: "the folder to be uploaded",
            value: path.display().to_string(),
            rule: "it has a name",
        })?;
        let name = name.to_str().ok_or_else(|| Error::NotUtf8 { path: path.to_owned() })?;
        let name = name.to_owned();
        let files = list(&root, &name, is_folder)?;
        let hash = hash(&root)?;
        Ok(Self { root, name, is_folder, files, hash })
    }

    pub(crate) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Whether the files are those that the hash was taken of, as far as names, sizes and times tell.
    pub(super) async fn check_unchanged(&self) -> Result<()> {
        let before = self.clone();
        blocking(move || {
            let now = list(&before.root, &before.name, before.is_folder)?;
            if now == before.files {
                return Ok(());
            }
            let changed = before.files.iter().find(|file| !now.contains(file));
            Err(Error::Changed { path: changed.map_or(before.root, |file| file.path.clone()) })
        })
        .await
    }
}

impl LocalFile {
    /// A part of the content, unless the file has changed since its hash was taken: what is stored under a hash must be what the hash is of.
    pub(super) async fn part(&self, offset: u64, size: u64) -> Result<Bytes> {
        let file = self.clone();
        blocking(move || {
            let read = || {
                let mut content = vec![0; usize::try_from(size).map_err(std::io::Error::other)?];
                let mut source = fs::File::open(&file.path)?;
                source.seek(SeekFrom::Start(offset))?;
                source.read_exact(&mut content)?;
                let metadata = source.metadata()?;
                let is_unchanged =
                    metadata.len() == file.size && metadata.modified().ok() == file.modified;
                Ok::<_, std::io::Error>(is_unchanged.then_some(content))
            };
            match read() {
                Ok(Some(content)) => Ok(Bytes::from(content)),
                Ok(None) => Err(Error::Changed { path: file.path }),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    Err(Error::Changed { path: file.path })
                }
                Err(source) => Err(Error::Io { path: file.path, source }),
            }
        })
        .await
    }
}

fn list(root: &Path, name: &str, is_folder: bool) -> Result<Vec<LocalFile>> {
    let paths = if is_folder {
        files_of(root)?
            .into_iter()
            .map(|(relative, path)| (format!("{name}/{relative}"), path))
            .collect()
    } else {
        vec![(name.to_owned(), root.to_owned())]
    };
    if paths.is_empty() {
        return Err(Error::InvalidArgument {
            what: "the folder to be uploaded",
            value: root.display().to_string(),
            rule: "it has at least one file that no ignore file leaves out",
        });
    }
    let mut files = Vec::with_capacity(paths.len());
    for (blob, path) in paths {
        if blob.len() > 900 {
            return Err(Error::InvalidArgument {
                what: "the path of a file to be uploaded",
                value: blob,
                rule: "at most 900 bytes long: names of blobs are limited",
            });
        }
        let metadata = fs::metadata(&path).map_err(|source| io_error(&path, source))?;
        // The SDK sorts by where links lead.
        let target = fs::canonicalize(&path).map_err(|source| io_error(&path, source))?;
        let modified = metadata.modified().ok();
        files.push((target, LocalFile { path, blob, size: metadata.len(), modified }));
    }
    files.sort_by(|(a, left), (b, right)| {
        (a.as_os_str(), &left.blob).cmp(&(b.as_os_str(), &right.blob))
    });
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

fn io_error(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), source }
}

/// Runs what waits for a disk apart from what waits for the network.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(error) => Err(Error::Setup { source: Box::new(error) }),
        },
    }
}
