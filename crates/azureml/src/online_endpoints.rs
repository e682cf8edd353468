use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    EndpointClient, EndpointKeys, Error, Identity, KeyKind, MlClient, NameRule, Pages, Poller,
    Resource, Result, Traffic, http::Call,
};

/// An online endpoint: an address that stays, and the deployments behind it.
pub type OnlineEndpoint = Resource<OnlineEndpointProperties>;

/// What is particular to an online endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OnlineEndpointProperties {
    /// How requests show that they are allowed to.
    pub auth_mode: AuthMode,
    /// Where rows are scored, once there is a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_uri: Option<String>,
    /// Where its description is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swagger_uri: Option<String>,
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// Per cent of the requests for each deployment.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub traffic: BTreeMap<String, u32>,
    /// Per cent of the requests that a deployment gets a copy of, whose answers nobody sees.
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub mirror_traffic: BTreeMap<String, u32>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How requests to an endpoint show that they are allowed to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AuthMode {
    /// One of two keys, which hold until they are made anew.
    #[default]
    Key,
    /// A token of Azure ML's, which expires.
    #[serde(rename = "AMLToken")]
    AmlToken,
    /// A token of Entra, for `https://ml.azure.com`.
    #[serde(rename = "AADToken")]
    AadToken,
    /// One that this crate does not know.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "Key",
            Self::AmlToken => "AMLToken",
            Self::AadToken => "AADToken",
            Self::Other(mode) => mode,
        })
    }
}

/// An online endpoint to be made.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{AuthMode, OnlineEndpointSpec};
///
/// let spec = OnlineEndpointSpec::new()
///     .auth_mode(AuthMode::AadToken)
///     .description("house prices")
///     .tag("team", "mlops");
/// # let _ = spec;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct OnlineEndpointSpec {
    auth_mode: AuthMode,
    identity: Identity,
    description: Option<String>,
    is_public: bool,
    tags: BTreeMap<String, String>,
}

impl Default for OnlineEndpointSpec {
    fn default() -> Self {
        Self {
            auth_mode: AuthMode::Key,
            identity: Identity::system_assigned(),
            description: None,
            is_public: true,
            tags: BTreeMap::new(),
        }
    }
}

impl OnlineEndpointSpec {
    /// One with keys, an identity of its own, and open to the internet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How requests show that they are allowed to.
    pub fn auth_mode(self, auth_mode: AuthMode) -> Self {
        Self { auth_mode, ..self }
    }

    /// What its deployments read models and images as.
    pub fn identity(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Whether it answers requests from the internet.
    pub fn public_network_access(self, is_public: bool) -> Self {
        Self { is_public, ..self }
    }

    /// Adds a tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// The body of a PUT: what exists keeps its traffic, which an empty one would take away.
    fn body(&self, location: &str, existing: Option<&OnlineEndpoint>) -> Value {
        let traffic = existing.map(|endpoint| &endpoint.properties.traffic);
        let mirrored = existing.map(|endpoint| &endpoint.properties.mirror_traffic);
        let mut properties = json!({
            "authMode": self.auth_mode,
            "properties": {},
            "traffic": traffic.cloned().unwrap_or_default(),
            "mirrorTraffic": mirrored.cloned().unwrap_or_default(),
        });
        if let Some(description) = &self.description {
            properties["description"] = json!(description);
        }
        if !self.is_public {
            properties["publicNetworkAccess"] = json!("Disabled");
        }
        json!({
            "location": location,
            "identity": self.identity,
            "properties": properties,
            "tags": self.tags,
        })
    }
}

/// The online endpoints of the workspace: [`MlClient::online_endpoints`].
#[derive(Debug, Clone, Copy)]
pub struct OnlineEndpoints<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Online endpoints.
    #[must_use]
    pub fn online_endpoints(&self) -> OnlineEndpoints<'_> {
        OnlineEndpoints { client: self }
    }
}

impl OnlineEndpoints<'_> {
    fn url(self, name: &str, more: &[&str]) -> url::Url {
        self.client.url(&[&["onlineEndpoints", name], more].concat())
    }

    /// Makes an endpoint, or changes it. Its name must be the only one in the region. One that exists keeps its traffic: it is looked up
    /// first. (With the Python SDK the same call takes all traffic away.)
    pub fn create_or_update(self, name: &str, spec: &OnlineEndpointSpec) -> Poller<OnlineEndpoint> {
        let checked = NameRule::Endpoint.check(name);
        let (client, spec, name) = (self.client.clone(), spec.clone(), name.to_owned());
        self.client.put_long(self.url(&name, &[]), async move {
            checked?;
            let existing = match client.online_endpoints().get(&name).await {
                Ok(endpoint) => Some(endpoint),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error),
            };
            Ok(spec.body(&client.location().await?, existing.as_ref()))
        })
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`] if there is none of this name.
    pub async fn get(self, name: &str) -> Result<OnlineEndpoint> {
        NameRule::Endpoint.check(name)?;
        self.client.get(self.url(name, &[])).await
    }

    /// All of them.
    pub fn list(self) -> Pages<OnlineEndpoint> {
        self.client.pages(self.client.url(&["onlineEndpoints"]))
    }

    /// Distributes requests over deployments: `[("blue", 90), ("green", 10)]`. What is not named gets none. Nothing else changes.
    pub fn set_traffic(self, name: &str, traffic: &Traffic) -> Poller<OnlineEndpoint> {
        let traffic = traffic.clone();
        self.change(name, move |endpoint| endpoint.properties.traffic = traffic.into_shares())
    }

    /// Sends a copy of some requests to one deployment, whose answers nobody sees; 0 per cent ends it.
    ///
    /// Out of range (more than 50 per cent) is an error when it is begun.
    pub fn mirror_traffic(
        self,
        name: &str,
        deployment: &str,
        percent: u32,
    ) -> Poller<OnlineEndpoint> {
        let shares = if percent == 0 { vec![] } else { vec![(deployment.to_owned(), percent)] };
        let out_of_range = (percent > 50).then(|| Error::InvalidArgument {
            what: "the mirrored share of the traffic",
            value: format!("{percent} %"),
            rule: "at most 50 %",
        });
        self.try_change(name, move |endpoint| match out_of_range {
            Some(error) => Err(error),
            None => {
                endpoint.properties.mirror_traffic = shares.into_iter().collect();
                Ok(())
            }
        })
    }

    /// Reads, changes and writes whole: a PATCH cannot change traffic.
    fn change(
        self,
        name: &str,
        change: impl FnOnce(&mut OnlineEndpoint) + Send + 'static,
    ) -> Poller<OnlineEndpoint> {
        self.try_change(name, move |endpoint| {
            change(endpoint);
            Ok(())
        })
    }

    fn try_change(
        self,
        name: &str,
        change: impl FnOnce(&mut OnlineEndpoint) -> Result<()> + Send + 'static,
    ) -> Poller<OnlineEndpoint> {
        let (client, name) = (self.client.clone(), name.to_owned());
        self.client.put_long(self.url(&name, &[]), async move {
            let mut endpoint = client.online_endpoints().get(&name).await?;
            change(&mut endpoint)?;
            Ok(endpoint.writable(&["scoringUri", "swaggerUri", "provisioningState"]))
        })
    }

    /// Both keys.
    ///
    /// # Errors
    ///
    /// What a request may fail with; an endpoint with tokens has no keys.
    pub async fn keys(self, name: &str) -> Result<EndpointKeys> {
        NameRule::Endpoint.check(name)?;
        let call = Call::post(self.url(name, &["listKeys"])).repeatable();
        self.client.send(call).await?.json()
    }

    /// Makes one key anew, and checks that it is another one. Requests with the old one fail from then on; the other key
    /// stays.
    ///
    /// It is not sent again after an error of unknown effect. (The Python SDK sends the old key along as the new one.)
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::Reply`] if the key is the same as before.
    pub async fn rotate_key(self, name: &str, kind: KeyKind) -> Result<EndpointKeys> {
        let before = self.keys(name).await?;
        let url = self.url(name, &["regenerateKeys"]);
        let call = Call::post(url.clone()).body(&json!({"keyType": kind}));
        self.client.post_long(call).await?;
        let after = self.keys(name).await?;
        if before.key(kind) == after.key(kind) {
            let what = format!("the {kind} key is the same as before");
            return Err(Error::reply("POST", url.path(), what));
        }
        Ok(after)
    }

    /// Deletes an endpoint with its deployments, which ends what they cost. That there is none is no error.
    pub fn delete(self, name: &str) -> Poller<()> {
        self.client.delete_long(self.url(name, &[]))
    }

    /// A client that scores rows. It finds the address and the key when the first row is scored, and keeps both.
    #[must_use]
    pub fn client(self, name: &str) -> EndpointClient {
        EndpointClient::of_endpoint(self.client.clone(), name)
    }
}
