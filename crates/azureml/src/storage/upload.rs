use std::{collections::BTreeMap, sync::Arc};

use azure_core::Bytes;
use azure_storage_blob::models::{
    BlobClientGetPropertiesResultHeaders, BlobClientUploadOptions,
    BlockBlobClientCommitBlockListOptions, BlockListType, BlockLookupList,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use super::{
    Container, LocalFiles, TransferOptions,
    blocks::{Block, Blocks},
    download::list,
    local_files::LocalFile,
    options::Meter,
};
use crate::{Error, Result};

/// What is written to the first blob when all are there: by it the Python SDK and this crate know that an upload is complete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Confirmation<'a> {
    /// The asset that the upload was made for.
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

/// Uploads files below a folder of a container, named by the hash of their content. `true` if all of it was there already.
///
/// What was sent in an upload that was interrupted is not sent again: whole blobs of the same size, and blocks of the same id and size.
/// Nothing else can be below a folder named by a hash: files that have changed since their hash was taken are not stored.
pub(crate) async fn upload(
    container: &Container,
    files: &LocalFiles,
    folder: &str,
    confirmation: Confirmation<'_>,
    options: &TransferOptions,
) -> Result<bool> {
    let (parallel, block_size) = options.checked()?;
    let meter = options.meter(files.size());
    let Some(first) = files.files.first() else { return Ok(true) };
    let indicator = format!("{folder}{}", first.blob);
    let state = head(container, &indicator).await?;
    if state.as_ref().is_some_and(|blob| blob.is_complete) {
        meter.skipped(files.size());
        return Ok(true);
    }
    let mut present = BTreeMap::new();
    if let Some(blob) = state {
        if files.is_folder {
            let found = list(container, &format!("{folder}{}", files.name)).await?;
            present = found.into_iter().map(|blob| (blob.name, blob.size)).collect();
        } else {
            present.insert(indicator.clone(), blob.size);
        }
    }
    let upload = Upload {
        container,
        hash: &files.hash,
        block_size,
        parallel: parallel.get(),
        permits: Semaphore::new(parallel.get()),
        meter,
    };
    // By index: of closures that are given references the compiler does not see that their futures may go to any thread.
    stream::iter(0..files.files.len())
        .map(|index| {
            let file = &files.files[index];
            let name = format!("{folder}{}", file.blob);
            let size = present.get(&name).copied();
            upload.file(file, name, size)
        })
        .buffer_unordered(parallel.get())
        .try_collect::<()>()
        .await?;
    files.check_unchanged().await?;
    confirm(container, &indicator, confirmation).await?;
    Ok(false)
}

struct Upload<'a> {
    container: &'a Container,
    hash: &'a str,
    block_size: u64,
    parallel: usize,
    /// One for each block that may be in memory.
    permits: Semaphore,
    meter: Meter,
}

impl Upload<'_> {
    async fn file(&self, file: &LocalFile, name: String, present: Option<u64>) -> Result<()> {
        if present == Some(file.size) {
            self.meter.skipped(file.size);
            return Ok(());
        }
        let overwrite = present.is_some();
        if file.size <= self.block_size {
            self.whole(file, &name, overwrite).await
        } else {
            self.blocks(file, &name, overwrite).await
        }
    }

    async fn whole(&self, file: &LocalFile, name: &str, overwrite: bool) -> Result<()> {
        let _permit = self.permits.acquire().await.map_err(|error| setup(error.into()))?;
        let content = file.part(0, file.size).await?;
        let put = |overwrite| {
            self.container.send("PUT", name, {
                let content = content.clone();
                move |connection| {
                    let (blob, content) = (connection.blob(name), content.clone());
                    async move { put_blob(&blob, content, overwrite).await }
                }
            })
        };
        match put(overwrite).await {
            Err(error) if error.is_conflict() && !overwrite => {
                if !self.is_there(name, file.size).await? {
                    put(true).await?;
                }
            }
            result => result?,
        }
        self.meter.sent(file.size);
        Ok(())
    }

    async fn blocks(&self, file: &LocalFile, name: &str, overwrite: bool) -> Result<()> {
        let blocks = Blocks::of(file.size, self.block_size);
        let staged = staged(self.container, name).await?;
        let (mut ids, mut missing) = (Vec::new(), Vec::new());
        for block in blocks.iter() {
            let id = blocks.id(block, self.hash);
            if staged.get(&id) == Some(&block.size) {
                self.meter.skipped(block.size);
            } else {
                missing.push(block);
            }
            ids.push(id);
        }
        stream::iter(missing)
            .map(|block| self.block(file, name, block, blocks.id(block, self.hash)))
            .buffer_unordered(self.parallel)
            .try_collect::<()>()
            .await?;
        let ids = Arc::new(ids);
        let commit = self.container.send("PUT", name, |connection| {
            let (blob, ids) = (connection.blob(name), Arc::clone(&ids));
            async move {
                let blocks =
                    BlockLookupList { latest: Some(ids.to_vec()), ..BlockLookupList::default() };
                let mut options = BlockBlobClientCommitBlockListOptions::default();
                if !overwrite {
                    options.if_none_match = Some("*".into());
                }
                let blocks = blocks.try_into()?;
                blob.block_blob_client().commit_block_list(blocks, Some(options)).await?;
                Ok(())
            }
        });
        match commit.await {
            // Another upload of the same content was faster, or this one's reply was lost.
            Err(error) if is_of_a_race(&error) && self.is_there(name, file.size).await? => Ok(()),
            result => result,
        }
    }

    async fn block(&self, file: &LocalFile, name: &str, block: Block, id: Vec<u8>) -> Result<()> {
        let _permit = self.permits.acquire().await.map_err(|error| setup(error.into()))?;
        let content = file.part(block.offset, block.size).await?;
        self.container
            .send("PUT", name, |connection| {
                let (blob, content) = (connection.blob(name), content.clone());
                let id = id.clone();
                async move {
                    let content = content.into();
                    blob.block_blob_client().stage_block(&id, block.size, content, None).await?;
                    Ok(())
                }
            })
            .await?;
        self.meter.sent(block.size);
        Ok(())
    }

    async fn is_there(&self, name: &str, size: u64) -> Result<bool> {
        Ok(head(self.container, name).await?.is_some_and(|blob| blob.size == size))
    }
}

async fn put_blob(
    blob: &azure_storage_blob::BlobClient,
    content: Bytes,
    overwrite: bool,
) -> azure_core::Result<()> {
    let mut options = BlobClientUploadOptions {
        // In one piece, whatever its size.
        partition_size: std::num::NonZero::new(u64::MAX >> 1),
        blob_content_type: Some("application/octet-stream".to_owned()),
        ..BlobClientUploadOptions::default()
    };
    if !overwrite {
        options.if_none_match = Some("*".into());
    }
    blob.upload(content.into(), Some(options)).await.map(|_| ())
}

/// What is known of a blob.
struct Head {
    size: u64,
    /// Whether it bears the marks of a complete upload.
    is_complete: bool,
}

async fn head(container: &Container, name: &str) -> Result<Option<Head>> {
    let properties = container.send("HEAD", name, |connection| {
        let blob = connection.blob(name);
        async move { blob.get_properties(None).await }
    });
    let properties = match properties.await {
        Err(error) if error.is_not_found() => return Ok(None),
        properties => properties?,
    };
    let read = || -> azure_core::Result<Head> {
        let size = properties.content_length()?.unwrap_or_default();
        let metadata = properties.metadata()?;
        // Names of headers come back in any case.
        let is_complete = metadata.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("upload_status") && value == "completed"
        });
        Ok(Head { size, is_complete })
    };
    read().map(Some).map_err(|_| {
        let target = crate::http::target_of(&container.url_of(name));
        Error::reply("HEAD", target, "its headers are of another form")
    })
}

/// Blocks of an upload that was interrupted, by their ids.
async fn staged(container: &Container, name: &str) -> Result<BTreeMap<Vec<u8>, u64>> {
    let list = container.send("GET", name, |connection| {
        let blob = connection.blob(name);
        async move {
            let client = blob.block_blob_client();
            client.get_block_list(BlockListType::Uncommitted, None).await?.into_model()
        }
    });
    let list = match list.await {
        Err(error) if error.is_not_found() => return Ok(BTreeMap::new()),
        list => list?,
    };
    let blocks = list.uncommitted_blocks.unwrap_or_default();
    let known = blocks.into_iter().filter_map(|block| {
        Some((block.name?, block.size.and_then(|size| u64::try_from(size).ok())?))
    });
    Ok(known.collect())
}

async fn confirm(container: &Container, blob: &str, asset: Confirmation<'_>) -> Result<()> {
    container
        .send("PUT", blob, |connection| {
            let client = connection.blob(blob);
            let pairs =
                [("upload_status", "completed"), ("name", asset.name), ("version", asset.version)];
            let metadata = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            async move { client.set_metadata(&metadata.into(), None).await.map(|_| ()) }
        })
        .await
}

fn is_of_a_race(error: &Error) -> bool {
    let is_of_blocks = error.service().is_some_and(|error| error.code == "InvalidBlockList");
    error.is_conflict() || is_of_blocks
}

fn setup(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Setup { source }
}
