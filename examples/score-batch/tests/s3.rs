//! Bundle, inputs and outputs in S3: moto, which answers as S3 does but checks no signatures.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../../crates/scale/tests/houses/mod.rs"]
mod houses;
mod processes;
mod storage;

use std::{env, net::TcpStream, process::Command};

use object_store::aws::AmazonS3Builder;
use processes::{Process, free_ports, wait_until};

const BUCKET: &str = "houses";

#[tokio::test]
#[ignore = "needs moto: cargo xtask scale"]
async fn objects_give_the_same_rows_in_one_process_and_on_a_cluster() {
    let python = env::var_os("SPINNEY_MOTO_PYTHON");
    let python = python.unwrap_or_else(|| panic!("cargo xtask scale sets it"));
    let [port] = free_ports();
    let mut server = Command::new(python);
    server.args(["-m", "moto.server", "--host", "127.0.0.1", "--port", &port.to_string()]);
    let _server = Process::start(&mut server);
    wait_until("moto", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let endpoint = format!("http://127.0.0.1:{port}");
    let bucket = reqwest::Client::new().put(format!("{endpoint}/{BUCKET}")).send().await.unwrap();
    assert!(bucket.status().is_success(), "{bucket:?}");

    let store = AmazonS3Builder::new()
        .with_bucket_name(BUCKET)
        .with_endpoint(&endpoint)
        .with_allow_http(true)
        .with_access_key_id("id")
        .with_secret_access_key("secret")
        .with_region("us-east-1")
        .build()
        .unwrap();
    let environment = vec![
        ("AWS_ENDPOINT", endpoint.clone()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ];
    storage::gives_the_same_rows(&store, &format!("s3://{BUCKET}"), environment).await;
}
