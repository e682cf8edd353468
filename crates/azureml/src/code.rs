use std::path::Path;

use azure_core::credentials::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use crate::{
    MlClient, NameRule, Resource, Result, TransferOptions,
    assets::check_version,
    http::{Call, Reply},
    storage::{self, Confirmation, Container, LocalFiles},
};

/// A version of code: the files that a job or a deployment runs.
pub type Code = Resource<CodeProperties>;

/// What is particular to a version of code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct CodeProperties {
    /// Where its files are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_uri: Option<String>,
    /// `hash_sha256` and `hash_version`, by which it is found again.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub properties: Map<String, Value>,
    /// Whether it has no name that a person gave it.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub is_anonymous: bool,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The version of the hash, which the service checks.
const HASH_VERSION: &str = "202208";

/// Code in the workspace: [`MlClient::code`].
#[derive(Debug, Clone, Copy)]
pub struct CodeAssets<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Code for jobs and deployments.
    #[must_use]
    pub fn code(&self) -> CodeAssets<'_> {
        CodeAssets { client: self }
    }
}

/// Where code is to be uploaded to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PendingUpload {
    blob_reference_for_consumption: BlobReference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobReference {
    blob_uri: String,
    credential: BlobCredential,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobCredential {
    sas_uri: Option<Secret>,
}

impl CodeAssets<'_> {
    /// One version of it.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, name: &str, version: &str) -> Result<Code> {
        NameRule::Asset.check(name)?;
        check_version(version)?;
        self.client.get(self.client.url(&["codes", name, "versions", version])).await
    }

    /// Finds code by its content: what this crate or the Python SDK has uploaded before.
    ///
    /// # Errors
    ///
    /// What a request may fail with.
    pub async fn find(self, hash: &str) -> Result<Option<Code>> {
        // The name has no effect, but there must be one.
        self.find_beside(&Uuid::new_v4().to_string(), hash).await
    }

    async fn find_beside(self, name: &str, hash: &str) -> Result<Option<Code>> {
        let mut url = self.client.url(&["codes", name, "versions"]);
        url.query_pairs_mut().append_pair("hash", hash).append_pair("hashVersion", HASH_VERSION);
        match self.client.pages(url).next().await {
            Err(error) if error.is_not_found() => Ok(None),
            code => code,
        }
    }

    /// Uploads a folder of code, or a single file, unless the same content was uploaded before: then that is what results.
    ///
    /// Files that `.amlignore`, or else `.gitignore`, leaves out stay here. The signature that Azure gives for the upload cannot be
    /// renewed; it holds for hours.
    ///
    /// # Errors
    ///
    /// What a request may fail with; otherwise as for [`Datastores::upload`](crate::Datastores::upload).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
    /// let code = client.code().upload("stages", &spinney_azureml::TransferOptions::default()).await?;
    /// println!("{}", code.id);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload(
        self,
        path: impl AsRef<Path> + Send,
        options: &TransferOptions,
    ) -> Result<Code> {
        options.check()?;
        let files = LocalFiles::of_code(path.as_ref()).await?;
        let name = Uuid::new_v4().to_string();
        if let Some(code) = self.find_beside(&name, &files.hash).await? {
            return Ok(code);
        }
        let (blob_uri, signed) = self.begin(&name).await?;
        let container = Container::at(self.client, &signed)?;
        let asset = Confirmation { name: &name, version: "1" };
        storage::upload(&container, &files, "", asset, options).await?;
        // A single file's code is the container itself, written as the SDK writes it.
        let end = if files.is_folder { files.name.as_str() } else { "." };
        let body = json!({"properties": {
            "codeUri": format!("{}/{end}", blob_uri.trim_end_matches('/')),
            "isAnonymous": true,
            "properties": {"hash_sha256": files.hash, "hash_version": HASH_VERSION},
        }});
        self.client.put(self.client.url(&["codes", &name, "versions", "1"]), &body).await
    }

    /// Asks for a container; its address, and the same with a signature.
    async fn begin(self, name: &str) -> Result<(String, Url)> {
        let url = self.client.url(&["codes", name, "versions", "1", "startPendingUpload"]);
        let body = json!({"pendingUploadType": "TemporaryBlobReference"});
        let reply = self.client.send(Call::post(url).body(&body).repeatable()).await?;
        // An error of serde's could have the signature in it.
        let other = |reply: &Reply| reply.error("a reply that names no container with a signature");
        let pending: PendingUpload =
            serde_json::from_slice(&reply.body).map_err(|_| other(&reply))?;
        let BlobReference { blob_uri, credential } = pending.blob_reference_for_consumption;
        let signed = credential.sas_uri.ok_or_else(|| other(&reply))?;
        let signed = Url::parse(signed.secret()).map_err(|_| other(&reply))?;
        if signed.cannot_be_a_base() || signed.query().is_none() {
            return Err(other(&reply));
        }
        Ok((blob_uri, signed))
    }
}
