//! The workspace that the road is walked in.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use reqwest::{Certificate, Proxy, redirect::Policy};
use spinney_azureml::{ComputeIdentityCredential, MlClient, WorkspaceId};
use spinney_azureml_emulator::{Clock, Emulator, Shell, Way};
use tempfile::TempDir;

use super::args::{RoadArgs, Where};

pub(super) struct Target {
    pub(super) client: MlClient,
    /// How long to wait before the pipeline is looked at again.
    pub(super) pause: Duration,
    emulator: Option<(Emulator, TempDir)>,
}

/// Operations of minutes take seconds at most.
const TIME_SCALE: f64 = 100.0;

impl Target {
    pub(super) async fn open(args: &RoadArgs, binary: &Path) -> Result<Self> {
        match args.target {
            Where::Emulator => Self::emulator(binary).await,
            Where::Azure => {
                let start = args.config.as_deref().unwrap_or_else(|| Path::new("."));
                let workspace = WorkspaceId::from_config(start)
                    .context("--config names the config.json of a workspace")?;
                let client = MlClient::builder(workspace).build()?;
                Ok(Self { client, pause: Duration::from_secs(5), emulator: None })
            }
        }
    }

    async fn emulator(binary: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ames-pipeline-").tempdir()?;
        let emulator = Emulator::builder(folder.path().join("state"))
            .port(0)
            .proxy_port(0)
            .clock(Clock::scaled(TIME_SCALE)?)
            .scoring_program(binary, ["serve"])
            .start()
            .await?;
        let client = client_of(&emulator)?;
        let pause = Duration::from_millis(100);
        Ok(Self { client, pause, emulator: Some((emulator, folder)) })
    }

    /// Whether all that costs in the workspace is ours.
    pub(super) fn is_ours_alone(&self) -> bool {
        self.emulator.is_some()
    }

    pub(super) fn said(&self) -> String {
        let workspace = self.client.workspace_id();
        match &self.emulator {
            Some((emulator, _)) => {
                format!("{} in an emulator on {}", workspace.workspace_name(), emulator.address())
            }
            None => workspace.to_string(),
        }
    }

    /// The lines that lead another program to the emulator.
    pub(super) fn environment(&self) -> Option<String> {
        let (emulator, _) = self.emulator.as_ref()?;
        let shell = if cfg!(windows) { Shell::PowerShell } else { Shell::Posix };
        Some(emulator.environment().script(Way::Proxy, shell))
    }

    pub(super) async fn close(self) {
        if let Some((emulator, folder)) = self.emulator {
            emulator.shutdown().await;
            drop(folder);
        }
    }
}

/// A client that takes the emulator for Azure, without variables: they would be this process's for good.
fn client_of(emulator: &Emulator) -> Result<MlClient> {
    let variables = emulator.environment().variables(Way::Proxy);
    let variable =
        |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let needed =
        |name: &str| variable(name).with_context(|| format!("the emulator sets no {name}"));
    let certificate = Certificate::from_pem(&fs::read(emulator.ca_path())?)?;
    let http = reqwest::Client::builder()
        .redirect(Policy::none())
        .tls_certs_only([certificate])
        .proxy(Proxy::https(needed("HTTPS_PROXY")?)?)
        .build()?;
    let direct = reqwest::Client::builder().no_proxy().build()?;
    let (endpoint, secret) = (needed("MSI_ENDPOINT")?, needed("MSI_SECRET")?);
    let credential = ComputeIdentityCredential::new(&endpoint, secret, None, direct)?;
    let workspace =
        WorkspaceId::from_environment(variable)?.context("the emulator names no workspace")?;
    let client = MlClient::builder(workspace)
        .credential(Arc::new(credential))
        .http_client(http)
        .poll_interval(Duration::from_millis(100));
    Ok(client.build()?)
}
