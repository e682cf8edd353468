use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::{Error, MlClient, Resource, Result, http::Call, name_rules::is_of};

const IDENTITY_VERSION: &str = "2023-01-31";
const ROLE_VERSION: &str = "2022-04-01";

/// An identity that computes and endpoints act as.
pub type ManagedIdentity = Resource<ManagedIdentityProperties>;

/// What is particular to an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ManagedIdentityProperties {
    /// What code on a compute asks for tokens with: `AZURE_CLIENT_ID`.
    pub client_id: String,
    /// What roles are assigned to.
    pub principal_id: String,
    /// The directory.
    pub tenant_id: String,
}

/// A role of Azure's, by the id of its definition, which is the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// `AzureML Data Scientist`: assets, jobs and endpoints of a workspace, but not its computes.
    DataScientist,
    /// `AzureML Compute Operator`: the computes of a workspace.
    ComputeOperator,
    /// `Storage Blob Data Contributor`: the files of a storage account.
    StorageBlobDataContributor,
    /// Another one, by the id of its definition.
    Definition(Uuid),
}

impl Role {
    /// The id of its definition.
    #[must_use]
    pub fn definition(&self) -> Uuid {
        match self {
            Self::DataScientist => Uuid::from_u128(0xf6c7_c914_8db3_469d_8ca1_694a_8f32_e121),
            Self::ComputeOperator => Uuid::from_u128(0xe503_ece1_11d0_4e8e_8e2c_7a6c_3bf3_8815),
            Self::StorageBlobDataContributor => {
                Uuid::from_u128(0xba92_f5b4_2d11_453d_a403_e96b_0029_c9fe)
            }
            Self::Definition(id) => *id,
        }
    }
}

/// User-assigned identities of the resource group, and their roles: [`MlClient::managed_identities`].
#[derive(Debug, Clone, Copy)]
pub struct ManagedIdentities<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// User-assigned identities of the resource group, and their roles.
    #[must_use]
    pub fn managed_identities(&self) -> ManagedIdentities<'_> {
        ManagedIdentities { client: self }
    }
}

impl ManagedIdentities<'_> {
    fn url(self, name: &str) -> Result<Url> {
        if !is_of(name, 3..=128, "-_", char::is_alphanumeric) {
            let rule = "3 to 128 letters, digits, hyphens and underscores, a letter or digit first";
            return Err(Error::InvalidName {
                what: "managed identity",
                name: name.to_owned(),
                rule,
            });
        }
        let mut path = self.client.workspace_id().segments();
        path[5] = "Microsoft.ManagedIdentity";
        path[6] = "userAssignedIdentities";
        path[7] = name;
        Ok(self.client.provider_url(&path, IDENTITY_VERSION))
    }

    /// Makes one in the workspace's region, or changes nothing if it is there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with.
    pub async fn create(self, name: &str) -> Result<ManagedIdentity> {
        let url = self.url(name)?;
        self.client.put(url, &json!({"location": self.client.location().await?})).await
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with; [`Error::is_not_found`].
    pub async fn get(self, name: &str) -> Result<ManagedIdentity> {
        self.client.get(self.url(name)?).await
    }

    /// Deletes one. That there is none is no error.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with.
    pub async fn delete(self, name: &str) -> Result<()> {
        match self.client.send(Call::delete(self.url(name)?)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives an identity a role on the workspace. That it has it is no error. It may take some minutes until it holds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if the identity has no principal; what a request may fail with: assigning roles needs the role
    /// Owner or User Access Administrator.
    pub async fn assign(self, identity: &ManagedIdentity, role: &Role) -> Result<()> {
        let scope = self.client.workspace_id().to_string();
        self.assign_on(&scope, &identity.properties.principal_id, role).await
    }

    /// Gives a principal a role on any resource, by its id.
    ///
    /// # Errors
    ///
    /// As for [`assign`](Self::assign).
    pub async fn assign_on(self, scope: &str, principal_id: &str, role: &Role) -> Result<()> {
        if principal_id.is_empty() {
            let (what, rule) = ("the principal to assign a role to", "an id of the directory");
            return Err(Error::InvalidArgument { what, value: "empty".to_owned(), rule });
        }
        let definition = role.definition();
        let subscription = self.client.workspace_id().subscription_id();
        // An assignment is named by a GUID: the same for the same three, so that a second one is the first.
        let name = format!("{}|{principal_id}|{definition}", scope.to_lowercase());
        let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        let id = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}");
        let body = json!({"properties": {
            "roleDefinitionId": format!(
                "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{definition}"
            ),
            "principalId": principal_id,
            "principalType": "ServicePrincipal",
        }});
        match self.client.send(Call::put(self.client.id_url(&id, ROLE_VERSION), &body)).await {
            // Assigned before, by hand or by another tool, under another name.
            Err(error)
                if error.service().is_some_and(|error| error.code == "RoleAssignmentExists") =>
            {
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}
