//! Azure ML's own services, beside Azure Resource Manager: run history, data, models. Each region has its own address.

use serde::Deserialize;
use url::Url;

use crate::{
    Error, MlClient, Result,
    http::{Call, Scope, check_encrypted},
};

/// What the address of discovery answers. All of them are one address in practice.
#[derive(Deserialize)]
struct Services {
    api: Option<String>,
    history: Option<String>,
}

/// Asks where the services of the workspace are.
pub(crate) async fn services(client: &MlClient) -> Result<Url> {
    let workspace = client.known_workspace().await?;
    let Some(text) = &workspace.properties.discovery_url else {
        let target = client.workspace_id().to_string();
        return Err(Error::reply("GET", target, "the workspace has no discoveryUrl"));
    };
    let url = Url::parse(text).map_err(|_| Error::InvalidUrl { url: text.clone() })?;
    // Nothing secret goes there, but tokens go where it says. That address is checked whenever one does.
    check_encrypted(&url)?;
    let reply = client.send(Call::get(url).scope(Scope::Anonymous)).await?;
    let services: Services = reply.json()?;
    let api = services.api.or(services.history);
    let api = api.and_then(|api| Url::parse(&api).ok()).filter(|url| !url.cannot_be_a_base());
    api.ok_or_else(|| reply.error("it names no address of the services"))
}

impl MlClient {
    /// An address of one of the services, about this workspace: `/{service}/{version}/subscriptions/..`.
    pub(crate) async fn service_url(&self, service: &[&str], segments: &[&str]) -> Result<Url> {
        let mut url = self.services().await?.clone();
        // The address has a path: others are refused.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(service).extend(self.workspace_id().segments());
            path.extend(segments);
        }
        Ok(url)
    }
}
