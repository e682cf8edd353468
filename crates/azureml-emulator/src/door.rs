/// By which names a client reaches the emulator, which is how answers have to name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// By Azure's own names, through the proxy.
    Azure,
    /// By this machine's name, without a proxy.
    Local {
        /// The port of TLS.
        port: u16,
    },
}

/// The name of the storage account at the local door, as Azurite's.
pub(crate) const LOCAL_ACCOUNT: &str = "devstoreaccount1";

impl Door {
    /// The address of Azure Resource Manager, without a slash at its end.
    pub(crate) fn resource_manager(self) -> String {
        match self {
            Self::Azure => "https://management.azure.com".to_owned(),
            Self::Local { port } => format!("https://localhost:{port}"),
        }
    }

    /// The address of the sign-in service, without a slash at its end.
    pub(crate) fn login(self) -> String {
        match self {
            Self::Azure => "https://login.microsoftonline.com".to_owned(),
            Self::Local { .. } => self.resource_manager(),
        }
    }

    /// The account's name as a datastore says it. The SDK makes an address of it, `https://{account}.blob.{suffix}`, which
    /// at the local door has to begin with this machine's name.
    pub(crate) fn account_name(self, account: &str) -> String {
        match self {
            Self::Azure => account.to_owned(),
            Self::Local { port } => format!("localhost:{port}/{LOCAL_ACCOUNT}"),
        }
    }

    /// The account's name in what is signed.
    pub(crate) fn signed_account(self, account: &str) -> &str {
        match self {
            Self::Azure => account,
            Self::Local { .. } => LOCAL_ACCOUNT,
        }
    }

    pub(crate) fn storage_suffix(self) -> String {
        match self {
            Self::Azure => "core.windows.net".to_owned(),
            Self::Local { port } => format!("localhost:{port}"),
        }
    }

    /// The address of the Blob service, without a slash at its end.
    pub(crate) fn blobs(self, account: &str) -> String {
        format!("https://{}.blob.{}", self.account_name(account), self.storage_suffix())
    }

    /// The address of the services beside Azure Resource Manager.
    pub(crate) fn api(self, location: &str) -> String {
        match self {
            Self::Azure => format!("https://{location}.api.azureml.ms"),
            Self::Local { .. } => self.resource_manager(),
        }
    }

    /// The address of an online endpoint's front door.
    pub(crate) fn endpoint(self, location: &str, name: &str) -> String {
        match self {
            Self::Azure => format!("https://{name}.{location}.inference.ml.azure.com"),
            Self::Local { .. } => {
                format!("{}/inference/{location}/{name}", self.resource_manager())
            }
        }
    }
}
