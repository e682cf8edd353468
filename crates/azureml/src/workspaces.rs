use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{MlClient, Pages, Poller, Resource, Result};

/// A workspace.
pub type Workspace = Resource<WorkspaceProperties>;

/// What is particular to a workspace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct WorkspaceProperties {
    /// How it is called where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// The resource id of its storage account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_account: Option<String>,
    /// The resource id of its key vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_vault: Option<String>,
    /// The resource id of its Application Insights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_insights: Option<String>,
    /// Where its other services are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery_url: Option<String>,
    /// Where MLflow logs to.
    #[serde(rename = "mlFlowTrackingUri", skip_serializing_if = "Option::is_none")]
    pub ml_flow_tracking_uri: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A workspace to be made. It keeps its files, secrets and logs in three resources of the same region that exist, by their resource ids.
///
/// # Examples
///
/// ```
/// # use spinney_azureml::WorkspaceSpec;
/// let spec = WorkspaceSpec::new("westeurope", "/subscriptions/../storageAccounts/mlops", "/subscriptions/../vaults/mlops")
///     .application_insights("/subscriptions/../components/mlops")
///     .description("the workshop's");
/// # let _ = spec;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct WorkspaceSpec {
    location: String,
    storage_account: String,
    key_vault: String,
    application_insights: Option<String>,
    description: Option<String>,
}

impl WorkspaceSpec {
    /// The region, the storage account and the key vault.
    pub fn new(
        location: impl Into<String>,
        storage_account: impl Into<String>,
        key_vault: impl Into<String>,
    ) -> Self {
        Self {
            location: location.into(),
            storage_account: storage_account.into(),
            key_vault: key_vault.into(),
            application_insights: None,
            description: None,
        }
    }

    /// Where logs and figures go.
    pub fn application_insights(self, id: impl Into<String>) -> Self {
        Self { application_insights: Some(id.into()), ..self }
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    fn body(&self) -> Value {
        let mut properties =
            json!({"storageAccount": self.storage_account, "keyVault": self.key_vault});
        if let Some(id) = &self.application_insights {
            properties["applicationInsights"] = json!(id);
        }
        if let Some(description) = &self.description {
            properties["description"] = json!(description);
        }
        json!({
            "location": self.location,
            "identity": {"type": "SystemAssigned"},
            "properties": properties,
        })
    }
}

/// The workspaces of the resource group: [`MlClient::workspaces`].
#[derive(Debug, Clone, Copy)]
pub struct Workspaces<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// This workspace, and the others of its resource group.
    #[must_use]
    pub fn workspaces(&self) -> Workspaces<'_> {
        Workspaces { client: self }
    }
}

impl Workspaces<'_> {
    /// This workspace.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`](crate::Error::is_not_found) if it does not exist.
    pub async fn get(self) -> Result<Workspace> {
        self.client.get(self.client.url(&[])).await
    }

    /// Those of the resource group.
    pub fn list(self) -> Pages<Workspace> {
        let mut url = self.client.url(&[]);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop();
        }
        self.client.pages(url)
    }

    /// Makes this workspace, or changes it. It takes a minute or two.
    pub fn create(self, spec: &WorkspaceSpec) -> Poller<Workspace> {
        let body = spec.body();
        self.client.put_long(self.client.url(&[]), async move { Ok(body) })
    }

    /// Deletes this workspace, so that it can be brought back for 14 days and its name is taken until then; with `purge` for good.
    /// What it kept its files and secrets in stays.
    pub fn delete(self, purge: bool) -> Poller<()> {
        let mut url = self.client.url(&[]);
        url.query_pairs_mut().append_pair("forceToPurge", if purge { "true" } else { "false" });
        self.client.delete_long(url)
    }
}
