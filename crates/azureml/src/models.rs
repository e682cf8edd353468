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

/// A version of a model.
pub type Model = Resource<ModelProperties>;

/// What is particular to a version of a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ModelProperties {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub tags: BTreeMap<String, String>,
    /// What is known of it and does not change.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub properties: BTreeMap<String, String>,
    /// `custom_model`, `mlflow_model` or `triton_model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    /// Where its files are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_uri: Option<String>,
    /// MLflow's flavors. Kept as they are: without them the Python SDK cannot read a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flavors: Option<Map<String, Value>>,
    /// The job that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
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

impl AssetProperties for ModelProperties {
    fn common(&mut self) -> Common<'_> {
        Common {
            description: &mut self.description,
            tags: &mut self.tags,
            properties: &mut self.properties,
            is_archived: &mut self.is_archived,
        }
    }
}

/// What a model is to Azure ML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ModelType {
    /// Any file or folder.
    #[default]
    Custom,
    /// A folder that MLflow wrote.
    Mlflow,
    /// A model repository of Triton.
    Triton,
}

impl ModelType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Custom => "custom_model",
            Self::Mlflow => "mlflow_model",
            Self::Triton => "triton_model",
        }
    }
}

/// A model to be registered.
///
/// # Examples
///
/// ```
/// use spinney_azureml::ModelSpec;
///
/// let model = ModelSpec::from_path("ames", "model.bundle").description("a random forest").tag("r2", "0.88");
/// # let _ = model;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ModelSpec {
    details: Details,
    source: Source,
    model_type: ModelType,
    datastore: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Path(PathBuf),
    Uri(String),
}

impl ModelSpec {
    /// A model of a file or a folder here, which is uploaded.
    pub fn from_path(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::of(name, Source::Path(path.into()))
    }

    /// A model of files that are in Azure: `azureml://jobs/../outputs/..` or `azureml://datastores/../paths/..`.
    pub fn from_uri(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::of(name, Source::Uri(uri.into()))
    }

    fn of(name: impl Into<String>, source: Source) -> Self {
        let details = Details::of(name);
        Self { details, source, model_type: ModelType::Custom, datastore: None }
    }

    /// The version. Without it, the next one, or the newest one again if it has the same files.
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

    /// What it is to Azure ML: custom, unless said otherwise.
    pub fn model_type(self, model_type: ModelType) -> Self {
        Self { model_type, ..self }
    }

    /// Where to upload it: `workspaceblobstore`, unless said otherwise.
    pub fn datastore(self, name: impl Into<String>) -> Self {
        Self { datastore: Some(name.into()), ..self }
    }
}

/// The models of the workspace: [`MlClient::models`].
#[derive(Debug, Clone, Copy)]
pub struct Models<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Registered models.
    #[must_use]
    pub fn models(&self) -> Models<'_> {
        Models { client: self }
    }
}

impl Models<'_> {
    fn assets(&self) -> Assets<'_> {
        Assets { client: self.client, kind: "models" }
    }

    /// One version of one of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`](crate::Error::is_not_found) if there is none.
    pub async fn get(self, name: &str, version: &str) -> Result<Model> {
        self.assets().get(name, version).await
    }

    /// The version that was made last.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn latest(self, name: &str) -> Result<Model> {
        self.assets().newest(name).await
    }

    /// All names.
    pub fn list(self, view: ListView) -> Pages<AssetContainer> {
        self.assets().names(view)
    }

    /// The versions of one of them.
    pub fn versions(self, name: &str, view: ListView) -> Pages<Model> {
        self.assets().versions(name, view)
    }

    /// Registers a model, after its files are uploaded.
    ///
    /// If no version is named and the newest one has the same files and type, that version is what results, with the description, tags and
    /// properties added to it: a script that runs twice makes one version. Name a version to have another.
    ///
    /// # Errors
    ///
    /// What a request may fail with: a version that is there keeps its files, and is refused with others. For uploads, as for
    /// [`Datastores::upload`](crate::Datastores::upload).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
    /// use spinney_azureml::{ModelSpec, TransferOptions};
    ///
    /// let model = ModelSpec::from_path("ames", "model.bundle").tag("r2", "0.88");
    /// let model = client.models().register(&model, &TransferOptions::default()).await?;
    /// println!("version {}", model.name);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn register(self, model: &ModelSpec, options: &TransferOptions) -> Result<Model> {
        options.check()?;
        let ModelSpec { details, source, model_type, datastore } = model;
        let (assets, workspace) = (self.assets(), self.client.workspace_id());
        let (files, uri) = match source {
            Source::Uri(uri) => (None, uri.clone()),
            Source::Path(path) => {
                let files = LocalFiles::of_asset(path).await?;
                let uri = DatastorePath::of_upload(datastore.as_deref(), &files).long(workspace);
                (Some(files), uri)
            }
        };
        let slot = assets.slot::<ModelProperties>(details, |newest| {
            let is_there = newest.model_uri.as_deref();
            is_there.is_some_and(|there| is_same_place(there, &uri, workspace))
                && newest.model_type.as_deref() == Some(model_type.as_str())
        });
        let slot = slot.await?;
        if let Some(files) = &files {
            let asset = Confirmation { name: &details.name, version: slot.version() };
            let datastores = self.client.datastores();
            datastores.upload_files(datastore.as_deref(), files, asset, options).await?;
        }
        let mut properties = json!({
            "modelUri": uri,
            "modelType": model_type.as_str(),
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

    /// Writes a version as it is here: description, tags, properties. Azure keeps what it is made of.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::InvalidArgument`](crate::Error::InvalidArgument) if it has no id.
    pub async fn update(self, model: &Model) -> Result<Model> {
        self.assets().update(model).await
    }

    /// Adds tags to a version; those of the same names are replaced.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn tag<K: Into<String>, V: Into<String>>(
        self,
        name: &str,
        version: &str,
        tags: impl IntoIterator<Item = (K, V)> + Send,
    ) -> Result<Model> {
        let tags: BTreeMap<String, String> =
            tags.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.assets().change(name, version, |model| model.tags.extend(tags)).await
    }

    /// Leaves a version out of lists; it can be used as before.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn archive(self, name: &str, version: &str) -> Result<Model> {
        self.assets().change(name, version, |model| *model.is_archived = true).await
    }

    /// Takes a version into lists again.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn restore(self, name: &str, version: &str) -> Result<Model> {
        self.assets().change(name, version, |model| *model.is_archived = false).await
    }

    /// Downloads the files of a version into a folder.
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
        let model = self.get(name, version).await?;
        let uri = model.properties.model_uri.unwrap_or_default();
        self.client.datastores().download_uri(&uri, folder, options).await
    }

    /// The id of what a text names: `azureml:NAME:VERSION`, `NAME:VERSION`, `azureml:NAME@latest`, for which the latest version is asked
    /// for, or an id. What begins with `azureml://`, such as a model of a registry, is what Azure understands itself and stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for another text; for `@latest`, as for [`latest`](Self::latest).
    pub async fn resolve(self, reference: &str) -> Result<String> {
        self.assets().resolve::<ModelProperties>(reference).await
    }
}
