use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    MlClient, NameRule, OnlineDeploymentSpec, Pages, Poller, Resource, Result,
    http::Call,
    poller::{Begun, Finish},
};

/// A deployment: machines that serve a model behind an endpoint.
pub type OnlineDeployment = Resource<OnlineDeploymentProperties>;

/// What is particular to a deployment. How many instances it has is in [`Resource::sku`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OnlineDeploymentProperties {
    /// The resource id of its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The id of its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// The size of its machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// `Succeeded` when it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Which container of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum ContainerKind {
    /// The one that answers requests.
    InferenceServer,
    /// The one that fetches the model before.
    StorageInitializer,
}

/// How many lines of each container's log an error shows.
const LINES_IN_ERRORS: u32 = 50;

/// The deployments of an endpoint: [`MlClient::online_deployments`].
#[derive(Debug, Clone, Copy)]
pub struct OnlineDeployments<'a> {
    client: &'a MlClient,
    endpoint: &'a str,
}

impl MlClient {
    /// The deployments of an online endpoint.
    #[must_use]
    pub fn online_deployments<'a>(&'a self, endpoint: &'a str) -> OnlineDeployments<'a> {
        OnlineDeployments { client: self, endpoint }
    }
}

impl OnlineDeployments<'_> {
    fn url(self, more: &[&str]) -> url::Url {
        self.client.url(&[&["onlineEndpoints", self.endpoint, "deployments"], more].concat())
    }

    fn check(self, name: &str) -> Result<()> {
        NameRule::Endpoint.check(self.endpoint)?;
        NameRule::Deployment.check(name)
    }

    /// Makes a deployment, or replaces it, which takes some minutes. It gets no requests until
    /// [`set_traffic`](crate::OnlineEndpoints::set_traffic) gives it some.
    ///
    /// If it does not come up, the error ends with the logs of its containers.
    pub fn create_or_update(
        self,
        name: &str,
        spec: &OnlineDeploymentSpec,
    ) -> Poller<OnlineDeployment> {
        let checked = self.check(name).and_then(|()| spec.check());
        let (client, spec) = (self.client.clone(), spec.clone());
        let poller = self.client.put_long(self.url(&[name]), async move {
            checked?;
            Ok(spec.body(&client.location().await?))
        });
        poller.with_logs(self.last_logs(name))
    }

    /// The end of both containers' logs, as far as they can be had.
    fn last_logs(self, name: &str) -> impl Future<Output = Vec<(String, String)>> + Send + 'static {
        let (client, endpoint, name) =
            (self.client.clone(), self.endpoint.to_owned(), name.to_owned());
        async move {
            let mut logs = Vec::new();
            for (kind, what) in [
                (ContainerKind::StorageInitializer, "the storage initializer"),
                (ContainerKind::InferenceServer, "the inference server"),
            ] {
                let deployments = client.online_deployments(&endpoint);
                match deployments.logs(&name, kind, Some(LINES_IN_ERRORS)).await {
                    Ok(log) if !log.trim().is_empty() => logs.push((what.to_owned(), log)),
                    Ok(_) => {}
                    // The deployment's own error is what matters.
                    Err(error) => tracing::debug!(%error, "no log of {what}"),
                }
            }
            logs
        }
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::is_not_found`](crate::Error::is_not_found) if there is none of this name.
    pub async fn get(self, name: &str) -> Result<OnlineDeployment> {
        self.check(name)?;
        self.client.get(self.url(&[name])).await
    }

    /// All of them.
    pub fn list(self) -> Pages<OnlineDeployment> {
        self.client.pages(self.url(&[]))
    }

    /// The end of a container's log: so many lines, or what Azure takes for enough.
    ///
    /// # Errors
    ///
    /// What a request may fail with.
    pub async fn logs(self, name: &str, kind: ContainerKind, tail: Option<u32>) -> Result<String> {
        #[derive(Deserialize)]
        struct Logs {
            content: Option<String>,
        }
        self.check(name)?;
        let mut body = json!({"containerType": kind});
        if let Some(tail) = tail {
            body["tail"] = json!(tail);
        }
        let call = Call::post(self.url(&[name, "getLogs"])).body(&body).repeatable();
        let logs: Logs = self.client.send(call).await?.json()?;
        Ok(logs.content.unwrap_or_default())
    }

    /// Changes the number of instances, 1 at least.
    pub fn scale(self, name: &str, instances: u32) -> Poller<OnlineDeployment> {
        let checked =
            self.check(name).and_then(|()| OnlineDeploymentSpec::check_instances(instances));
        let (client, url) = (self.client.clone(), self.url(&[name]));
        self.client.poller(&url.clone(), async move {
            checked?;
            let body = json!({"sku": {"name": "Default", "capacity": instances}});
            // The same number twice is the same number.
            let call = Call::patch(url.clone(), &body).repeatable();
            Ok(Begun { reply: client.send(call).await?, finish: Finish::Get(url) })
        })
    }

    /// Deletes a deployment, which ends what it costs. Azure refuses while it gets requests: take its
    /// [traffic](crate::OnlineEndpoints::set_traffic) away first. That there is none is no error.
    pub fn delete(self, name: &str) -> Poller<()> {
        self.client.delete_long(self.url(&[name]))
    }
}

/// How the health of a container is asked for.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use spinney_azureml::ProbeSettings;
///
/// let patient = ProbeSettings { initial_delay: Duration::from_secs(60), ..ProbeSettings::default() };
/// assert_eq!(patient.failure_threshold, 30);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeSettings {
    /// How long after its start: 10 s.
    pub initial_delay: Duration,
    /// How often: every 10 s.
    pub period: Duration,
    /// How long an answer may take: 2 s.
    pub timeout: Duration,
    /// How many answers in a row must fail: 30.
    pub failure_threshold: u32,
    /// How many in a row must succeed: 1.
    pub success_threshold: u32,
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            initial_delay: Duration::from_secs(10),
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            failure_threshold: 30,
            success_threshold: 1,
        }
    }
}

/// How many requests a deployment takes, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSettings {
    /// How many at a time each instance scores: 1. A runtime that scores in parallel takes more.
    pub max_concurrent_requests_per_instance: u32,
    /// How long one may take, 3 minutes at most: 5 s.
    pub request_timeout: Duration,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self { max_concurrent_requests_per_instance: 1, request_timeout: Duration::from_secs(5) }
    }
}
