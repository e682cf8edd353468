use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use crate::{
    Error, MlClient, NameRule, Pages, Poller, Resource, Result,
    http::{Call, Scope},
    resource::null_is_default,
};

mod deployment;
mod invocation;

pub use deployment::{BatchDeployment, BatchDeploymentProperties, BatchDeploymentSpec};
pub use invocation::BatchInvocation;

/// A batch endpoint: an address where jobs of one kind are asked for.
pub type BatchEndpoint = Resource<BatchEndpointProperties>;

/// What is particular to a batch endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BatchEndpointProperties {
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// How callers show who they are: with tokens of the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mode: Option<String>,
    /// Where it is invoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_uri: Option<String>,
    /// What goes for calls that say nothing.
    #[serde(deserialize_with = "null_is_default")]
    pub defaults: BatchEndpointDefaults,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What goes for calls of a batch endpoint that say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BatchEndpointDefaults {
    /// The deployment that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_name: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A batch endpoint to be made or changed.
///
/// # Examples
///
/// ```
/// use spinney_azureml::BatchEndpointSpec;
///
/// let spec = BatchEndpointSpec::new().description("the week's houses").default_deployment("nightly");
/// # let _ = spec;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct BatchEndpointSpec {
    description: Option<String>,
    default_deployment: Option<String>,
    tags: BTreeMap<String, String>,
}

impl BatchEndpointSpec {
    /// An endpoint without a deployment.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it is for.
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// The deployment for calls that name none. It must be there when the endpoint is made or changed.
    pub fn default_deployment(self, name: impl Into<String>) -> Self {
        Self { default_deployment: Some(name.into()), ..self }
    }

    /// A tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    fn check(&self) -> Result<()> {
        let deployment = self.default_deployment.as_ref();
        deployment.map_or(Ok(()), |name| NameRule::Deployment.check(name))
    }

    fn body(&self, location: &str) -> Value {
        let mut properties = json!({"authMode": "AADToken", "properties": {}});
        if let Some(description) = &self.description {
            properties["description"] = json!(description);
        }
        if let Some(name) = &self.default_deployment {
            properties["defaults"] = json!({"deploymentName": name});
        }
        json!({"location": location, "tags": self.tags, "properties": properties})
    }
}

/// The batch endpoints of the workspace: [`MlClient::batch_endpoints`].
#[derive(Debug, Clone, Copy)]
pub struct BatchEndpoints<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Batch endpoints, their deployments, and the jobs that they are asked for.
    #[must_use]
    pub fn batch_endpoints(&self) -> BatchEndpoints<'_> {
        BatchEndpoints { client: self }
    }
}

impl BatchEndpoints<'_> {
    fn url(self, segments: &[&str]) -> Url {
        let path: Vec<&str> = ["batchEndpoints"].iter().chain(segments).copied().collect();
        self.client.url(&path)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with; [`Error::is_not_found`] if there is none of this name.
    pub async fn get(self, name: &str) -> Result<BatchEndpoint> {
        NameRule::Endpoint.check(name)?;
        self.client.get(self.url(&[name])).await
    }

    /// All of them.
    pub fn list(self) -> Pages<BatchEndpoint> {
        self.client.pages(self.url(&[]))
    }

    /// Makes an endpoint, or changes it. It costs nothing by itself: the jobs do.
    pub fn create(self, name: &str, spec: &BatchEndpointSpec) -> Poller<BatchEndpoint> {
        let checked = NameRule::Endpoint.check(name).and_then(|()| spec.check());
        let (client, spec) = (self.client.clone(), spec.clone());
        self.client.put_long(self.url(&[name]), async move {
            checked?;
            Ok(spec.body(&client.location().await?))
        })
    }

    /// Deletes an endpoint and its deployments. That there is none is no error.
    pub fn delete(self, name: &str) -> Poller<()> {
        self.delete_checked(NameRule::Endpoint.check(name), self.url(&[name]))
    }

    /// A deployment of an endpoint.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with; [`Error::is_not_found`] if there is none of this name.
    pub async fn deployment(self, endpoint: &str, name: &str) -> Result<BatchDeployment> {
        check_names(endpoint, name)?;
        self.client.get(self.url(&[endpoint, "deployments", name])).await
    }

    /// The deployments of an endpoint.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn deployments(self, endpoint: &str) -> Result<Pages<BatchDeployment>> {
        NameRule::Endpoint.check(endpoint)?;
        Ok(self.client.pages(self.url(&[endpoint, "deployments"])))
    }

    /// Makes a deployment, or changes it. What is out of range is an error when it is begun.
    pub fn create_deployment(
        self,
        endpoint: &str,
        name: &str,
        spec: &BatchDeploymentSpec,
    ) -> Poller<BatchDeployment> {
        let workspace = self.client.workspace_id();
        let compute_id = |compute: &str| crate::jobs::compute_id(compute, workspace);
        let properties = check_names(endpoint, name).and_then(|()| spec.properties(compute_id));
        let client = self.client.clone();
        self.client.put_long(self.url(&[endpoint, "deployments", name]), async move {
            let properties = properties?;
            Ok(json!({"location": client.location().await?, "tags": {}, "properties": properties}))
        })
    }

    /// Deletes a deployment. That there is none is no error.
    pub fn delete_deployment(self, endpoint: &str, name: &str) -> Poller<()> {
        self.delete_checked(check_names(endpoint, name), self.url(&[endpoint, "deployments", name]))
    }

    fn delete_checked(self, checked: Result<()>, url: Url) -> Poller<()> {
        match checked {
            Ok(()) => self.client.delete_long(url),
            Err(error) => self.client.poller(&url, async move { Err(error) }),
        }
    }

    /// Asks an endpoint for a job, and gives the job's name: [`Jobs::wait`](crate::Jobs::wait) waits for it.
    ///
    /// To ask twice makes two jobs. So a request that may have arrived is not sent again, and it is for the caller to look whether
    /// there is a job.
    ///
    /// # Errors
    ///
    /// What is wrong with the invocation, before anything is sent; [`Error::Reply`] if the endpoint has no address yet; what a request may
    /// fail with.
    pub async fn invoke(self, endpoint: &str, invocation: &BatchInvocation) -> Result<String> {
        #[derive(Deserialize)]
        struct Invoked {
            name: String,
        }
        invocation.check()?;
        let found = self.get(endpoint).await?;
        let no_address =
            || Error::reply("GET", format!("batch endpoint {endpoint}"), "it has no scoringUri");
        let url = found.properties.scoring_uri.as_deref().ok_or_else(no_address)?;
        let url = Url::parse(url).map_err(|_| Error::InvalidUrl { url: url.to_owned() })?;
        let mut call = Call::post(url)
            .scope(Scope::MachineLearning)
            .body(&invocation.body())
            // The SDK's spelling.
            .header("repeatability_request-id", Uuid::new_v4().to_string());
        if let Some(deployment) = &invocation.deployment {
            call = call.header("azureml-model-deployment", deployment);
        }
        let invoked: Invoked = self.client.send(call).await?.json()?;
        Ok(invoked.name)
    }
}

fn check_names(endpoint: &str, deployment: &str) -> Result<()> {
    NameRule::Endpoint.check(endpoint)?;
    NameRule::Deployment.check(deployment)
}
