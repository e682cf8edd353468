use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    access::Grant,
    block_list::{self, Source},
    blocking, conditions,
    receive::receive,
    refusal::{Answer, Refusal},
    rows::{Blob, Blobs, Block, Properties, new_etag},
    target::Target,
};
use crate::{moment::Moment, world::World};

/// The longest content that is put at once, and the longest block, in bytes.
const MAX_PUT: u64 = 5000 << 20;
const MAX_BLOCK: u64 = 4000 << 20;

/// How many blocks a blob may have, and how many may wait to become part of it.
const MAX_BLOCKS: usize = 50_000;
const MAX_UNCOMMITTED: i64 = 100_000;

/// Who may only create must not replace.
fn check_access(grant: &Grant, existing: Option<&Blob>) -> Answer<()> {
    if existing.is_some() && !grant.may_write() {
        return grant.require("w");
    }
    Ok(())
}

/// The headers of a request that are kept with a blob.
fn properties(target: &Target) -> Properties {
    let of = |name: &str| target.header(name).map(str::to_owned);
    Properties {
        content_type: of("x-ms-blob-content-type"),
        content_encoding: of("x-ms-blob-content-encoding"),
        content_language: of("x-ms-blob-content-language"),
        content_disposition: of("x-ms-blob-content-disposition"),
        cache_control: of("x-ms-blob-cache-control"),
        content_md5: of("x-ms-blob-content-md5"),
    }
}

fn stored(status: StatusCode, blob: &Blob, md5: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let mut headers = vec![
        ("etag", blob.etag.clone()),
        ("last-modified", blob.modified.http()),
        ("x-ms-request-server-encrypted", "true".to_owned()),
    ];
    headers.extend(md5.map(|md5| ("content-md5", md5.to_owned())));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Puts a content at once.
pub(super) async fn blob(world: &Arc<World>, target: Target, grant: Grant, body: Body) -> Answer {
    match target.header("x-ms-blob-type") {
        Some("BlockBlob") => {}
        Some(_) => return Err(Refusal::not_implemented("append blobs and page blobs")),
        None => {
            let message = "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type.";
            return Err(Refusal::new(400, "MissingRequiredHeader", message));
        }
    }
    if target.header("x-ms-copy-source").is_some() {
        return Err(Refusal::not_implemented("copying from an address"));
    }
    let metadata = target.metadata()?;
    let received = receive(world, &target, body, MAX_PUT).await?;
    let md5 = STANDARD.encode(received.md5);
    blocking(world, move |world| {
        let now = world.clock.now();
        world.store.transaction_on_pieces(|connection, pieces| {
            let blobs = Blobs { connection, container: &target.container };
            let existing = check(blobs, &target, &grant)?;
            let mut properties = properties(&target);
            properties.content_type = properties
                .content_type
                .or_else(|| target.header("content-type").map(str::to_owned));
            properties.content_md5 = Some(md5.clone());
            let blob = new_blob(blobs, &target, existing, properties, metadata, now)?;
            let blob = Blob { size: received.piece.size, ..blob };
            let piece = received.piece.clone();
            pieces.keep(received)?;
            // What is empty consists of nothing.
            let blocks: &[Block] = &[Block { id: None, piece }];
            blobs.put(&blob, if blob.size == 0 { &[] } else { blocks })?;
            Ok(stored(StatusCode::CREATED, &blob, Some(&md5)))
        })
    })
    .await
}

/// Holds a write against the container, the conditions and the permission.
fn check(blobs: Blobs<'_>, target: &Target, grant: &Grant) -> Answer<Option<Blob>> {
    if blobs.has_container()?.is_none() {
        return Err(Refusal::missing_container());
    }
    let existing = blobs.get(&target.blob)?;
    conditions::check(target, existing.as_ref(), false)?;
    check_access(grant, existing.as_ref())?;
    Ok(existing)
}

fn new_blob(
    blobs: Blobs<'_>,
    target: &Target,
    existing: Option<Blob>,
    mut properties: Properties,
    metadata: BTreeMap<String, String>,
    now: Moment,
) -> Answer<Blob> {
    if properties.content_type.is_none() {
        properties.content_type = Some("application/octet-stream".to_owned());
    }
    Ok(Blob {
        name: target.blob.clone(),
        etag: new_etag(blobs.connection)?,
        created: existing.map_or(now, |existing| existing.created),
        modified: now,
        size: 0,
        properties,
        metadata,
    })
}

/// Uploads a block, for a later list to name it.
pub(super) async fn block(world: &Arc<World>, target: Target, grant: Grant, body: Body) -> Answer {
    let id = target.parameter("blockid").unwrap_or_default().to_owned();
    let is_id = STANDARD.decode(&id).is_ok_and(|id| (1..=64).contains(&id.len()));
    if !is_id {
        let message = "Value for one of the query parameters specified in the request URI is invalid: blockid.";
        return Err(Refusal::new(400, "InvalidQueryParameterValue", message));
    }
    let received = receive(world, &target, body, MAX_BLOCK).await?;
    let md5 = STANDARD.encode(received.md5);
    blocking(world, move |world| {
        let now = world.clock.now();
        world.store.transaction_on_pieces(|connection, pieces| {
            let blobs = Blobs { connection, container: &target.container };
            if blobs.has_container()?.is_none() {
                return Err(Refusal::missing_container());
            }
            check_access(&grant, blobs.get(&target.blob)?.as_ref())?;
            let (length, n_blocks) = blobs.uncommitted_shape(&target.blob)?;
            if length.is_some_and(|length| usize::try_from(length) != Ok(id.len())) {
                let message = "The specified blob or block content is invalid: block ids differ in length.";
                return Err(Refusal::new(400, "InvalidBlobOrBlock", message));
            }
            if n_blocks >= MAX_UNCOMMITTED {
                let message = "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.";
                return Err(Refusal::new(409, "BlockCountExceedsLimit", message));
            }
            let piece = received.piece.clone();
            pieces.keep(received)?;
            blobs.stage(&target.blob, &id, &piece, now)?;
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::CREATED;
            let headers = response.headers_mut();
            headers.insert("x-ms-request-server-encrypted", HeaderValue::from_static("true"));
            if let Ok(md5) = HeaderValue::from_str(&md5) {
                headers.insert("content-md5", md5);
            }
            Ok(response)
        })
    })
    .await
}

/// Makes a blob of blocks, in the order of a list.
pub(super) async fn block_list(
    world: &Arc<World>,
    target: Target,
    grant: Grant,
    body: Body,
) -> Answer {
    let list = block_list::read(body, MAX_BLOCKS).await?;
    let metadata = target.metadata()?;
    blocking(world, move |world| {
        let now = world.clock.now();
        world.store.transaction_on_pieces(|connection, _| {
            let blobs = Blobs { connection, container: &target.container };
            let existing = check(blobs, &target, &grant)?;
            let by_id = |blocks: Vec<Block>| -> BTreeMap<String, Block> {
                blocks.into_iter().filter_map(|block| Some((block.id.clone()?, block))).collect()
            };
            let committed = by_id(blobs.committed(&target.blob)?);
            let uncommitted = by_id(blobs.uncommitted(&target.blob)?);
            let blocks: Option<Vec<Block>> = list
                .iter()
                .map(|(source, id)| match source {
                    Source::Committed => committed.get(id),
                    Source::Uncommitted => uncommitted.get(id),
                    Source::Latest => uncommitted.get(id).or_else(|| committed.get(id)),
                })
                .map(Option::<&Block>::cloned)
                .collect();
            let blocks = blocks.ok_or_else(|| {
                Refusal::new(400, "InvalidBlockList", "The specified block list is invalid.")
            })?;
            let blob = new_blob(blobs, &target, existing, properties(&target), metadata, now)?;
            let size = blocks.iter().map(|block| block.piece.size).sum();
            let blob = Blob { size, ..blob };
            blobs.put(&blob, &blocks)?;
            Ok(stored(StatusCode::CREATED, &blob, None))
        })
    })
    .await
}

/// Replaces the metadata of a blob.
pub(super) async fn metadata(world: &Arc<World>, target: Target) -> Answer {
    let metadata = target.metadata()?;
    blocking(world, move |world| {
        let now = world.clock.now();
        world.store.transaction(|connection| {
            let blobs = Blobs { connection, container: &target.container };
            let existing = blobs.get(&target.blob)?;
            conditions::check(&target, existing.as_ref(), false)?;
            let existing = existing.ok_or_else(Refusal::missing_blob)?;
            let etag = new_etag(connection)?;
            let blob = Blob { etag, modified: now, metadata, ..existing };
            blobs.set_metadata(&blob)?;
            Ok(stored(StatusCode::OK, &blob, None))
        })
    })
    .await
}

pub(super) async fn delete(world: &Arc<World>, target: Target) -> Answer {
    blocking(world, move |world| {
        world.store.transaction_on_pieces(|connection, _| {
            let blobs = Blobs { connection, container: &target.container };
            let existing = blobs.get(&target.blob)?;
            conditions::check(&target, existing.as_ref(), false)?;
            if existing.is_none() {
                return Err(Refusal::missing_blob());
            }
            blobs.remove(&target.blob)?;
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        })
    })
    .await
}
