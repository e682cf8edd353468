use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    AssetContainer, Downloaded, ListView, MlClient, Pages, Resource, Result, TransferOptions,
    asset_paths::{DatastorePath, is_same_place},
    assets::{AssetProperties, Assets, Common, Details},
    storage::{Confirmation, LocalFiles},
};

/// A version of a data asset.
pub type DataAsset = Resource<DataProperties>;

/// What is particular to a version of a data asset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DataProperties {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub tags: BTreeMap<String, String>,
    /// What is known of it and does not change.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub properties: BTreeMap<String, String>,
    /// `uri_file`, `uri_folder` or `mltable`.
    pub data_type: String,
    /// Where it is.
    pub data_uri: String,
    /// Whether it is left out of lists.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub is_archived: bool,
    /// Whether it has no name that a person gave it.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub is_anonymous: bool,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl AssetProperties for DataProperties {
    fn common(&mut self) -> Common<'_> {
        Common {
            description: &mut self.description,
            tags: &mut self.tags,
            properties: &mut self.properties,
            is_archived: &mut self.is_archived,
        }
    }
}

/// What a data asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataType {
    /// A file.
    UriFile,
    /// A folder.
    UriFolder,
    /// A folder with a file `MLTable`, which says how to read it.
    MlTable,
}

impl DataType {
    fn as_str(self) -> &'static str {
        match self {
            Self::UriFile => "uri_file",
            Self::UriFolder => "uri_folder",
            Self::MlTable => "mltable",
        }
    }
}

/// A data asset to be made.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{DataSpec, DataType};
///
/// let uploaded = DataSpec::from_path("ames-housing-raw", "data/AmesHousing.csv").description("raw");
/// let web = DataSpec::from_uri("ames-web", "https://example.com/ames.csv", DataType::UriFile);
/// # let _ = (uploaded, web);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DataSpec {
    details: Details,
    source: Source,
    datastore: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Path(PathBuf),
    Uri(String, DataType),
}

impl DataSpec {
    /// Data of a file or a folder here, which is uploaded; that says what type it is.
    pub fn from_path(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { details: Details::of(name), source: Source::Path(path.into()), datastore: None }
    }

    /// Data that is elsewhere: `azureml://datastores/../paths/..`, `https://..`, `wasbs://..`, `abfss://..`.
    pub fn from_uri(name: impl Into<String>, uri: impl Into<String>, data_type: DataType) -> Self {
        let source = Source::Uri(uri.into(), data_type);
        Self { details: Details::of(name), source, datastore: None }
    }

    /// The version. Without it, the next one, or the newest one again if it is the same data.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.details.version = Some(version.into());
        self
    }

    /// What it is.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.details.description = Some(description.into());
        self
    }

    /// A tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.tags.insert(name.into(), value.into());
        self
    }

    /// Something that is known of it and does not change.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.properties.insert(name.into(), value.into());
        self
    }

    /// Where to upload it: `workspaceblobstore`, unless said otherwise.
    pub fn datastore(self, name: impl Into<String>) -> Self {
        Self { datastore: Some(name.into()), ..self }
    }
}

/// The data assets of the workspace: [`MlClient::data`].
#[derive(Debug, Clone, Copy)]
pub struct DataAssets<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Data assets.
    #[must_use]
    pub fn data(&self) -> DataAssets<'_> {
        DataAssets { client: self }
    }
}

impl DataAssets<'_> {
    fn assets(&self) -> Assets<'_> {
        Assets { client: self.client, kind: "data" }
    }

    /// One version of one of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, name: &str, version: &str) -> Result<DataAsset> {
        self.assets().get(name, version).await
    }

    /// The newest version.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn latest(self, name: &str) -> Result<DataAsset> {
        let container = self.assets().container(name).await?;
        match container.and_then(|container| container.properties.latest_version) {
            Some(version) => self.get(name, &version).await,
            None => self.assets().newest(name).await,
        }
    }

    /// All names.
    pub fn list(self, view: ListView) -> Pages<AssetContainer> {
        self.assets().names(view)
    }

    /// The versions of one of them.
    pub fn versions(self, name: &str, view: ListView) -> Pages<DataAsset> {
        self.assets().versions(name, view)
    }

    /// Makes a data asset, after its files are uploaded.
    ///
    /// If no version is named and the newest one is of the same place and type, that version is what results, with the description, tags
    /// and properties added to it. Name a version to have another.
    ///
    /// # Errors
    ///
    /// What a request may fail with. For uploads, as for [`Datastores::upload`](crate::Datastores::upload).
    pub async fn create(self, data: &DataSpec, options: &TransferOptions) -> Result<DataAsset> {
        options.check()?;
        let DataSpec { details, source, datastore } = data;
        let (assets, workspace) = (self.assets(), self.client.workspace_id());
        let (files, uri, data_type) = match source {
            Source::Uri(uri, data_type) => (None, uri.clone(), *data_type),
            Source::Path(path) => {
                let files = LocalFiles::of_asset(path).await?;
                let uri = DatastorePath::of_upload(datastore.as_deref(), &files).short();
                let is_folder = files.is_folder;
                let data_type = if is_folder { DataType::UriFolder } else { DataType::UriFile };
                (Some(files), uri, data_type)
            }
        };
        let slot = assets.slot::<DataProperties>(details, |newest| {
            is_same_place(&newest.data_uri, &uri, workspace)
                && newest.data_type == data_type.as_str()
        });
        let slot = slot.await?;
        if let Some(files) = &files {
            let asset = Confirmation { name: &details.name, version: slot.version() };
            let datastores = self.client.datastores();
            datastores.upload_files(datastore.as_deref(), files, asset, options).await?;
        }
        let mut properties = json!({
            "dataUri": uri,
            "dataType": data_type.as_str(),
            "tags": details.tags,
            "properties": details.properties,
            "isAnonymous": false,
            "isArchived": false,
        });
        if let Some(description) = &details.description {
            properties["description"] = json!(description);
        }
        assets.register(details, slot, &json!({"properties": properties})).await
    }

    /// Writes a version as it is here: description, tags, properties. Azure keeps where it is.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::InvalidArgument`](crate::Error::InvalidArgument) if it has no id.
    pub async fn update(self, data: &DataAsset) -> Result<DataAsset> {
        self.assets().update(data).await
    }

    /// Leaves a version out of lists; it can be used as before.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn archive(self, name: &str, version: &str) -> Result<DataAsset> {
        self.assets().change(name, version, |data| *data.is_archived = true).await
    }

    /// Takes a version into lists again.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn restore(self, name: &str, version: &str) -> Result<DataAsset> {
        self.assets().change(name, version, |data| *data.is_archived = false).await
    }

    /// Downloads a version into a folder, if it is in a datastore of this workspace.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get) and [`Datastores::download_uri`](crate::Datastores::download_uri).
    pub async fn download(
        self,
        name: &str,
        version: &str,
        folder: impl AsRef<Path> + Send,
        options: &TransferOptions,
    ) -> Result<Downloaded> {
        let uri = self.get(name, version).await?.properties.data_uri;
        self.client.datastores().download_uri(&uri, folder, options).await
    }

    /// The id of what a text names: see [`Models::resolve`](crate::Models::resolve).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn resolve(self, reference: &str) -> Result<String> {
        self.assets().resolve::<DataProperties>(reference).await
    }
}
