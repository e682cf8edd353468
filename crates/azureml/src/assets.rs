use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    Error, MlClient, NameRule, Pages, Resource, Result, ServiceError, http::target_of,
    name_rules::is_of,
};

/// The name of an asset, and what all its versions share.
pub type AssetContainer = Resource<AssetContainerProperties>;

/// What the versions of an asset share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AssetContainerProperties {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub tags: BTreeMap<String, String>,
    /// Whether it is left out of lists.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub is_archived: bool,
    /// The newest version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<String>,
    /// The version that comes next when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_version: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Which assets a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ListView {
    /// Those that are not archived.
    #[default]
    ActiveOnly,
    /// Those that are.
    ArchivedOnly,
    /// All.
    All,
}

impl ListView {
    fn as_str(self) -> &'static str {
        match self {
            Self::ActiveOnly => "ActiveOnly",
            Self::ArchivedOnly => "ArchivedOnly",
            Self::All => "All",
        }
    }
}

/// What all kinds of assets have.
pub(crate) trait AssetProperties: Serialize + DeserializeOwned {
    fn common(&mut self) -> Common<'_>;
}

pub(crate) struct Common<'a> {
    pub(crate) description: &'a mut Option<String>,
    pub(crate) tags: &'a mut BTreeMap<String, String>,
    pub(crate) properties: &'a mut BTreeMap<String, String>,
    pub(crate) is_archived: &'a mut bool,
}

/// What is said of an asset to be made, beside what it is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) properties: BTreeMap<String, String>,
}

impl Details {
    pub(crate) fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    fn check(&self) -> Result<()> {
        NameRule::Asset.check(&self.name)?;
        self.version.as_deref().map_or(Ok(()), check_version)
    }

    /// Adds what is said to what is there; whether that changes anything.
    fn add_to(&self, properties: &mut impl AssetProperties) -> bool {
        let own = properties.common();
        let mut is_changed = false;
        if self.description.is_some() && *own.description != self.description {
            own.description.clone_from(&self.description);
            is_changed = true;
        }
        for (new, old) in [(&self.tags, own.tags), (&self.properties, own.properties)] {
            for (name, value) in new {
                is_changed |= old.insert(name.clone(), value.clone()).as_ref() != Some(value);
            }
        }
        is_changed
    }
}

/// Versions are no part of the rule for names: Azure allows full stops in them.
pub(crate) fn check_version(version: &str) -> Result<()> {
    if is_of(version, 1..=255, "-_.", char::is_alphanumeric) {
        return Ok(());
    }
    let rule =
        "up to 255 letters, digits, hyphens, underscores and full stops, a letter or digit first";
    Err(Error::InvalidName { what: "version", name: version.to_owned(), rule })
}

/// Which version a new asset becomes.
pub(crate) enum Slot<P> {
    /// One that is there and is the same.
    Same(Box<Resource<P>>),
    /// A new one.
    New { version: String, is_chosen: bool },
}

impl<P> Slot<P> {
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Same(asset) => &asset.name,
            Self::New { version, .. } => version,
        }
    }
}

/// The assets of a kind: what their modules share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assets<'a> {
    pub(crate) client: &'a MlClient,
    /// As in addresses: `models`.
    pub(crate) kind: &'static str,
}

impl Assets<'_> {
    fn version_url(self, name: &str, version: &str) -> Result<Url> {
        NameRule::Asset.check(name)?;
        check_version(version)?;
        Ok(self.client.url(&[self.kind, name, "versions", version]))
    }

    pub(crate) async fn get<P: AssetProperties>(
        self,
        name: &str,
        version: &str,
    ) -> Result<Resource<P>> {
        self.client.get(self.version_url(name, version)?).await
    }

    pub(crate) fn names(self, view: ListView) -> Pages<AssetContainer> {
        let mut url = self.client.url(&[self.kind]);
        url.query_pairs_mut().append_pair("listViewType", view.as_str());
        self.client.pages(url)
    }

    pub(crate) fn versions<P: AssetProperties>(
        self,
        name: &str,
        view: ListView,
    ) -> Pages<Resource<P>> {
        let mut url = self.client.url(&[self.kind, name, "versions"]);
        url.query_pairs_mut().append_pair("listViewType", view.as_str());
        self.client.pages(url)
    }

    /// The version that was made last.
    pub(crate) async fn newest<P: AssetProperties>(self, name: &str) -> Result<Resource<P>> {
        NameRule::Asset.check(name)?;
        let mut url = self.client.url(&[self.kind, name, "versions"]);
        url.query_pairs_mut().append_pair("$orderBy", "createdtime desc").append_pair("$top", "1");
        let target = format!("GET {}", target_of(&url));
        self.client.pages(url).next().await?.ok_or_else(|| {
            Error::Service(Box::new(ServiceError {
                target,
                status: Some(404),
                code: "NotFound".to_owned(),
                message: format!("there is no version of `{name}` that is not archived"),
                attempts: 1,
                ..ServiceError::default()
            }))
        })
    }

    pub(crate) async fn container(self, name: &str) -> Result<Option<AssetContainer>> {
        NameRule::Asset.check(name)?;
        match self.client.get(self.client.url(&[self.kind, name])).await {
            Err(error) if error.is_not_found() => Ok(None),
            container => container.map(Some),
        }
    }

    /// Finds the version for what is to be registered. Where none is named, the newest one is taken again if it is the same, so that a
    /// script that runs twice does not make two versions of one thing.
    pub(crate) async fn slot<P: AssetProperties>(
        self,
        details: &Details,
        is_same: impl Fn(&P) -> bool + Send,
    ) -> Result<Slot<P>> {
        details.check()?;
        if let Some(version) = &details.version {
            return Ok(Slot::New { version: version.clone(), is_chosen: true });
        }
        let Some(container) = self.container(&details.name).await? else {
            return Ok(Slot::New { version: "1".to_owned(), is_chosen: false });
        };
        if let Some(latest) = &container.properties.latest_version {
            match self.get::<P>(&details.name, latest).await {
                Ok(mut asset) => {
                    let is_archived = *asset.properties.common().is_archived;
                    if !is_archived && is_same(&asset.properties) {
                        return Ok(Slot::Same(Box::new(asset)));
                    }
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        let version = next_version(&container)?;
        Ok(Slot::New { version, is_chosen: false })
    }

    /// Makes a version, or adds to the one that is there what is new of it.
    pub(crate) async fn register<P: AssetProperties>(
        self,
        details: &Details,
        slot: Slot<P>,
        body: &Value,
    ) -> Result<Resource<P>> {
        let (mut version, is_chosen) = match slot {
            Slot::Same(mut asset) => {
                if !details.add_to(&mut asset.properties) {
                    return Ok(*asset);
                }
                let version = asset.name.clone();
                return self.put(&details.name, &version, &asset.properties).await;
            }
            Slot::New { version, is_chosen } => (version, is_chosen),
        };
        let mut attempts = 1;
        loop {
            let url = self.version_url(&details.name, &version)?;
            let error = match self.client.put(url, body).await {
                Err(error) => error,
                asset => return asset,
            };
            // Another client was faster and has the version.
            if is_chosen || attempts == 3 || !is_taken(&error) {
                return Err(error);
            }
            attempts += 1;
            if let Some(container) = self.container(&details.name).await? {
                version = next_version(&container)?;
            }
        }
    }

    /// Writes a version whole: what is left out is deleted.
    pub(crate) async fn put<P: AssetProperties>(
        self,
        name: &str,
        version: &str,
        properties: &P,
    ) -> Result<Resource<P>> {
        let body = serde_json::json!({"properties": writable(properties)});
        self.client.put(self.version_url(name, version)?, &body).await
    }

    pub(crate) async fn update<P: AssetProperties>(
        self,
        asset: &Resource<P>,
    ) -> Result<Resource<P>> {
        let name = asset.segment(self.kind).ok_or_else(|| Error::InvalidArgument {
            what: "the id of the asset to be written",
            value: asset.id.clone(),
            rule: "the id that Azure gave it",
        })?;
        self.put(name, &asset.name, &asset.properties).await
    }

    /// Reads a version, changes it, and writes it.
    pub(crate) async fn change<P: AssetProperties>(
        self,
        name: &str,
        version: &str,
        change: impl FnOnce(Common<'_>) + Send,
    ) -> Result<Resource<P>> {
        let mut asset = self.get::<P>(name, version).await?;
        change(asset.properties.common());
        self.put(name, version, &asset.properties).await
    }

    /// The id of what a reference names: see [`Models::resolve`](crate::Models::resolve).
    pub(crate) async fn resolve<P: AssetProperties>(self, reference: &str) -> Result<String> {
        if reference.starts_with("azureml://") {
            return Ok(reference.to_owned());
        }
        let text = reference.strip_prefix("azureml:").unwrap_or(reference);
        if text.starts_with('/') {
            return Ok(text.to_owned());
        }
        if let Some(name) = text.strip_suffix("@latest") {
            return Ok(self.newest::<P>(name).await?.id);
        }
        let Some((name, version)) = text.split_once(':') else {
            return Err(Error::InvalidArgument {
                what: "the reference to an asset",
                value: reference.to_owned(),
                rule: "azureml:NAME:VERSION, azureml:NAME@latest, a resource id, or azureml://..",
            });
        };
        NameRule::Asset.check(name)?;
        check_version(version)?;
        let workspace = self.client.workspace_id();
        Ok(format!("{workspace}/{}/{name}/versions/{version}", self.kind))
    }
}

fn next_version(container: &AssetContainer) -> Result<String> {
    let next = container.properties.next_version.clone();
    next.ok_or_else(|| Error::reply("GET", container.id.clone(), "it has no nextVersion"))
}

/// Whether a version is there, with another path.
fn is_taken(error: &Error) -> bool {
    let has_path = |error: &ServiceError| error.message.contains("Asset paths cannot be updated");
    error.is_conflict() || error.service().is_some_and(has_path)
}

/// Properties as a version is written with them: without what Azure alone sets, and without what is nothing.
pub(crate) fn writable(properties: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(properties).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, value| {
            !value.is_null() && !matches!(name.as_str(), "provisioningState" | "environmentType")
        });
    }
    value
}
