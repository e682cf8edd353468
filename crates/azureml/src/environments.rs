use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    AssetContainer, EnvironmentSpec, Error, ListView, MlClient, Pages, Resource, Result,
    TransferOptions,
    asset_paths::DatastorePath,
    assets::{AssetProperties, Assets, Common},
    storage::{Confirmation, LocalFiles},
};

/// A version of an environment: a container image, and how it is made.
pub type Environment = Resource<EnvironmentProperties>;

/// What is particular to a version of an environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EnvironmentProperties {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub tags: BTreeMap<String, String>,
    /// What is known of it and does not change.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub properties: BTreeMap<String, String>,
    /// The image, or the one that it is based on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The packages that Conda adds to the image: YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conda_file: Option<String>,
    /// What Docker builds it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildContext>,
    /// Where its server listens, for an image that brings one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inference_config: Option<InferenceConfig>,
    /// `Linux` or `Windows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_type: Option<String>,
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

impl AssetProperties for EnvironmentProperties {
    fn common(&mut self) -> Common<'_> {
        Common {
            description: &mut self.description,
            tags: &mut self.tags,
            properties: &mut self.properties,
            is_archived: &mut self.is_archived,
        }
    }
}

/// What Docker builds an image from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BuildContext {
    /// The address of the folder, with a slash at its end.
    pub context_uri: String,
    /// The path of the Dockerfile in it; `Dockerfile` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dockerfile_path: Option<String>,
}

/// Where the server in an image listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InferenceConfig {
    /// Asked for whether it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness_route: Option<Route>,
    /// Asked for whether it can answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness_route: Option<Route>,
    /// Where requests go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring_route: Option<Route>,
}

/// A path on a port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Route {
    /// The path, with its slash. Azure's specification wants a letter or digit in it, so that `/` alone is none.
    pub path: String,
    /// The port.
    pub port: u16,
}

impl Route {
    /// A path on a port.
    #[must_use]
    pub fn new(path: impl Into<String>, port: u16) -> Self {
        Self { path: path.into(), port }
    }
}

impl InferenceConfig {
    /// Where it is asked whether it lives, whether it can answer, and for answers.
    #[must_use]
    pub fn new(liveness: Route, readiness: Route, scoring: Route) -> Self {
        Self {
            liveness_route: Some(liveness),
            readiness_route: Some(readiness),
            scoring_route: Some(scoring),
        }
    }
}

/// The environments of the workspace: [`MlClient::environments`].
#[derive(Debug, Clone, Copy)]
pub struct Environments<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Environments.
    #[must_use]
    pub fn environments(&self) -> Environments<'_> {
        Environments { client: self }
    }
}

impl Environments<'_> {
    fn assets(&self) -> Assets<'_> {
        Assets { client: self.client, kind: "environments" }
    }

    /// One version of one of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`] if there is none.
    pub async fn get(self, name: &str, version: &str) -> Result<Environment> {
        self.assets().get(name, version).await
    }

    /// The version that was made last.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn latest(self, name: &str) -> Result<Environment> {
        self.assets().newest(name).await
    }

    /// All names.
    pub fn list(self, view: ListView) -> Pages<AssetContainer> {
        self.assets().names(view)
    }

    /// The versions of one of them.
    pub fn versions(self, name: &str, view: ListView) -> Pages<Environment> {
        self.assets().versions(name, view)
    }

    /// Makes an environment, after its build context is uploaded. Azure builds the image when it is first needed.
    ///
    /// If no version is named and the newest one is the same, that version is what results, with the description and tags added to it.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::InvalidArgument`] for what does not go together. For uploads, as for
    /// [`Datastores::upload`](crate::Datastores::upload).
    pub async fn create(
        self,
        environment: &EnvironmentSpec,
        options: &TransferOptions,
    ) -> Result<Environment> {
        options.check()?;
        environment.check()?;
        let EnvironmentSpec { details, datastore, .. } = environment;
        let assets = self.assets();
        let files = match &environment.context {
            Some(folder) => {
                let files = LocalFiles::of_asset(folder).await?;
                if !files.is_folder {
                    return Err(Error::InvalidArgument {
                        what: "the build context of an environment",
                        value: folder.display().to_string(),
                        rule: "a folder",
                    });
                }
                Some(files)
            }
            None => None,
        };
        let context =
            files.as_ref().map(|files| DatastorePath::of_upload(datastore.as_deref(), files).path);
        let slot = assets.slot::<EnvironmentProperties>(details, |newest| {
            environment.is_same(newest, context.as_deref())
        });
        let slot = slot.await?;
        let mut properties = json!({"isAnonymous": false, "isArchived": false});
        if let Some(files) = &files {
            let asset = Confirmation { name: &details.name, version: slot.version() };
            let datastores = self.client.datastores();
            let uploaded =
                datastores.upload_files(datastore.as_deref(), files, asset, options).await?;
            let context_uri = format!("{}/", uploaded.url);
            properties["build"] =
                json!({"contextUri": context_uri, "dockerfilePath": environment.dockerfile()});
        }
        let texts = [
            ("image", &environment.image),
            ("condaFile", &environment.conda_file),
            ("osType", &environment.os_type),
            ("description", &details.description),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                properties[name] = json!(text);
            }
        }
        if let Some(config) = &environment.inference_config {
            properties["inferenceConfig"] = json!(config);
        }
        if !details.tags.is_empty() {
            properties["tags"] = json!(details.tags);
        }
        assets.register(details, slot, &json!({"properties": properties})).await
    }

    /// Leaves a version out of lists; it can be used as before.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn archive(self, name: &str, version: &str) -> Result<Environment> {
        self.assets().change(name, version, |environment| *environment.is_archived = true).await
    }

    /// Takes a version into lists again.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn restore(self, name: &str, version: &str) -> Result<Environment> {
        self.assets().change(name, version, |environment| *environment.is_archived = false).await
    }

    /// The id of what a text names: see [`Models::resolve`](crate::Models::resolve). `azureml://registries/azureml/environments/..` is what
    /// Azure understands itself and stays as it is.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn resolve(self, reference: &str) -> Result<String> {
        self.assets().resolve::<EnvironmentProperties>(reference).await
    }
}
