use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{Certificate, Proxy};
use spinney_azureml::{ComputeIdentityCredential, MlClient, WorkspaceId};
use spinney_azureml_emulator::{Clock, Emulator, Way};
use tempfile::TempDir;

/// An emulator, and a client that takes it for Azure.
pub(crate) struct Lab {
    folder: TempDir,
    pub(crate) client: MlClient,
    /// Ends with this.
    _emulator: Emulator,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::scaled(100.0).unwrap();
        let state = folder.path().join("state");
        let mut builder = Emulator::builder(state).port(0).proxy_port(0).clock(clock);
        if let Some(python) = env::var_os("SPINNEY_CLIENTS_PYTHON") {
            builder = builder.python(python);
        }
        let emulator = builder.start().await.unwrap();
        let client = client(&emulator);
        Self { folder, client, _emulator: emulator }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All lines that a job has printed; it must have ended.
    pub(crate) async fn log(&self, name: &str) -> Vec<String> {
        let mut logs = self.client.jobs().logs(name);
        let mut lines = Vec::new();
        while let Some(new) = logs.next().await.unwrap() {
            lines.extend(new.lines);
        }
        lines
    }

    /// The files below a folder, by their paths, with their texts.
    pub(crate) fn files(&self, folder: &Path) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                    files.push((name, fs::read_to_string(path).unwrap()));
                }
            }
        }
        files
    }
}

fn client(emulator: &Emulator) -> MlClient {
    let variables = emulator.environment().variables(Way::Proxy);
    let named =
        |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let certificate = Certificate::from_pem(&fs::read(emulator.ca_path()).unwrap()).unwrap();
    let builder = reqwest::Client::builder().add_root_certificate(certificate);
    let proxy = Proxy::https(named("HTTPS_PROXY").unwrap()).unwrap();
    let http = builder.proxy(proxy).build().unwrap();
    let direct = reqwest::Client::builder().no_proxy().build().unwrap();
    let (endpoint, secret) = (named("MSI_ENDPOINT").unwrap(), named("MSI_SECRET").unwrap());
    let credential = ComputeIdentityCredential::new(&endpoint, secret, None, direct).unwrap();
    MlClient::builder(WorkspaceId::from_environment(named).unwrap().unwrap())
        .credential(Arc::new(credential))
        .http_client(http)
        .poll_interval(Duration::from_millis(50))
        .build()
        .unwrap()
}
