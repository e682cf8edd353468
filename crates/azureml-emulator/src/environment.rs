use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, authority, durable, page, secrets::Secrets, settings::Settings};

/// The variables that point programs at an emulator.
///
/// They hold secrets: whoever has them may do everything that the emulator does.
#[derive(Clone)]
pub struct Environment {
    folder: PathBuf,
    ports: Ports,
    settings: Settings,
    secrets: Secrets,
}

/// Where an emulator was listening when it started last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) tls: u16,
    pub(crate) proxy: u16,
}

const PORTS: &str = "ports.json";

impl Ports {
    pub(crate) fn write(self, folder: &Path) -> Result<()> {
        let path = folder.join(PORTS);
        let text = serde_json::to_vec(&self).unwrap_or_default();
        durable::write_private(&path, &text).map_err(Error::state(path))
    }

    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(PORTS);
        let text = fs::read(&path).map_err(Error::state(&path))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::Damaged { path, what: error.to_string() })
    }
}

/// One of the two ways in which programs made for Azure reach an emulator, unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By Azure's own names, through a proxy that leads nowhere else. Works for whatever honours `HTTPS_PROXY`.
    Proxy,
    /// By a description of this machine as a cloud of its own. Works for what reads `ARM_CLOUD_METADATA_URL`, as Azure's SDK for
    /// machine learning does.
    CloudMetadata,
}

/// A shell that sets variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// `export NAME='value'`.
    Posix,
    /// `$env:NAME = 'value'`.
    PowerShell,
}

impl Environment {
    /// Reads what the emulator of a state folder has used last, running or not.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if no emulator has been started with the folder, [`Error::Damaged`] if its files are not its own.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let (ports, settings) = (Ports::read(folder)?, Settings::read(folder)?);
        Self::new(folder, ports, settings, Secrets::read(folder)?)
    }

    pub(crate) fn new(
        folder: &Path,
        ports: Ports,
        settings: Settings,
        secrets: Secrets,
    ) -> Result<Self> {
        // Programs are started elsewhere.
        let folder = std::path::absolute(folder).map_err(Error::state(folder))?;
        Ok(Self { folder, ports, settings, secrets })
    }

    /// The file with the certificate of the emulator's authority.
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.folder.join(authority::CERTIFICATE)
    }

    /// The variables with their values.
    ///
    /// Those of the proxy's way have a client secret; without the proxy, a sign-in by client secret would ask Azure's own
    /// directory whether this machine may be trusted, and so that way has a managed identity alone.
    #[must_use]
    pub fn variables(&self, way: Way) -> Vec<(&'static str, String)> {
        let Ports { tls, proxy } = self.ports;
        let ca = self.ca_path().display().to_string();
        let mut variables = match way {
            Way::Proxy => vec![
                ("HTTPS_PROXY", format!("http://127.0.0.1:{proxy}")),
                ("AZURE_TENANT_ID", self.settings.tenant.clone()),
                ("AZURE_CLIENT_ID", self.settings.client.clone()),
                ("AZURE_CLIENT_SECRET", self.secrets.client_secret.clone()),
            ],
            Way::CloudMetadata => {
                let url =
                    format!("https://localhost:{tls}/metadata/endpoints?api-version=2019-05-01");
                vec![("ARM_CLOUD_METADATA_URL", url)]
            }
        };
        variables.extend([
            ("REQUESTS_CA_BUNDLE", ca.clone()),
            ("SSL_CERT_FILE", ca),
            ("MSI_ENDPOINT", format!("http://127.0.0.1:{proxy}/msi/token")),
            ("MSI_SECRET", self.secrets.identity_secret.clone()),
            ("AZUREML_ARM_SUBSCRIPTION", self.settings.subscription.clone()),
            ("AZUREML_ARM_RESOURCEGROUP", self.settings.resource_group.clone()),
            ("AZUREML_ARM_WORKSPACE_NAME", self.settings.workspace.clone()),
        ]);
        variables
    }

    /// The lines that set the variables in a shell.
    #[must_use]
    pub fn script(&self, way: Way, shell: Shell) -> String {
        let line = |(name, value): (&str, String)| match shell {
            Shell::Posix => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
            Shell::PowerShell => format!("$env:{name} = '{}'\n", value.replace('\'', "''")),
        };
        self.variables(way).into_iter().map(line).collect()
    }

    /// The page in a browser, with the token that it asks for. The browser has to trust the emulator's authority, or its user to go on.
    #[must_use]
    pub fn page_url(&self) -> String {
        page::address(&self.secrets, self.ports.tls)
    }

    /// Where the metadata service of virtual machines is, for `AZURE_POD_IDENTITY_AUTHORITY_HOST`. The secret is part of it, because
    /// requests to that service bring none.
    #[must_use]
    pub fn imds_url(&self) -> String {
        format!("http://127.0.0.1:{}/imds/{}", self.ports.proxy, self.secrets.identity_secret)
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("ports", &self.ports).finish_non_exhaustive()
    }
}
