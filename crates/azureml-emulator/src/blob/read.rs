use std::{
    io::{Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Method, Response, StatusCode},
};
use futures_util::stream;
use tokio::sync::mpsc;

use super::{
    blocking, conditions,
    refusal::{Answer, Refusal},
    rows::{Blob, Blobs, Block},
    target::Target,
};
use crate::world::World;

/// How much is read from a file at once, and how many such parts may wait for the client.
const PART: usize = 256 << 10;
const WAITING: usize = 4;

/// A blob's properties, and its content or a range of it unless only the head is wanted.
pub(super) async fn blob(world: &Arc<World>, target: Target) -> Answer {
    let is_head = target.method == Method::HEAD;
    let asked = target.header("x-ms-range").or_else(|| target.header("range"));
    let asked = asked.filter(|_| !is_head).map(str::to_owned);
    let is_true =
        |name: &str| target.header(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if is_true("x-ms-range-get-content-md5") || is_true("x-ms-range-get-content-crc64") {
        return Err(Refusal::not_implemented("checksums of ranges"));
    }
    let (blob, blocks) = blocking(world, move |world| {
        world.store.transaction(|connection| {
            let blobs = Blobs { connection, container: &target.container };
            if blobs.has_container()?.is_none() {
                return Err(Refusal::missing_container());
            }
            let blob = blobs.get(&target.blob)?.ok_or_else(Refusal::missing_blob)?;
            conditions::check(&target, Some(&blob), true)?;
            let blocks = if is_head { Vec::new() } else { blobs.committed(&target.blob)? };
            Ok((blob, blocks))
        })
    })
    .await?;
    let range = asked.as_deref().map(|asked| parse_range(asked, blob.size)).transpose()?.flatten();
    let (status, wanted) = match &range {
        Some(range) => (StatusCode::PARTIAL_CONTENT, range.clone()),
        None => (StatusCode::OK, 0..blob.size),
    };
    let length = wanted.end - wanted.start;
    let body = if is_head { Body::empty() } else { content(world, blocks, wanted.clone()) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    describe(&mut response, &blob, length);
    if range.is_some() {
        let text = format!("bytes {}-{}/{}", wanted.start, wanted.end - 1, blob.size);
        set(&mut response, "content-range", &text);
        // The content's checksum is not the range's.
        if let Some(md5) = response.headers_mut().remove("content-md5") {
            response.headers_mut().insert("x-ms-blob-content-md5", md5);
        }
    }
    Ok(response)
}

fn set(response: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) =
        (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
    {
        response.headers_mut().insert(name, value);
    }
}

fn describe(response: &mut Response<Body>, blob: &Blob, length: u64) {
    let properties = &blob.properties;
    for (name, value) in [
        ("content-type", &properties.content_type),
        ("content-encoding", &properties.content_encoding),
        ("content-language", &properties.content_language),
        ("content-disposition", &properties.content_disposition),
        ("cache-control", &properties.cache_control),
        ("content-md5", &properties.content_md5),
    ] {
        if let Some(value) = value {
            set(response, name, value);
        }
    }
    for (name, value) in [
        ("content-length", length.to_string().as_str()),
        ("etag", &blob.etag),
        ("last-modified", &blob.modified.http()),
        ("x-ms-creation-time", &blob.created.http()),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-lease-state", "available"),
        ("x-ms-server-encrypted", "true"),
        ("accept-ranges", "bytes"),
    ] {
        set(response, name, value);
    }
    for (name, value) in &blob.metadata {
        set(response, &format!("x-ms-meta-{name}"), value);
    }
}

/// A range of bytes as HTTP says it, cut off at the end of the content. What is no range at all is no range.
fn parse_range(text: &str, size: u64) -> Answer<Option<Range<u64>>> {
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let Ok(from) = from.parse::<u64>() else {
        // Of a range without a beginning, the Blob service knows nothing.
        return Err(Refusal::invalid_header("range"));
    };
    let to = if to.is_empty() {
        size
    } else {
        let to: u64 = to.parse().map_err(|_| Refusal::invalid_header("range"))?;
        to.saturating_add(1).min(size)
    };
    if from >= to {
        let message = "The range specified is invalid for the current size of the resource.";
        return Err(Refusal::new(416, "InvalidRange", message));
    }
    Ok(Some(from..to))
}

/// Reads files one after the other while the client takes what was read.
fn content(world: &Arc<World>, blocks: Vec<Block>, wanted: Range<u64>) -> Body {
    let (to_client, read) = mpsc::channel::<std::io::Result<Bytes>>(WAITING);
    let world = Arc::clone(world);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read_blocks(&world, &blocks, wanted, &to_client) {
            // A blob that was replaced meanwhile: the connection breaks off, and the client asks again.
            tracing::warn!(%error, "a content could not be read to its end");
            let _ = to_client.blocking_send(Err(error));
        }
    });
    Body::from_stream(stream::unfold(read, |mut read| async move {
        let part = read.recv().await?;
        Some((part, read))
    }))
}

fn read_blocks(
    world: &World,
    blocks: &[Block],
    wanted: Range<u64>,
    to_client: &mpsc::Sender<std::io::Result<Bytes>>,
) -> std::io::Result<()> {
    let mut start = 0;
    for block in blocks {
        let end = start + block.piece.size;
        let (from, to) = (wanted.start.max(start), wanted.end.min(end));
        if from < to {
            let mut file = world.store.pieces().read(&block.piece.hash)?;
            file.seek(SeekFrom::Start(from - start))?;
            let mut left = to - from;
            while left > 0 {
                let n_wanted = usize::try_from(left).unwrap_or(PART).min(PART);
                let mut part = vec![0; n_wanted];
                file.read_exact(&mut part)?;
                left -= n_wanted as u64;
                if to_client.blocking_send(Ok(part.into())).is_err() {
                    // The client has gone.
                    return Ok(());
                }
            }
        }
        start = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn ranges_end_with_the_content() {
        assert_eq!(parse_range("bytes=0-9", 100).unwrap(), Some(0..10));
        assert_eq!(parse_range("bytes=90-200", 100).unwrap(), Some(90..100));
        assert_eq!(parse_range("bytes=5-", 100).unwrap(), Some(5..100));
        assert_eq!(parse_range("lines=0-9", 100).unwrap(), None);
        assert_eq!(parse_range("bytes=0-18446744073709551615", 100).unwrap(), Some(0..100));
        for range in ["bytes=100-", "bytes=7-3", "bytes=-5", "bytes=a-b", "bytes=0-x"] {
            assert!(parse_range(range, 100).is_err(), "{range}");
        }
        assert!(parse_range("bytes=0-0", 0).is_err());
    }
}
