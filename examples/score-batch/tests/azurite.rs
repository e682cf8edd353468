//! Bundle, inputs and outputs in Azure's storage: Azurite, which checks signatures and joins blocks itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../../crates/scale/tests/houses/mod.rs"]
mod houses;
mod processes;
mod storage;

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use object_store::{ObjectStore, azure::MicrosoftAzureBuilder};
use processes::{Process, free_ports, wait_until};
use sha2::Sha256;
use storage::Environment;
use url::form_urlencoded;

const ACCOUNT: &str = "spinneytest";
const CONTAINER: &str = "houses";
const KEY: &[u8] = b"the key of an account that exists in tests only";

/// A running Azurite with an empty container.
struct Azurite {
    port: u16,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Azurite {
    fn start() -> Self {
        let program = env::var_os("SPINNEY_AZURITE");
        let program = program.unwrap_or_else(|| panic!("cargo xtask scale sets it"));
        let folder = tempfile::tempdir().unwrap();
        let [port] = free_ports();
        let mut node = Command::new("node");
        node.arg(program).args(["--silent", "--disableTelemetry", "--blobHost", "127.0.0.1"]);
        node.arg("--blobPort").arg(port.to_string()).arg("--location").arg(folder.path());
        node.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{}", STANDARD.encode(KEY)));
        let process = Process::start(&mut node);
        wait_until("Azurite", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        let azurite = Self { port, _process: process, _folder: folder };
        azurite.make_container();
        azurite
    }

    fn make_container(&self) {
        let (version, end) = ("2021-12-02", "2099-01-01T00:00:00Z");
        let fields = [ACCOUNT, "racwl", "b", "sco", "", end, "", "https,http", version, "", ""];
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(fields.join("\n").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let query = form_urlencoded::Serializer::new("restype=container&".to_owned())
            .extend_pairs([("sv", version), ("ss", "b"), ("srt", "sco"), ("sp", "racwl")])
            .extend_pairs([("se", end), ("spr", "https,http"), ("sig", signature.as_str())])
            .finish();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let line = format!("PUT /{ACCOUNT}/{CONTAINER}?{query} HTTP/1.1");
        let host = format!("Host: 127.0.0.1:{}", self.port);
        let rest = "Content-Length: 0\r\nConnection: close";
        stream.write_all(format!("{line}\r\n{host}\r\n{rest}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    fn environment(&self) -> Environment {
        vec![
            ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
            ("AZURITE_BLOB_STORAGE_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
            ("AZURE_STORAGE_ACCOUNT_KEY", STANDARD.encode(KEY)),
        ]
    }

    /// The container, by way of another address than the processes take.
    fn store(&self) -> impl ObjectStore {
        MicrosoftAzureBuilder::new()
            .with_account(ACCOUNT)
            .with_access_key(STANDARD.encode(KEY))
            .with_container_name(CONTAINER)
            .with_endpoint(format!("http://127.0.0.1:{}/{ACCOUNT}", self.port))
            .with_allow_http(true)
            .build()
            .unwrap()
    }
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask scale"]
async fn blobs_give_the_same_rows_in_one_process_and_on_a_cluster() {
    let azurite = Azurite::start();
    storage::gives_the_same_rows(
        &azurite.store(),
        &format!("az://{CONTAINER}"),
        azurite.environment(),
    )
    .await;
}
