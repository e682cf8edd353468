use std::sync::Arc;

use axum::body::{Body, Bytes};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{
    refusal::{Answer, Refusal},
    target::Target,
};
use crate::{store::Received, world::World};

/// Pieces of a body that may wait for the disk: memory stays the same however long it is.
const WAITING: usize = 8;

/// Takes a body to the disk as it comes. What is not whole leaves nothing.
pub(super) async fn receive(
    world: &Arc<World>,
    target: &Target,
    body: Body,
    max: u64,
) -> Answer<Received> {
    let length = target.content_length()?;
    if length > max {
        let message = format!("The request body is too large: at most {max} bytes are permitted.");
        return Err(Refusal::new(413, "RequestBodyTooLarge", message));
    }
    if target.header("x-ms-content-crc64").is_some() {
        return Err(Refusal::not_implemented("checking CRC64"));
    }
    let (to_disk, arriving) = mpsc::channel(WAITING);
    let world = Arc::clone(world);
    let writing = tokio::task::spawn_blocking(move || write(&world, arriving));
    let mut stream = body.into_data_stream();
    let mut is_whole = true;
    while let Some(part) = stream.next().await {
        let Ok(part) = part else {
            is_whole = false;
            break;
        };
        if to_disk.send(part).await.is_err() {
            // The disk has failed, and says why below.
            break;
        }
    }
    drop(to_disk);
    let received = writing.await.map_err(std::io::Error::other)??;
    if !is_whole || received.piece.size != length {
        return Err(Refusal::new(400, "IncompleteBody", "the body broke off"));
    }
    let expected = target.header("content-md5");
    if expected.is_some_and(|expected| expected != STANDARD.encode(received.md5)) {
        let message = "The MD5 value specified in the request did not match with the MD5 value calculated by the server.";
        return Err(Refusal::new(400, "Md5Mismatch", message));
    }
    Ok(received)
}

fn write(world: &World, mut arriving: mpsc::Receiver<Bytes>) -> std::io::Result<Received> {
    let mut content = world.store.pieces().incoming()?;
    while let Some(part) = arriving.blocking_recv() {
        content.write(&part)?;
    }
    content.finish()
}
