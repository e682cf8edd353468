//! Hashes of files and folders by which Azure ML's Python SDK knows what it has uploaded before. The same content has the same
//! hash here and there, so that neither uploads what the other has.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{Error, IgnoreFile, Result};

/// What the hash of an asset begins with.
const ASSET_SEED: &[u8] = b"Initialize for october 2021 AML CLI version";

/// The hash of a data asset or model, which names the folder `LocalUpload/{hash}` that it is uploaded to: 64 hex digits.
///
/// It is SHA-256 of a seed and the content; of a folder, of the name and the content of each entry, in the order of their lower-case
/// paths. Symbolic links are followed. Empty files and folders count by their names.
///
/// # Errors
///
/// [`Error::Io`] if something cannot be read, [`Error::NotUtf8`] for a name in a folder, or [`Error::IgnoreFile`].
///
/// # Examples
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("model.bundle");
/// std::fs::write(&file, "content")?;
/// let hash = spinney_azureml::asset_hash(&file)?;
/// assert_eq!(hash, "f2d844f49c102a3d9225d647b48db8bbb0f6e787e453644a5c8351ff9d8163f7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn asset_hash(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let mut hash = Sha256::new_with_prefix(ASSET_SEED);
    if path.is_dir() {
        hash_folder(path, &IgnoreFile::of(path)?, &mut hash)?;
    } else {
        hash_file(path, &mut hash)?;
    }
    Ok(hex::encode(hash.finalize()))
}

fn hash_folder(folder: &Path, ignored: &IgnoreFile, hash: &mut Sha256) -> Result<()> {
    for (name, path) in entries(folder)? {
        if ignored.excludes(&path) {
            continue;
        }
        hash.update(&name);
        if path.is_dir() {
            hash_folder(&path, ignored, hash)?;
        } else {
            hash_file(&path, hash)?;
        }
    }
    Ok(())
}

/// The hash of code, version 202208, by which a code asset is looked up: 64 hex digits.
///
/// It is SHA-256 of the number of files, of each file's relative path between `#` and its size, and of all contents, in the order of
/// the lower-case relative paths. Folders do not count by themselves.
///
/// # Errors
///
/// As for [`asset_hash`].
pub fn code_hash(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let mut files = Vec::new();
    if path.is_dir() {
        files = files_of(path)?;
    } else {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::NotUtf8 { path: path.to_owned() })?;
        files.push((name.to_owned(), path.to_owned()));
    }
    files.sort_by_cached_key(|(name, _)| name.to_lowercase());
    let mut hash = Sha256::new();
    hash.update(files.len().to_string());
    for (name, path) in &files {
        let size = fs::metadata(path).map_err(|source| io_error(path, source))?.len();
        hash.update(format!("#{name}#{size}"));
    }
    for (_, path) in &files {
        hash_file(path, &mut hash)?;
    }
    Ok(hex::encode(hash.finalize()))
}

/// The files of a folder that are uploaded, by their relative paths with slashes.
pub(crate) fn files_of(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    collect(folder, "", &IgnoreFile::of(folder)?, &mut files)?;
    Ok(files)
}

/// All files below a folder by their relative paths, links followed.
fn collect(
    folder: &Path,
    prefix: &str,
    ignored: &IgnoreFile,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<()> {
    for (name, path) in entries(folder)? {
        let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if path.is_dir() {
            collect(&path, &relative, ignored, files)?;
        } else if !ignored.excludes(&path) {
            files.push((relative, path));
        }
    }
    Ok(())
}

/// Names and paths in a folder, in the order of their lower-case names.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let failed = |source| io_error(folder, source);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = entry.file_name().into_string();
        entries.push((name.map_err(|_| Error::NotUtf8 { path: path.clone() })?, path));
    }
    // Python sorts in a stable way what the system lists in any order: names that differ in case only are put in one here.
    entries.sort_by_cached_key(|(name, _)| (name.to_lowercase(), name.clone()));
    Ok(entries)
}

fn hash_file(path: &Path, hash: &mut Sha256) -> Result<()> {
    let mut file = File::open(path).map_err(|source| io_error(path, source))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => hash.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(io_error(path, source)),
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.to_owned(), source }
}
