//! A running Azurite with an account of its own, and a workspace whose datastore is a container in it.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    env,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use azure_core::time::{OffsetDateTime, to_rfc3339};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use spinney_azureml::{Cloud, MlClient, RetryOptions};
use tempfile::TempDir;
use url::{Url, form_urlencoded};

use crate::loopback::{Answer, Server};

const ACCOUNT: &str = "spinneytest";
const CONTAINER: &str = "azureml-blobstore";
const KEY: &[u8] = b"the key of an account that exists in tests only";
pub(crate) const STORE: &str = "workspaceblobstore";

/// Azurite. It ends with its last handle.
#[derive(Clone)]
pub(crate) struct Azurite {
    program: PathBuf,
    folder: Arc<TempDir>,
    port: u16,
    args: &'static [&'static str],
    child: Arc<Mutex<Option<Process>>>,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Azurite {
    /// Starts one that keeps what it is given on a disk, with an empty container.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// One with more arguments.
    pub(crate) async fn start_with(args: &'static [&'static str]) -> Self {
        let program =
            env::var_os("SPINNEY_AZURITE").unwrap_or_else(|| panic!("cargo xtask azurite sets it"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let azurite = Self {
            program: program.into(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
            port,
            args,
            child: Arc::default(),
        };
        azurite.restart();
        let container = azurite.signed_container(Duration::from_secs(600));
        // Azurite does not know the version that the crate asks for by itself.
        let mut options = BlobContainerClientOptions {
            version: "2025-11-05".to_owned(),
            ..BlobContainerClientOptions::default()
        };
        options.client_options.transport = Some(azure_core::http::Transport::new(Arc::new(
            spinney_azureml::http_client(Duration::from_secs(60)).unwrap(),
        )));
        let container = BlobContainerClient::new(container, None, Some(options)).unwrap();
        container.create(None).await.unwrap();
        azurite
    }

    pub(crate) fn restart(&self) {
        let child = Command::new("node")
            .arg(&self.program)
            .args(["--silent", "--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort"])
            .arg(self.port.to_string())
            .arg("--location")
            .arg(self.folder.path())
            .args(self.args)
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{}", STANDARD.encode(KEY)))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        *self.child.lock().unwrap() = Some(Process(child));
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "Azurite does not start");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once, as a power failure would.
    pub(crate) fn kill(&self) {
        self.child.lock().unwrap().take();
    }

    /// Uploads as Azure's SDK does; the line that `sdk_upload.py` prints.
    pub(crate) fn upload_by_sdk(&self, path: &Path, name: &str, version: &str) -> Vec<String> {
        let python = env::var_os("SPINNEY_CLIENTS_PYTHON");
        let python = python.unwrap_or_else(|| panic!("cargo xtask azurite sets it"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/azurite/sdk_upload.py");
        let output = Command::new(python)
            .arg(script)
            .arg(format!("http://127.0.0.1:{}/{ACCOUNT}", self.port))
            .args([&STANDARD.encode(KEY), CONTAINER])
            .arg(path)
            .args([name, version])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().last().unwrap().split('\t').map(str::to_owned).collect()
    }

    /// A signature for everything in the account, which holds for so long; for nothing, if its time is over before it begins.
    pub(crate) fn sas(&self, validity: Duration) -> String {
        let (version, permissions, protocol) = ("2021-12-02", "racwl", "https,http");
        let end = (OffsetDateTime::now_utc() + validity).replace_nanosecond(0).unwrap();
        let end = to_rfc3339(&end);
        let fields = [ACCOUNT, permissions, "b", "sco", "", &end, "", protocol, version, "", ""];
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(fields.join("\n").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("sv", version), ("ss", "b"), ("srt", "sco"), ("sp", permissions)])
            .extend_pairs([("se", end.as_str()), ("spr", protocol), ("sig", signature.as_str())])
            .finish()
    }

    fn signed_container(&self, validity: Duration) -> Url {
        let (port, sas) = (self.port, self.sas(validity));
        Url::parse(&format!("http://127.0.0.1:{port}/{ACCOUNT}/{CONTAINER}?{sas}")).unwrap()
    }

    /// A workspace whose datastore is the container, and what it answers when it is asked for secrets: one by one, the last for good.
    pub(crate) async fn workspace(&self, secrets: Vec<serde_json::Value>) -> (Server, MlClient) {
        let server = Server::start().await;
        let store = json!({
            "id": format!("{}/datastores/{STORE}", crate::loopback::WORKSPACE), "name": STORE,
            "properties": {
                "datastoreType": "AzureBlob", "accountName": ACCOUNT, "containerName": CONTAINER,
                "credentials": {"credentialsType": "Sas"},
            },
        });
        server.always("GET", &format!("/datastores/{STORE}"), Answer::json(200, store));
        let path = format!("/datastores/{STORE}/listSecrets");
        for secret in secrets {
            server.on("POST", &path, Answer::json(200, secret.clone()));
            server.always("POST", &path, Answer::json(200, secret));
        }
        let mut cloud = Cloud::at(&server.url).unwrap();
        cloud.blob_endpoint = Some(format!("http://127.0.0.1:{}/{{account}}", self.port));
        let retry = RetryOptions {
            max_retries: 2,
            initial_delay: Duration::from_millis(10),
            ..RetryOptions::default()
        };
        let client = server.builder().cloud(cloud).retry(retry).build().unwrap();
        (server, client)
    }

    pub(crate) fn sas_secret(&self, validity: Duration) -> serde_json::Value {
        json!({"secretsType": "Sas", "sasToken": self.sas(validity)})
    }

    pub(crate) fn key_secret(&self) -> serde_json::Value {
        json!({"secretsType": "AccountKey", "key": STANDARD.encode(KEY)})
    }
}

/// A file of bytes that do not repeat within it.
pub(crate) fn random_file(path: &Path, size: usize) {
    let mut random = fastrand::Rng::with_seed(42);
    let mut content = vec![0; size];
    random.fill(&mut content);
    std::fs::write(path, content).unwrap();
}
