use url::Url;

use crate::{Error, Result, http::Scope};

/// Which Azure: where its services are, and what tokens for them are called.
///
/// # Examples
///
/// ```
/// use spinney_azureml::Cloud;
///
/// let local = Cloud::at("http://127.0.0.1:8080")?;
/// assert_eq!(local.resource_manager.as_str(), "http://127.0.0.1:8080/");
/// assert!(Cloud::at("neither here nor there").is_err());
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cloud {
    /// Azure Resource Manager.
    pub resource_manager: Url,
    /// What a token for Azure Resource Manager is asked for.
    pub resource_manager_scope: String,
    /// What a token for Azure ML's own services (jobs, logs, batch endpoints, endpoints with tokens) is asked for.
    pub machine_learning_scope: String,
    /// Where blobs are, with `{account}` for the name of the storage account: `http://127.0.0.1:10000/{account}` for Azurite.
    /// `None`: where the datastore says, as always in Azure.
    pub blob_endpoint: Option<String>,
}

impl Cloud {
    /// The public cloud.
    #[must_use]
    pub fn public() -> Self {
        Self::of("https://management.azure.com", "https://ml.azure.com")
    }

    /// Azure China.
    #[must_use]
    pub fn china() -> Self {
        Self::of("https://management.chinacloudapi.cn", "https://ml.azure.cn")
    }

    /// Azure for the government of the United States.
    #[must_use]
    pub fn us_government() -> Self {
        Self::of("https://management.usgovcloudapi.net", "https://ml.azure.us")
    }

    /// The public cloud's names, with Azure Resource Manager elsewhere: a server on this machine. Without TLS only
    /// addresses of this machine get tokens.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`].
    pub fn at(resource_manager: &str) -> Result<Self> {
        let invalid = || Error::InvalidUrl { url: resource_manager.to_owned() };
        let url = Url::parse(resource_manager).map_err(|_| invalid())?;
        if url.cannot_be_a_base() || !matches!(url.scheme(), "http" | "https") {
            return Err(invalid());
        }
        Ok(Self { resource_manager: url, ..Self::public() })
    }

    #[expect(clippy::expect_used, reason = "the three addresses above are addresses")]
    fn of(resource_manager: &str, machine_learning: &str) -> Self {
        Self {
            resource_manager: Url::parse(resource_manager).expect("an address"),
            resource_manager_scope: format!("{resource_manager}/.default"),
            machine_learning_scope: format!("{machine_learning}/.default"),
            blob_endpoint: None,
        }
    }

    pub(crate) fn scope(&self, scope: Scope) -> &str {
        match scope {
            Scope::MachineLearning => &self.machine_learning_scope,
            Scope::ResourceManager | Scope::Anonymous => &self.resource_manager_scope,
        }
    }
}

/// The public one.
impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}
