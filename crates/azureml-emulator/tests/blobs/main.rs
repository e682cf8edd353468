//! The Blob service: contents, and who may read and write them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod signatures;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;
use support::{Local, Reply, local, send};

/// The default container, with requests that a signature for it permits.
struct Container<'a> {
    local: &'a Local,
    url: String,
    sas: String,
}

impl<'a> Container<'a> {
    async fn of(local: &'a Local) -> Self {
        let (url, sas) = local.container().await;
        Self { local, url, sas }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let separator = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{separator}{}", self.url, self.sas);
        self.local.client.request(method, url)
    }

    async fn put(&self, path: &str, content: impl Into<reqwest::Body>) -> Reply {
        send(self.request(Method::PUT, path).header("x-ms-blob-type", "BlockBlob").body(content))
            .await
    }

    async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    /// The names in a list, prefixes in brackets, page by page.
    async fn list(&self, query: &str) -> Vec<String> {
        let (mut names, mut marker) = (Vec::new(), String::new());
        loop {
            let path = format!("?restype=container&comp=list{query}&marker={marker}");
            let xml = self.get(&path).await.expect(200);
            let xml = xml.body.as_str().unwrap();
            let parts: Vec<&str> = xml.split("<Name>").collect();
            for pair in parts.windows(2) {
                let (name, _) = pair[1].split_once("</Name>").unwrap();
                let is_prefix = pair[0].ends_with("<BlobPrefix>");
                names.push(if is_prefix { format!("[{name}]") } else { name.to_owned() });
            }
            marker = between(xml, "<NextMarker>", "</NextMarker>").to_owned();
            if marker.is_empty() {
                return names;
            }
        }
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

/// All files below a folder.
fn n_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { n_files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn a_content_is_put_read_by_ranges_and_deleted() {
    let (folder, local) = local().await;
    let blobs = Container::of(&local).await;
    assert_eq!(blobs.get("/a/b").await.expect(404).header("x-ms-error-code"), "BlobNotFound");
    let put = blobs.put("/a/b%20c%C3%BC", "0123456789").await.expect(201);
    assert_eq!(put.header("content-md5"), "eB5eJF1ptWaXm4bijSPyxw==");
    let read = send(blobs.request(Method::GET, "/a/b%20c%C3%BC").header("x-ms-range", "bytes=3-5"));
    let read = read.await.expect(206);
    assert_eq!(
        (read.body, read.headers["content-range"].to_str().unwrap()),
        (json!(345), "bytes 3-5/10")
    );
    let read = send(blobs.request(Method::GET, "/a/b%20c%C3%BC").header("range", "bytes=10-"));
    assert_eq!(read.await.expect(416).header("x-ms-error-code"), "InvalidRange");
    let head = send(blobs.request(Method::HEAD, "/a/b%20c%C3%BC")).await.expect(200);
    assert_eq!((head.header("content-length"), head.header("x-ms-blob-type")), ("10", "BlockBlob"));
    assert_eq!(head.header("etag"), put.header("etag"));
    // Equal contents are one file, which goes with its last name. The permission to delete is not in that signature.
    blobs.put("/other", "0123456789").await.expect(201);
    let files = folder.path().join("blobs");
    assert_eq!(n_files(&files), 1);
    let refused = send(blobs.request(Method::DELETE, "/other")).await.expect(403);
    assert_eq!(refused.header("x-ms-error-code"), "AuthorizationPermissionMismatch");
    let token = local.sign_in("https://storage.azure.com").await;
    for (path, n_left) in [("/other", 1), ("/a/b%20c%C3%BC", 0)] {
        let url = format!("{}{path}", blobs.url);
        send(local.client.delete(&url).bearer_auth(&token)).await.expect(202);
        assert_eq!(n_files(&files), n_left);
        send(local.client.delete(&url).bearer_auth(&token)).await.expect(404);
    }
    // What is empty is a content too.
    let request = blobs.request(Method::PUT, "/empty").header("x-ms-blob-type", "BlockBlob");
    send(request.header("content-length", "0")).await.expect(201);
    assert_eq!(blobs.get("/empty").await.expect(200).header("content-length"), "0");
}

#[tokio::test]
async fn conditions_keep_clients_from_overwriting_each_other() {
    let (_folder, local) = local().await;
    let blobs = Container::of(&local).await;
    let put = |name: &'static str, value: String| {
        let request = blobs.request(Method::PUT, "/a").header("x-ms-blob-type", "BlockBlob");
        send(request.header(name, value).body("x"))
    };
    let first = put("if-none-match", "*".to_owned()).await.expect(201);
    let reply = put("if-none-match", "*".to_owned()).await.expect(409);
    assert_eq!(reply.header("x-ms-error-code"), "BlobAlreadyExists");
    assert!(reply.body.as_str().unwrap().contains("<Code>BlobAlreadyExists</Code>"));
    let etag = first.header("etag").to_owned();
    put("if-match", etag.clone()).await.expect(201);
    put("if-match", etag.clone()).await.expect(412);
    let read =
        |tag: &str| send(blobs.request(Method::GET, "/a").header("if-none-match", tag.to_owned()));
    let now = read(&etag).await.expect(200).header("etag").to_owned();
    read(&now).await.expect(304);
    // A content that is not what its checksum says is not taken.
    let wrong = put("content-md5", STANDARD.encode([0; 16])).await.expect(400);
    assert_eq!(wrong.header("x-ms-error-code"), "Md5Mismatch");
}

#[tokio::test]
async fn blocks_become_a_blob_in_the_order_of_a_list() {
    let (folder, local) = local().await;
    let blobs = Container::of(&local).await;
    let block = async |id: &str, content: &'static str| {
        let path = format!("/big?comp=block&blockid={}", STANDARD.encode(id).replace('=', "%3D"));
        send(blobs.request(Method::PUT, &path).body(content)).await
    };
    let commit = async |list: &[(&str, &str)]| {
        let items: String = list
            .iter()
            .map(|(kind, id)| format!("<{kind}>{}</{kind}>", STANDARD.encode(id)))
            .collect();
        let xml = format!("<?xml version='1.0' encoding='utf-8'?>\n<BlockList>{items}</BlockList>");
        send(blobs.request(Method::PUT, "/big?comp=blocklist").body(xml)).await
    };
    for (id, content) in [("1", "aaa"), ("2", "bb"), ("3", "c")] {
        block(id, content).await.expect(201);
    }
    assert_eq!(
        block("1000", "x").await.expect(400).header("x-ms-error-code"),
        "InvalidBlobOrBlock"
    );
    blobs.get("/big").await.expect(404);
    let missing = commit(&[("Latest", "9")]).await.expect(400);
    assert_eq!(missing.header("x-ms-error-code"), "InvalidBlockList");
    commit(&[("Latest", "2"), ("Uncommitted", "1"), ("Latest", "2")]).await.expect(201);
    assert_eq!(blobs.get("/big").await.expect(200).body, "bbaaabb");
    // The third block was not used, and is gone with its file.
    assert_eq!(n_files(&folder.path().join("blobs")), 2);

    block("2", "BBBB").await.expect(201);
    let list = blobs.get("/big?comp=blocklist&blocklisttype=all").await.expect(200);
    let list = list.body.as_str().unwrap();
    assert_eq!(list.matches("<Block>").count(), 4);
    assert!(
        between(list, "<UncommittedBlocks>", "</UncommittedBlocks>").contains("<Size>4</Size>")
    );
    commit(&[("Committed", "2"), ("Latest", "2")]).await.expect(201);
    assert_eq!(blobs.get("/big").await.expect(200).body, "bbBBBB");
    let read =
        send(blobs.request(Method::GET, "/big").header("range", "bytes=1-3")).await.expect(206);
    assert_eq!(read.body, "bBB");
    send(blobs.request(Method::PUT, "/big?comp=blocklist").body("<BlockList>")).await.expect(400);
}

#[tokio::test]
async fn metadata_replaces_metadata() {
    let (_folder, local) = local().await;
    let blobs = Container::of(&local).await;
    blobs.put("/a", "x").await.expect(201);
    let set = |name: &'static str, value: &'static str| {
        send(blobs.request(Method::PUT, "/a?comp=metadata").header(name, value))
    };
    set("x-ms-meta-upload_status", "completed").await.expect(200);
    set("x-ms-meta-name", "m").await.expect(200);
    let head = send(blobs.request(Method::HEAD, "/a")).await.expect(200);
    assert_eq!((head.header("x-ms-meta-name"), head.header("x-ms-meta-upload_status")), ("m", ""));
    set("x-ms-meta-1a", "m").await.expect(400);
    let list = blobs.get("?restype=container&comp=list&include=metadata").await.expect(200);
    assert!(list.body.as_str().unwrap().contains("<Metadata><name>m</name></Metadata>"));
}

#[tokio::test]
async fn lists_have_prefixes_delimiters_and_pages() {
    let (_folder, local) = local().await;
    let blobs = Container::of(&local).await;
    for name in ["a", "a/1", "a/2", "a/b/3", "a&<b", "b", "ü/1"] {
        blobs.put(&format!("/{}", name.replace('&', "%26")), "x").await.expect(201);
    }
    let all = ["a", "a&amp;&lt;b", "a/1", "a/2", "a/b/3", "b", "ü/1"];
    assert_eq!(blobs.list("").await, all);
    assert_eq!(blobs.list("&maxresults=2").await, all);
    assert_eq!(blobs.list("&prefix=a/").await, ["a/1", "a/2", "a/b/3"]);
    for query in ["&delimiter=/", "&delimiter=/&maxresults=1"] {
        assert_eq!(blobs.list(query).await, ["a", "a&amp;&lt;b", "[a/]", "b", "[ü/]"], "{query}");
        assert_eq!(blobs.list(&format!("{query}&prefix=a/")).await, ["a/1", "a/2", "[a/b/]"]);
    }
    assert_eq!(blobs.list("&prefix=zzz").await, [""; 0]);
    blobs.get("?restype=container&comp=list&maxresults=0").await.expect(400);
    blobs.get("?restype=container&comp=list&marker=%21").await.expect(400);
}
