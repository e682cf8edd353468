use std::{
    env,
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{ClientOptions, Transport},
};
use azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use super::ComputeIdentityCredential;
use crate::{Error, Result};

/// Credentials that are tried one after the other. The first that gives a token is asked alone from then on.
///
/// # Examples
///
/// ```
/// use spinney_azureml::ChainedCredential;
///
/// let http = spinney_azureml::http_client(std::time::Duration::from_secs(60))?;
/// let chain = ChainedCredential::from_environment(
///     |name| match name {
///         "MSI_ENDPOINT" => Some("http://127.0.0.1:46808/msi/token".to_owned()),
///         "MSI_SECRET" => Some("not shown".to_owned()),
///         _ => None,
///     },
///     &http,
/// )?;
/// assert_eq!(chain.names(), ["Azure ML compute", "Azure CLI", "Azure Developer CLI", "virtual machine"]);
/// # Ok::<(), spinney_azureml::Error>(())
/// ```
#[derive(Debug)]
pub struct ChainedCredential {
    links: Vec<(&'static str, Arc<dyn TokenCredential>)>,
    worked: OnceLock<usize>,
}

/// [`ChainedCredential::from_environment`] with this process's environment.
///
/// # Errors
///
/// As for it.
pub fn default_credential(http: &reqwest::Client) -> Result<Arc<dyn TokenCredential>> {
    Ok(Arc::new(ChainedCredential::from_environment(|name| env::var(name).ok(), http)?))
}

impl ChainedCredential {
    /// The credentials that the environment speaks of, in this order:
    ///
    /// 1. a client secret: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`;
    /// 2. a workload identity: `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`;
    /// 3. the identity of the compute that an Azure ML job runs on (`MSI_ENDPOINT` and `MSI_SECRET`), or of an app
    ///    service (`IDENTITY_ENDPOINT` and `IDENTITY_HEADER`);
    /// 4. whoever is logged in with `az`, then with `azd`;
    /// 5. the identity of a virtual machine. It comes last, as outside of Azure nobody answers there.
    ///
    /// `AZURE_CLIENT_ID`, or else `DEFAULT_IDENTITY_CLIENT_ID`, which Azure ML sets in jobs, says which identity if there are
    /// several. The Python SDK wants the second copied to the first by hand.
    ///
    /// # Errors
    ///
    /// [`Error::Credential`] if a variable is there and makes no sense.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        http: &reqwest::Client,
    ) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let failed = |source| Error::Credential { scope: "any service".to_owned(), source };
        let client_options = || ClientOptions {
            transport: Some(Transport::new(Arc::new(http.clone()))),
            ..ClientOptions::default()
        };
        let (tenant, client) = (variable("AZURE_TENANT_ID"), variable("AZURE_CLIENT_ID"));
        let mut links: Vec<(&'static str, Arc<dyn TokenCredential>)> = Vec::new();
        if let (Some(tenant), Some(client)) = (&tenant, &client) {
            if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
                let options = ClientSecretCredentialOptions { client_options: client_options() };
                let secret = Secret::new(secret);
                let credential =
                    ClientSecretCredential::new(tenant, client.clone(), secret, Some(options));
                links.push(("client secret", credential.map_err(failed)?));
            }
            if let Some(file) = variable("AZURE_FEDERATED_TOKEN_FILE") {
                let mut options = WorkloadIdentityCredentialOptions {
                    client_id: Some(client.clone()),
                    tenant_id: Some(tenant.clone()),
                    token_file_path: Some(file.into()),
                    ..WorkloadIdentityCredentialOptions::default()
                };
                options.credential_options.client_options = client_options();
                let credential = WorkloadIdentityCredential::new(Some(options));
                links.push(("workload identity", credential.map_err(failed)?));
            }
        }
        let identity = client.or_else(|| variable("DEFAULT_IDENTITY_CLIENT_ID"));
        if let (Some(endpoint), Some(secret)) = (variable("MSI_ENDPOINT"), variable("MSI_SECRET")) {
            let credential =
                ComputeIdentityCredential::new(&endpoint, secret, identity.clone(), http.clone())?;
            links.push(("Azure ML compute", Arc::new(credential)));
        }
        let is_app_service =
            variable("IDENTITY_ENDPOINT").is_some() && variable("IDENTITY_HEADER").is_some();
        let managed = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: identity.map(UserAssignedId::ClientId),
            client_options: client_options(),
        }));
        if is_app_service {
            links.push(("app service", managed.map_err(failed)?));
            return Ok(Self::new(links)?.with_developer_tools());
        }
        let mut chain = Self { links, worked: OnceLock::new() }.with_developer_tools();
        // On computes of Azure ML the library has no credential for this; they were served above.
        if let Ok(credential) = managed {
            chain.links.push(("virtual machine", credential));
        }
        Ok(chain)
    }

    /// Credentials of one's own, with names for the error when none gives a token.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if there are none.
    pub fn new(
        links: impl IntoIterator<Item = (&'static str, Arc<dyn TokenCredential>)>,
    ) -> Result<Self> {
        let links: Vec<_> = links.into_iter().collect();
        if links.is_empty() {
            let (what, rule) = ("the number of credentials", "one at least");
            return Err(Error::InvalidArgument { what, value: "0".to_owned(), rule });
        }
        Ok(Self { links, worked: OnceLock::new() })
    }

    /// What is tried, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.links.iter().map(|(name, _)| *name).collect()
    }

    fn with_developer_tools(mut self) -> Self {
        if let Ok(credential) = AzureCliCredential::new(None) {
            self.links.push(("Azure CLI", credential));
        }
        if let Ok(credential) = AzureDeveloperCliCredential::new(None) {
            self.links.push(("Azure Developer CLI", credential));
        }
        self
    }
}

#[async_trait]
impl TokenCredential for ChainedCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        if let Some((_, credential)) = self.worked.get().and_then(|at| self.links.get(*at)) {
            return credential.get_token(scopes, options).await;
        }
        let mut tried = "none of these gave a token".to_owned();
        for (at, (name, credential)) in self.links.iter().enumerate() {
            match credential.get_token(scopes, options.clone()).await {
                Ok(token) => {
                    tracing::info!(credential = name, "signed in");
                    // Another task may have been first, with the same result or an earlier link: either will do.
                    let _ = self.worked.set(at);
                    return Ok(token);
                }
                Err(error) => {
                    let text = error.to_string();
                    let _ =
                        write!(tried, "\n  {name}: {}", text.lines().next().unwrap_or_default());
                }
            }
        }
        Err(azure_core::Error::with_message(ErrorKind::Credential, tried))
    }
}
