//! A program that does what its requests say. The test binary is it: the emulator starts it with this test alone.

use std::{convert::Infallible, env, time::Duration};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

pub(crate) const ARGS: [&str; 5] =
    ["--exact", "container::container", "--ignored", "--nocapture", "--test-threads=1"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is what other tests deploy"]
async fn container() {
    // The emulator says it; whoever runs all tests that are ignored does not.
    let Ok(port) = env::var("SPINNEY_PORT") else { return };
    if env::var_os("FAIL_AT_START").is_some() {
        eprintln!("the model is not what it should be");
        std::process::exit(3);
    }
    println!("listens at {port}");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
        );
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let mut response = Response::new(Body::empty());
    if parts.uri.path() == "/" {
        let is_ready = env::var_os("NEVER_READY").is_none();
        *response.status_mut() = if is_ready { 200 } else { 503 }.try_into().unwrap();
        return Ok(response);
    }
    let body = body.collect().await.unwrap().to_bytes();
    let wish: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(milliseconds) = wish["sleep"].as_u64() {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    if let Some(line) = wish["say"].as_str() {
        println!("{line}");
    }
    if let Some(code) = wish["exit"].as_i64() {
        std::process::exit(code.try_into().unwrap());
    }
    if let Some(status) = wish["status"].as_u64() {
        *response.status_mut() = u16::try_from(status).unwrap().try_into().unwrap();
    }
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    *response.body_mut() = Body::from(
        json!({
            "name": env::var("NAME").unwrap_or_default(),
            "process": std::process::id(),
            "method": parts.method.as_str(),
            "uri": parts.uri.to_string(),
            "headers": headers,
            "body": wish,
        })
        .to_string(),
    );
    response.headers_mut().insert("x-of-the-model", "1".try_into().unwrap());
    Ok(response)
}
