use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, MlClient, Result, http::Call};

const API_VERSION: &str = "2021-04-01";

/// A namespace of Azure's, such as `Microsoft.MachineLearningServices`, that a subscription uses or does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ResourceProvider {
    /// Its name.
    pub namespace: String,
    /// `Registered`, `NotRegistered`, `Registering`, ...
    pub registration_state: String,
}

impl ResourceProvider {
    /// Whether the subscription can use it.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.registration_state.eq_ignore_ascii_case("Registered")
    }
}

/// The resource providers of the subscription: [`MlClient::resource_providers`].
#[derive(Debug, Clone, Copy)]
pub struct ResourceProviders<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// The resource providers of the subscription.
    #[must_use]
    pub fn resource_providers(&self) -> ResourceProviders<'_> {
        ResourceProviders { client: self }
    }
}

impl ResourceProviders<'_> {
    fn url(self, more: &[&str]) -> url::Url {
        let path = ["subscriptions", self.client.workspace_id().subscription_id(), "providers"];
        self.client.provider_url(&[&path, more].concat(), API_VERSION)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// What a request may fail with.
    pub async fn get(self, namespace: &str) -> Result<ResourceProvider> {
        self.client.get(self.url(&[namespace])).await
    }

    /// Registers one, and waits until it is, which may take minutes. It costs nothing, and needs the role Contributor on the subscription.
    ///
    /// # Errors
    ///
    /// What a request may fail with; [`Error::Deadline`] if it is not registered in time.
    pub async fn register(self, namespace: &str, deadline: Duration) -> Result<ResourceProvider> {
        let begun = tokio::time::Instant::now();
        let call = Call::post(self.url(&[namespace, "register"])).repeatable();
        let mut provider: ResourceProvider = self.client.send(call).await?.json()?;
        while !provider.is_registered() {
            if begun.elapsed() >= deadline {
                return Err(Error::Deadline {
                    target: format!("the registration of {namespace}"),
                    waited: deadline,
                    status: provider.registration_state,
                });
            }
            tokio::time::sleep(self.client.poll_interval().min(Duration::from_secs(10))).await;
            provider = self.get(namespace).await?;
        }
        Ok(provider)
    }
}
