//! Bodies that are sent compressed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use std::io::Write;

use app::{Answer, call, router};
use axum::{body::Body, http::Request};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use spinney_scoring::ServerOptions;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn post(encoding: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/score").header("content-encoding", encoding);
    let options = ServerOptions::default().max_body_bytes(1 << 20);
    call(router(workshop::scorer(), options), request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn inflates_what_is_compressed() {
    let text = workshop::request("workshop.json").into_bytes();
    for (encoding, body) in
        [("gzip", gzip(&text)), ("deflate", deflate(&text)), ("identity", text.clone())]
    {
        let answer = post(encoding, body).await;
        assert_eq!(answer.text, r#"{"predictions":[210830.93,232084.33666666667]}"#, "{encoding}");
    }
}

#[tokio::test]
async fn the_limit_counts_what_a_body_is_inflated_to() {
    let bomb = gzip(&vec![b' '; 100 << 20]);
    assert!(bomb.len() < 1 << 20);
    let (status, code, ..) = post("gzip", bomb).await.refusal();
    assert_eq!((status, code.as_str()), (413, "BodyTooLarge"));
}

#[tokio::test]
async fn refuses_damaged_and_unknown_encodings() {
    let mut damaged = gzip(b"[]");
    damaged.truncate(10);
    for (encoding, body, expected) in [
        ("gzip", damaged, (400, "MalformedJson")),
        ("gzip", b"[]".to_vec(), (400, "MalformedJson")),
        ("br", b"[]".to_vec(), (415, "UnsupportedEncoding")),
    ] {
        let (status, code, ..) = post(encoding, body).await.refusal();
        assert_eq!((status, code.as_str()), expected, "{encoding}");
    }
}
