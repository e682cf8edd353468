use std::{fmt::Write, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use quick_xml::escape::escape;

use super::{
    blocking,
    refusal::{Answer, Refusal},
    rows::{Blob, Blobs},
    target::Target,
};
use crate::world::World;

/// The most entries that one answer has.
const MAX_RESULTS: usize = 5000;

/// Blobs that are read at once.
const BATCH: usize = 500;

enum Entry {
    Blob(Box<Blob>),
    /// All names that begin so.
    Prefix(String),
}

/// Lists a container: all blobs whose names begin with a prefix, or, with a delimiter, as if names were paths.
pub(super) async fn list(world: &Arc<World>, target: Target) -> Answer {
    let include = target.parameter("include").unwrap_or_default().to_owned();
    if include.split(',').any(|part| part == "uncommittedblobs") {
        return Err(Refusal::not_implemented("listing uncommitted blobs"));
    }
    let invalid = |name: &str| {
        let message = format!(
            "Value for one of the query parameters specified in the request URI is invalid: {name}."
        );
        Refusal::new(400, "InvalidQueryParameterValue", message)
    };
    let limit = match target.parameter("maxresults") {
        None | Some("") => MAX_RESULTS,
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if limit > 0 => limit.min(MAX_RESULTS),
            _ => return Err(invalid("maxresults")),
        },
    };
    let marker = match target.parameter("marker") {
        None | Some("") => None,
        Some(text) => {
            let marker = URL_SAFE_NO_PAD.decode(text).ok();
            let marker = marker.and_then(|marker| String::from_utf8(marker).ok());
            Some(marker.ok_or_else(|| invalid("marker"))?)
        }
    };
    blocking(world, move |world| {
        world.store.transaction(|connection| {
            let blobs = Blobs { connection, container: &target.container };
            if blobs.has_container()?.is_none() {
                return Err(Refusal::missing_container());
            }
            let prefix = target.parameter("prefix").unwrap_or_default();
            let delimiter = target.parameter("delimiter").filter(|text| !text.is_empty());
            let (entries, next) = collect(blobs, prefix, delimiter, marker, limit)?;
            let xml = render(&target, &entries, next.as_deref(), include.contains("metadata"));
            let mut response = Response::new(Body::from(xml));
            let kind = HeaderValue::from_static("application/xml");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            Ok(response)
        })
    })
    .await
}

/// Up to `limit` entries behind a marker, and the marker of the next page if there is one.
fn collect(
    blobs: Blobs<'_>,
    prefix: &str,
    delimiter: Option<&str>,
    marker: Option<String>,
    limit: usize,
) -> Answer<(Vec<Entry>, Option<String>)> {
    let mut entries = Vec::new();
    let mut is_included = marker.is_none();
    let mut place = marker.unwrap_or_else(|| prefix.to_owned());
    'reading: loop {
        let batch = blobs.after(&place, is_included, BATCH)?;
        let n_read = batch.len();
        for blob in batch {
            let Some(rest) = blob.name.strip_prefix(prefix) else { break 'reading };
            let end =
                delimiter.and_then(|delimiter| Some((rest.find(delimiter)?, delimiter.len())));
            let folder = end.and_then(|(at, length)| blob.name.get(..prefix.len() + at + length));
            // Another of the names that a prefix stands for.
            if matches!((entries.last(), folder), (Some(Entry::Prefix(last)), Some(folder)) if last == folder)
            {
                continue;
            }
            if entries.len() == limit {
                return Ok((entries, Some(URL_SAFE_NO_PAD.encode(place))));
            }
            match folder {
                Some(folder) => {
                    // Behind all names that begin so.
                    place = format!("{folder}{}", char::MAX);
                    entries.push(Entry::Prefix(folder.to_owned()));
                }
                None => {
                    place.clone_from(&blob.name);
                    entries.push(Entry::Blob(Box::new(blob)));
                }
            }
        }
        is_included = false;
        if n_read < BATCH {
            break;
        }
    }
    Ok((entries, None))
}

fn render(target: &Target, entries: &[Entry], next: Option<&str>, with_metadata: bool) -> String {
    let container = escape(target.container.as_str());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<EnumerationResults ContainerName=\"{container}\">"
    );
    for (element, parameter) in [
        ("Prefix", "prefix"),
        ("Marker", "marker"),
        ("MaxResults", "maxresults"),
        ("Delimiter", "delimiter"),
    ] {
        if let Some(value) = target.parameter(parameter) {
            add(&mut xml, element, value);
        }
    }
    xml += "<Blobs>";
    for entry in entries {
        match entry {
            Entry::Blob(blob) => render_blob(&mut xml, blob, with_metadata),
            Entry::Prefix(name) => {
                xml += "<BlobPrefix>";
                add(&mut xml, "Name", name);
                xml += "</BlobPrefix>";
            }
        }
    }
    xml += "</Blobs>";
    add(&mut xml, "NextMarker", next.unwrap_or_default());
    xml += "</EnumerationResults>";
    xml
}

fn add(xml: &mut String, element: &str, text: &str) {
    // Writing to a string does not fail.
    let _ = write!(xml, "<{element}>{}</{element}>", escape(text));
}

fn render_blob(xml: &mut String, blob: &Blob, with_metadata: bool) {
    *xml += "<Blob>";
    add(xml, "Name", &blob.name);
    *xml += "<Properties>";
    let properties = &blob.properties;
    for (element, value) in [
        ("Creation-Time", Some(&blob.created.http())),
        ("Last-Modified", Some(&blob.modified.http())),
        ("Etag", Some(&blob.etag.replace('"', ""))),
        ("Content-Length", Some(&blob.size.to_string())),
        ("Content-Type", properties.content_type.as_ref()),
        ("Content-Encoding", properties.content_encoding.as_ref()),
        ("Content-Language", properties.content_language.as_ref()),
        ("Content-MD5", properties.content_md5.as_ref()),
        ("Cache-Control", properties.cache_control.as_ref()),
        ("Content-Disposition", properties.content_disposition.as_ref()),
    ] {
        add(xml, element, value.map_or("", String::as_str));
    }
    *xml += "<BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>";
    if with_metadata {
        *xml += "<Metadata>";
        for (name, value) in &blob.metadata {
            add(xml, name, value);
        }
        *xml += "</Metadata>";
    }
    *xml += "</Blob>";
}
