use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    num::NonZero,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use azure_core::{error::ErrorKind, http::Etag};
use azure_storage_blob::models::{
    BlobClientDownloadOptions, BlobContainerClientListBlobsOptions, HttpRange, ListBlobsIncludeItem,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;

use super::{
    Container, TransferOptions,
    blocks::{Block, Blocks},
    local_files::blocking,
    options::Meter,
};
use crate::{Error, Result, ServiceError, http::target_of};

/// What a download has written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The files, in the order of their blobs' names.
    pub files: Vec<PathBuf>,
    /// Their sizes together.
    pub bytes: u64,
}

/// A blob in a list.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) size: u64,
    etag: Option<Etag>,
    is_folder: bool,
}

/// Downloads the blob of a name, or all below it, into a folder, which is made if it is not there. Files that are there are replaced.
///
/// Each file is written under another name beside its place and put there when it is complete, so that none is ever there in part.
pub(crate) async fn download(
    container: &Container,
    path: &str,
    folder: &Path,
    options: &TransferOptions,
) -> Result<Downloaded> {
    let (parallel, block_size) = options.checked()?;
    let path = path.trim_matches('/');
    let listed = list(container, path).await?;
    // All names are looked at before anything is written.
    let mut files = Vec::with_capacity(listed.len());
    let mut folders = vec![folder.to_owned()];
    for blob in listed {
        let relative = match blob.name.strip_prefix(path) {
            Some("") if !blob.is_folder => path.rsplit('/').next().unwrap_or_default(),
            Some(rest) => rest.trim_start_matches('/'),
            None => &blob.name,
        };
        if blob.is_folder {
            if !relative.is_empty() {
                folders.push(place(container, folder, relative.trim_end_matches('/'))?);
            }
            continue;
        }
        files.push((place(container, folder, relative)?, blob));
    }
    if files.is_empty() {
        return Err(Error::Service(Box::new(ServiceError {
            target: format!("GET {}", target_of(&container.url_of(path))),
            status: Some(404),
            code: "BlobNotFound".to_owned(),
            message: "there is no blob of this name, and none below it".to_owned(),
            attempts: 1,
            ..ServiceError::default()
        })));
    }
    for (file, _) in &files {
        folders.extend(file.parent().map(Path::to_owned));
    }
    folders.sort();
    folders.dedup();
    blocking(move || {
        folders.iter().try_for_each(|folder| {
            fs::create_dir_all(folder).map_err(|source| unwritten(folder, source))
        })
    })
    .await?;

    let bytes = files.iter().map(|(_, blob)| blob.size).sum();
    let download = Download {
        container,
        block_size,
        parallel: parallel.get(),
        permits: Semaphore::new(parallel.get()),
        meter: options.meter(bytes),
    };
    // By index: of closures that are given references the compiler does not see that their futures may go to any thread.
    stream::iter(0..files.len())
        .map(|index| {
            let (file, blob) = &files[index];
            download.file(file, blob)
        })
        .buffer_unordered(parallel.get())
        .try_collect::<()>()
        .await?;
    Ok(Downloaded { files: files.into_iter().map(|(file, _)| file).collect(), bytes })
}

/// The place of a file below a folder. A list may name anything, but nothing is written outside.
fn place(container: &Container, folder: &Path, relative: &str) -> Result<PathBuf> {
    let is_name = |part: &str| {
        let mut components = Path::new(part).components();
        let is_normal = matches!(components.next(), Some(Component::Normal(_)));
        is_normal && components.next().is_none() && !part.contains(['\\', ':', '\0'])
    };
    if relative.split('/').all(is_name) {
        return Ok(folder.join(relative));
    }
    let what = format!("the blob name {relative:?} is no path below a folder");
    Err(Error::reply("GET", target_of(&container.url_of("")), what))
}

/// The blob of a name and those below it, in the order of their names.
pub(super) async fn list(container: &Container, path: &str) -> Result<Vec<Listed>> {
    let below = if path.is_empty() { String::new() } else { format!("{path}/") };
    let (mut found, mut marker) = (Vec::new(), None::<String>);
    loop {
        let page = container
            .send("GET", path, |connection| {
                let options = BlobContainerClientListBlobsOptions {
                    include: Some(vec![ListBlobsIncludeItem::Metadata]),
                    prefix: Some(path.to_owned()).filter(|path| !path.is_empty()),
                    marker: marker.clone(),
                    ..BlobContainerClientListBlobsOptions::default()
                };
                async move {
                    let mut pages = connection.container().list_blobs(Some(options))?.into_pages();
                    let page = pages.try_next().await?;
                    page.map(azure_core::http::Response::into_model).transpose()
                }
            })
            .await?;
        let Some(page) = page else { return Ok(found) };
        for item in page.blob_items {
            let Some(name) = item.name else { continue };
            // A prefix is no folder: `model` is one of `models/1` too.
            if name != path && !name.starts_with(&below) {
                continue;
            }
            let metadata = item.metadata.and_then(|metadata| metadata.values).unwrap_or_default();
            let properties = item.properties.unwrap_or_default();
            let size = properties.content_length.unwrap_or_default();
            let is_marked = metadata.keys().any(|key| key.eq_ignore_ascii_case("hdi_isfolder"));
            let is_folder = is_marked || size == 0 && name.ends_with('/');
            found.push(Listed { name, size, etag: properties.etag.map(quoted), is_folder });
        }
        let next = page.next_marker.filter(|marker| !marker.is_empty());
        if next.is_some() && next == marker {
            let target = target_of(&container.url_of(path));
            return Err(Error::reply("GET", target, "its next page is the page itself"));
        }
        marker = next;
        if marker.is_none() {
            return Ok(found);
        }
    }
}

/// Lists have it without the quotes that a condition needs.
fn quoted(etag: Etag) -> Etag {
    let text = etag.to_string();
    if text.starts_with('"') || text.starts_with("W/") {
        etag
    } else {
        format!("\"{text}\"").into()
    }
}

struct Download<'a> {
    container: &'a Container,
    block_size: u64,
    parallel: usize,
    permits: Semaphore,
    meter: Meter,
}

impl Download<'_> {
    async fn file(&self, path: &Path, blob: &Listed) -> Result<()> {
        let owned = path.to_owned();
        let file = blocking(move || beside(&owned).map_err(|source| unwritten(&owned, source)));
        let file = Arc::new(file.await?);
        stream::iter(Blocks::of(blob.size, self.block_size).iter())
            .map(|block| self.block(Arc::clone(&file), path, blob, block))
            .buffer_unordered(self.parallel)
            .try_collect::<()>()
            .await?;
        let owned = path.to_owned();
        blocking(move || {
            // The blocks are done, and with them the other handles.
            let file = Arc::try_unwrap(file).map_err(|_| std::io::Error::other("still open"));
            file.and_then(|file| file.persist(&owned).map_err(|error| error.error))
                .map(|_| ())
                .map_err(|source| unwritten(&owned, source))
        })
        .await
    }

    async fn block(
        &self,
        file: Arc<NamedTempFile>,
        path: &Path,
        blob: &Listed,
        block: Block,
    ) -> Result<()> {
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|error| Error::Setup { source: error.into() })?;
        let name = &blob.name;
        let content = self.container.send("GET", name, |connection| {
            let (client, etag) = (connection.blob(name), blob.etag.clone());
            async move {
                let size = usize::try_from(block.size)
                    .map_err(|error| azure_core::Error::new(ErrorKind::Other, error))?;
                let mut content = vec![0; size];
                let options = BlobClientDownloadOptions {
                    range: Some(HttpRange::new(block.offset, block.size)),
                    // All parts must be of one blob, though another may take its place meanwhile.
                    if_match: etag,
                    parallel: NonZero::new(1),
                    partition_size: NonZero::new(size),
                    ..BlobClientDownloadOptions::default()
                };
                let received = client.download_into(&mut content, Some(options)).await?.len;
                if received != size {
                    let message = "the reply is shorter than what was asked for";
                    return Err(azure_core::Error::with_message(ErrorKind::Io, message));
                }
                Ok(content)
            }
        });
        let content = content.await?;
        let owned = path.to_owned();
        blocking(move || {
            let write = || {
                let mut file = file.reopen()?;
                file.seek(SeekFrom::Start(block.offset))?;
                file.write_all(&content)
            };
            write().map_err(|source| unwritten(&owned, source))
        })
        .await?;
        self.meter.sent(block.size);
        Ok(())
    }
}

/// A new file beside a path, which is deleted unless it takes its place.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".part");
    #[cfg(unix)]
    {
        // As any file that a program makes; without it only the owner could read it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(path.parent().unwrap_or(Path::new(".")))
}

fn unwritten(path: &Path, source: std::io::Error) -> Error {
    Error::Write { path: path.to_owned(), source }
}
