//! Blobs in Azurite as files of this machine, and back.

use std::{collections::BTreeSet, io, path::Path};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::{Storage, listing, unexpected};
use crate::{blob::files, contents::Fetched, place::Place};

/// What stays as it is in the path of an address.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How much of a file is read at once.
const PART: usize = 256 << 10;

impl Storage {
    pub(crate) async fn fetch(&self, place: &Place, to: &Path) -> io::Result<Fetched> {
        if !place.path.is_empty() && self.fetch_blob(&place.container, &place.path, to).await? {
            return Ok(Fetched::File);
        }
        let prefix = files::below(place);
        let mut n_files = 0;
        for name in self.names(&place.container, &prefix).await? {
            let relative = name.strip_prefix(&prefix).unwrap_or_default();
            // A folder that a client has marked as such.
            if relative.is_empty() || relative.ends_with('/') {
                continue;
            }
            let path = to.join(files::checked(relative)?);
            if let Some(folder) = path.parent() {
                tokio::fs::create_dir_all(folder).await?;
            }
            // It may have been deleted meanwhile.
            let is_there = self.fetch_blob(&place.container, &name, &path).await?;
            n_files += usize::from(is_there);
        }
        Ok(if n_files == 0 { Fetched::Nothing } else { Fetched::Folder { n_files } })
    }

    pub(crate) async fn keep(&self, from: &Path, place: &Place) -> io::Result<()> {
        self.make_container(&place.container).await?;
        if tokio::fs::metadata(from).await?.is_file() {
            return self.put_file(&place.container, &place.path, from).await;
        }
        let prefix = files::below(place);
        let (folder, start) = (from.to_owned(), prefix.clone());
        let listed = tokio::task::spawn_blocking(move || {
            let mut listed = Vec::new();
            files::list(&folder, &start, &mut listed).map(|()| listed)
        });
        let listed = listed.await.map_err(io::Error::other)??;
        for (name, path) in &listed {
            self.put_file(&place.container, name, path).await?;
        }
        let kept: BTreeSet<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
        for name in self.names(&place.container, &prefix).await? {
            if !kept.contains(name.as_str()) {
                self.delete(&place.container, &name).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn keep_bytes(&self, bytes: Vec<u8>, place: &Place) -> io::Result<()> {
        self.make_container(&place.container).await?;
        let size = bytes.len() as u64;
        self.put(&place.container, &place.path, size, Body::from(bytes)).await
    }

    /// Whether the blob is there.
    async fn fetch_blob(&self, container: &str, name: &str, to: &Path) -> io::Result<bool> {
        let uri = self.uri(&encoded(container, name), None)?;
        let response = self.ask(Method::GET, uri, &[], Body::empty()).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(false),
            _ => return Err(unexpected(&response)),
        }
        let mut file = File::create(to).await?;
        let mut body = response.into_body().into_data_stream();
        while let Some(part) = body.next().await {
            file.write_all(&part.map_err(io::Error::other)?).await?;
        }
        file.flush().await?;
        Ok(true)
    }

    /// All names that begin so.
    async fn names(&self, container: &str, prefix: &str) -> io::Result<Vec<String>> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let query = list_query(prefix, marker.as_deref());
            let uri = self.uri(container, Some(&query))?;
            let response = self.ask(Method::GET, uri, &[], Body::empty()).await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => return Ok(all),
                _ => return Err(unexpected(&response)),
            }
            let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
            let text = std::str::from_utf8(&body).map_err(io::Error::other)?;
            let (names, next) = listing::parse(text)?;
            all.extend(names);
            if next.is_none() {
                return Ok(all);
            }
            marker = next;
        }
    }

    async fn put_file(&self, container: &str, name: &str, from: &Path) -> io::Result<()> {
        let file = File::open(from).await?;
        let size = file.metadata().await?.len();
        // No longer than was said, even if somebody writes to it.
        let parts = stream::try_unfold(file.take(size), |mut file| async move {
            let mut part = vec![0; PART];
            let n_read = file.read(&mut part).await?;
            part.truncate(n_read);
            Ok::<_, io::Error>((n_read > 0).then_some((part, file)))
        });
        self.put(container, name, size, Body::from_stream(parts)).await
    }

    async fn put(&self, container: &str, name: &str, size: u64, body: Body) -> io::Result<()> {
        let uri = self.uri(&encoded(container, name), None)?;
        let size = size.to_string();
        let headers = [
            ("x-ms-blob-type", "BlockBlob"),
            ("content-length", size.as_str()),
            ("content-type", files::content_type(name)),
        ];
        let response = self.ask(Method::PUT, uri, &headers, body).await?;
        if response.status() == StatusCode::CREATED { Ok(()) } else { Err(unexpected(&response)) }
    }

    async fn delete(&self, container: &str, name: &str) -> io::Result<()> {
        let uri = self.uri(&encoded(container, name), None)?;
        let response = self.ask(Method::DELETE, uri, &[], Body::empty()).await?;
        match response.status() {
            StatusCode::ACCEPTED | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(unexpected(&response)),
        }
    }
}

fn encoded(container: &str, name: &str) -> String {
    format!("{container}/{}", utf8_percent_encode(name, PATH))
}

fn list_query(prefix: &str, marker: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([("restype", "container"), ("comp", "list"), ("prefix", prefix)]);
    if let Some(marker) = marker {
        query.append_pair("marker", marker);
    }
    // A plus is a plus in what is signed.
    query.finish().replace('+', "%20")
}
