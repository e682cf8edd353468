use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{MlClient, Pages, Poller, Resource, Result};

/// The version of Azure's interface for resource groups that the Python SDK uses too.
const API_VERSION: &str = "2025-04-01";

/// A resource group: what is deleted together.
pub type ResourceGroup = Resource<ResourceGroupProperties>;

/// What is particular to a resource group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ResourceGroupProperties {
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
}

/// Something in a resource group, of any kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct GenericResource {
    /// The resource id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The kind: `Microsoft.Storage/storageAccounts`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The resource group of the workspace: [`MlClient::resource_group`].
#[derive(Debug, Clone, Copy)]
pub struct ResourceGroups<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// The resource group that the workspace is in.
    #[must_use]
    pub fn resource_group(&self) -> ResourceGroups<'_> {
        ResourceGroups { client: self }
    }
}

impl ResourceGroups<'_> {
    fn url(self) -> url::Url {
        let id = self.client.workspace_id();
        let path = ["subscriptions", id.subscription_id(), "resourcegroups", id.resource_group()];
        self.client.provider_url(&path, API_VERSION)
    }

    /// What it is.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`](crate::Error::is_not_found) if it does not exist.
    pub async fn get(self) -> Result<ResourceGroup> {
        self.client.get(self.url()).await
    }

    /// Makes it in a region, or changes nothing if it is there.
    ///
    /// # Errors
    ///
    /// What a request may fail with; a group that is in another region stays there and is an error (status 409).
    pub async fn create(self, location: &str) -> Result<ResourceGroup> {
        self.client.put(self.url(), &json!({"location": location})).await
    }

    /// Everything in it.
    pub fn resources(self) -> Pages<GenericResource> {
        let id = self.client.workspace_id();
        let path = [
            "subscriptions",
            id.subscription_id(),
            "resourceGroups",
            id.resource_group(),
            "resources",
        ];
        self.client.pages(self.client.provider_url(&path, API_VERSION))
    }

    /// Deletes it with everything in it, which cannot be undone and takes some minutes. That it does not exist is no error.
    pub fn delete(self) -> Poller<()> {
        self.client.delete_long(self.url())
    }
}
