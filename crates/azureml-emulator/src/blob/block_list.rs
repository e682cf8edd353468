use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use http_body_util::{BodyExt, Limited};
use quick_xml::{Reader, escape::escape, events::Event};

use super::{
    blocking,
    refusal::{Answer, Refusal},
    rows::{Blobs, Block},
    target::Target,
};
use crate::world::World;

/// Where a list takes a block from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Committed,
    Uncommitted,
    /// What was uploaded last.
    Latest,
}

/// The longest list: 50,000 names of 64 bytes, with what is around them.
const MAX_BODY: usize = 8 << 20;

/// Reads the body of a block list.
pub(super) async fn read(body: Body, max_blocks: usize) -> Answer<Vec<(Source, String)>> {
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| invalid())?.to_bytes();
    let list = parse(std::str::from_utf8(&body).map_err(|_| invalid())?)?;
    if list.len() > max_blocks {
        let message = "The committed block count cannot exceed the maximum limit of 50,000 blocks.";
        return Err(Refusal::new(400, "BlockListTooLong", message));
    }
    Ok(list)
}

fn invalid() -> Refusal {
    Refusal::new(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
}

fn parse(xml: &str) -> Answer<Vec<(Source, String)>> {
    let mut reader = Reader::from_str(xml);
    let mut list = Vec::new();
    let (mut is_in_list, mut is_closed) = (false, false);
    let mut block: Option<(Source, String)> = None;
    loop {
        match reader.read_event().map_err(|_| invalid())? {
            Event::Start(start) if !is_in_list && start.name().as_ref() == b"BlockList" => {
                is_in_list = true;
            }
            Event::Empty(start) if !is_in_list && start.name().as_ref() == b"BlockList" => {
                (is_in_list, is_closed) = (true, true);
            }
            Event::Start(start) if is_in_list && block.is_none() => {
                let source = match start.name().as_ref() {
                    b"Committed" => Source::Committed,
                    b"Uncommitted" => Source::Uncommitted,
                    b"Latest" => Source::Latest,
                    _ => return Err(invalid()),
                };
                block = Some((source, String::new()));
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|_| invalid())?;
                match &mut block {
                    Some((_, id)) => id.push_str(&text),
                    None if text.trim().is_empty() => {}
                    None => return Err(invalid()),
                }
            }
            Event::End(_) => match block.take() {
                Some((source, id)) => list.push((source, id.trim().to_owned())),
                None => is_closed = true,
            },
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => break,
            // Base64 needs no references, and a list no types.
            _ => return Err(invalid()),
        }
    }
    if is_closed && block.is_none() { Ok(list) } else { Err(invalid()) }
}

/// Shows the blocks of a blob.
pub(super) async fn get(world: &Arc<World>, target: Target) -> Answer {
    let kind = target.parameter("blocklisttype").unwrap_or("committed").to_lowercase();
    if !["committed", "uncommitted", "all"].contains(&kind.as_str()) {
        let message = "Value for one of the query parameters specified in the request URI is invalid: blocklisttype.";
        return Err(Refusal::new(400, "InvalidQueryParameterValue", message));
    }
    blocking(world, move |world| {
        world.store.transaction(|connection| {
            let blobs = Blobs { connection, container: &target.container };
            let blob = blobs.get(&target.blob)?;
            let uncommitted = blobs.uncommitted(&target.blob)?;
            if blob.is_none() && uncommitted.is_empty() {
                return Err(Refusal::missing_blob());
            }
            let mut xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>".to_owned();
            if kind != "uncommitted" {
                xml += &blocks("CommittedBlocks", &blobs.committed(&target.blob)?);
            }
            if kind != "committed" {
                xml += &blocks("UncommittedBlocks", &uncommitted);
            }
            xml += "</BlockList>";
            let mut response = Response::new(Body::from(xml));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            if let Some(blob) = blob {
                headers.insert("x-ms-blob-content-length", HeaderValue::from(blob.size));
                if let Ok(etag) = HeaderValue::from_str(&blob.etag) {
                    headers.insert(header::ETAG, etag);
                }
            }
            Ok(response)
        })
    })
    .await
}

fn blocks(name: &str, blocks: &[Block]) -> String {
    let blocks: String = blocks
        .iter()
        .filter_map(|block| {
            let id = escape(block.id.as_deref()?);
            Some(format!("<Block><Name>{id}</Name><Size>{}</Size></Block>", block.piece.size))
        })
        .collect();
    format!("<{name}>{blocks}</{name}>")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn reads_lists_and_nothing_else() {
        let xml = "<?xml version='1.0' encoding='utf-8'?>\n<BlockList>\n <Latest>YQ==</Latest><Committed>Yg==</Committed>\n<Uncommitted> Yw== </Uncommitted></BlockList>";
        let list = parse(xml).unwrap();
        let expected =
            [(Source::Latest, "YQ=="), (Source::Committed, "Yg=="), (Source::Uncommitted, "Yw==")];
        assert_eq!(list, expected.map(|(source, id)| (source, id.to_owned())));
        assert_eq!(parse("<BlockList></BlockList>").unwrap(), []);
        assert_eq!(parse("<BlockList/>").unwrap(), []);
        for xml in [
            "",
            "<BlockList>",
            "<BlockList><Latest>YQ==</BlockList>",
            "<BlockList><Newest>YQ==</Newest></BlockList>",
            "<BlockList><Latest><Latest>YQ==</Latest></Latest></BlockList>",
            "<Latest>YQ==</Latest>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><BlockList><Latest>&b;</Latest></BlockList>",
            "<BlockList>YQ==</BlockList>",
            "{}",
        ] {
            assert!(parse(xml).is_err(), "{xml}");
        }
    }
}
