use std::path::Path;

use azure_core::credentials::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    Cloud, Downloaded, Error, MlClient, Pages, Resource, Result, TransferOptions,
    asset_paths::DatastorePath,
    http::Call,
    name_rules::is_of,
    storage::{self, Confirmation, Container, LocalFiles},
};

/// Where a workspace keeps files: a container of a storage account, under a name.
pub type Datastore = Resource<DatastoreProperties>;

/// What is particular to a datastore.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DatastoreProperties {
    /// `AzureBlob`, and others that this crate knows by name only.
    pub datastore_type: String,
    /// The storage account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The container in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// `core.windows.net` in the public cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Whether it is the workspace's default.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub is_default: bool,
    /// What is known of the way into the account; no secrets.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub credentials: Map<String, Value>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl DatastoreProperties {
    /// `Sas`, `AccountKey`, or `None` where identities are admitted only; and others.
    #[must_use]
    pub fn credentials_type(&self) -> Option<&str> {
        self.credentials.get("credentialsType").and_then(Value::as_str)
    }

    /// The container's address. Names from a reply become part of it, so they must be names.
    pub(crate) fn container_url(&self, cloud: &Cloud) -> Result<Url> {
        if self.datastore_type != "AzureBlob" {
            return Err(Error::InvalidArgument {
                what: "the type of the datastore",
                value: self.datastore_type.clone(),
                rule: "files are transferred to and from AzureBlob only",
            });
        }
        let of = |what, value: Option<&str>, others: &str, rule| {
            let value = value.unwrap_or_default();
            let is_name = !value.is_empty()
                && value.starts_with(|c: char| {
                    c.is_ascii_alphanumeric() || others.contains('$') && c == '$'
                })
                && value.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
            if is_name {
                return Ok(value.to_owned());
            }
            Err(Error::InvalidArgument { what, value: value.to_owned(), rule })
        };
        let account = of(
            "the storage account of the datastore",
            self.account_name.as_deref(),
            "",
            "letters and digits",
        )?;
        let container = of(
            "the container of the datastore",
            self.container_name.as_deref(),
            "-$",
            "letters, digits and hyphens",
        )?;
        let text = match &cloud.blob_endpoint {
            Some(template) => template.replace("{account}", &account),
            None => {
                let endpoint = of(
                    "the endpoint of the datastore",
                    self.endpoint.as_deref().or(Some("core.windows.net")),
                    "-.",
                    "a host's name",
                )?;
                let protocol = self.protocol.as_deref().unwrap_or("https");
                format!("{protocol}://{account}.blob.{endpoint}")
            }
        };
        let invalid = || Error::InvalidUrl { url: text.clone() };
        let mut url = Url::parse(&text).map_err(|_| invalid())?;
        url.path_segments_mut().map_err(|()| invalid())?.pop_if_empty().push(&container);
        Ok(url)
    }
}

/// What opens the storage account of a datastore. It is never printed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatastoreSecrets {
    /// A signature for the container, which holds for an hour.
    Sas {
        /// It, as the query of an address.
        token: Secret,
    },
    /// The key of the whole account.
    AccountKey {
        /// It, in base64.
        key: Secret,
    },
    /// Another kind, which does not open a container.
    Other {
        /// The kind: `ServicePrincipal` or `Certificate`.
        secrets_type: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretsReply {
    secrets_type: String,
    sas_token: Option<String>,
    key: Option<String>,
}

/// What an upload has made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// The name of the datastore.
    pub datastore: String,
    /// The path in its container, `LocalUpload/{hash}/{name}`.
    pub path: String,
    /// The hash of the content.
    pub hash: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether it was there already and nothing was sent.
    pub skipped: bool,
    /// The address in the storage account, without a signature.
    pub url: String,
    /// The address that jobs and assets know it by: `azureml://datastores/../paths/..`.
    pub uri: String,
}

/// The datastores of the workspace: [`MlClient::datastores`].
#[derive(Debug, Clone, Copy)]
pub struct Datastores<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Datastores, and files from and to them.
    #[must_use]
    pub fn datastores(&self) -> Datastores<'_> {
        Datastores { client: self }
    }
}

impl Datastores<'_> {
    /// All of them.
    pub fn list(self) -> Pages<Datastore> {
        self.client.pages(self.client.url(&["datastores"]))
    }

    /// The one that is used where none is named.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::Reply`] if there is none.
    pub async fn default(self) -> Result<Datastore> {
        let mut url = self.client.url(&["datastores"]);
        url.query_pairs_mut().append_pair("isDefault", "true");
        let target = crate::http::target_of(&url);
        let first = self.client.pages(url).next().await?;
        first.ok_or_else(|| Error::reply("GET", target, "the workspace has no default datastore"))
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`] if there is none of this name.
    pub async fn get(self, name: &str) -> Result<Datastore> {
        check_name(name)?;
        self.client.get(self.client.url(&["datastores", name])).await
    }

    /// What opens its storage account. It asks for secrets that hold for an hour, as far as there are such.
    ///
    /// # Errors
    ///
    /// What a request may fail with: status 403 for who may not read them.
    pub async fn secrets(self, name: &str) -> Result<DatastoreSecrets> {
        check_name(name)?;
        let url = self.client.url(&["datastores", name, "listSecrets"]);
        let body = json!({"expirableSecret": true, "expireAfterHours": 1});
        let reply = self.client.send(Call::post(url).body(&body).repeatable()).await?;
        // An error of serde's could have the secret in it.
        let secrets: SecretsReply = serde_json::from_slice(&reply.body)
            .map_err(|_| reply.error("a reply that is no secret's"))?;
        match (secrets.secrets_type.as_str(), secrets.sas_token, secrets.key) {
            ("Sas", Some(token), _) => Ok(DatastoreSecrets::Sas { token: Secret::new(token) }),
            ("AccountKey", _, Some(key)) => {
                Ok(DatastoreSecrets::AccountKey { key: Secret::new(key) })
            }
            ("Sas" | "AccountKey", ..) => Err(reply.error("a secret without the secret")),
            _ => Ok(DatastoreSecrets::Other { secrets_type: secrets.secrets_type }),
        }
    }

    /// Uploads a file or a folder to where Azure ML's Python SDK would: `LocalUpload/{hash}/{name}`, by the hash of the content. What is
    /// there already is not sent again, and an upload that was interrupted goes on where it ended.
    ///
    /// Files that `.amlignore`, or else `.gitignore`, leaves out stay here. `None` for the datastore is `workspaceblobstore`.
    ///
    /// # Errors
    ///
    /// What a request may fail with; errors of the file system; [`Error::Changed`] if a file changes meanwhile;
    /// [`Error::InvalidArgument`] for a folder without files, a datastore without blobs, or options out of range.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
    /// use spinney_azureml::TransferOptions;
    ///
    /// let uploaded = client.datastores().upload(None, "data/raw", &TransferOptions::default()).await?;
    /// println!("{}", uploaded.uri);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload(
        self,
        datastore: Option<&str>,
        path: impl AsRef<Path> + Send,
        options: &TransferOptions,
    ) -> Result<Uploaded> {
        options.check()?;
        let files = LocalFiles::of_asset(path.as_ref()).await?;
        // As the SDK does it for what is no asset.
        let name = uuid::Uuid::new_v4().to_string();
        let asset = Confirmation { name: &name, version: "1" };
        self.upload_files(datastore, &files, asset, options).await
    }

    pub(crate) async fn upload_files(
        self,
        datastore: Option<&str>,
        files: &LocalFiles,
        asset: Confirmation<'_>,
        options: &TransferOptions,
    ) -> Result<Uploaded> {
        options.check()?;
        let place = DatastorePath::of_upload(datastore, files);
        let container = Container::of(self.client, &self.get(&place.datastore).await?).await?;
        let folder = format!("LocalUpload/{}/", files.hash);
        let skipped = storage::upload(&container, files, &folder, asset, options).await?;
        Ok(Uploaded {
            url: container.url_of(&place.path).to_string(),
            uri: place.short(),
            datastore: place.datastore,
            path: place.path,
            hash: files.hash.clone(),
            is_folder: files.is_folder,
            skipped,
        })
    }

    /// Downloads the blob of a path, or everything below it, into a folder. Files that are there are replaced, each at once when the new
    /// one is complete.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`] if there is nothing of this path; [`Error::Reply`] if a blob's name would
    /// lead out of the folder, before anything is written; [`Error::Write`].
    pub async fn download(
        self,
        datastore: &str,
        path: &str,
        folder: impl AsRef<Path> + Send,
        options: &TransferOptions,
    ) -> Result<Downloaded> {
        options.check()?;
        let container = Container::of(self.client, &self.get(datastore).await?).await?;
        storage::download(&container, path, folder.as_ref(), options).await
    }

    /// Downloads what an `azureml://datastores/../paths/..` address of this workspace names: an asset's or a job's output.
    ///
    /// # Errors
    ///
    /// As for [`download`](Self::download); [`Error::InvalidArgument`] for another address.
    pub async fn download_uri(
        self,
        uri: &str,
        folder: impl AsRef<Path> + Send,
        options: &TransferOptions,
    ) -> Result<Downloaded> {
        let place = DatastorePath::of(uri, self.client.workspace_id())?;
        self.download(&place.datastore, &place.path, folder, options).await
    }
}

/// What the SDK uploads to where no datastore is named.
pub(crate) const WORKSPACE_BLOB_STORE: &str = "workspaceblobstore";

fn check_name(name: &str) -> Result<()> {
    if is_of(name, 1..=255, "-_", |_| true) {
        return Ok(());
    }
    let rule = "up to 255 letters, digits, hyphens and underscores";
    Err(Error::InvalidName { what: "datastore", name: name.to_owned(), rule })
}
