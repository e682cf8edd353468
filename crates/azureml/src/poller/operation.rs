//! How Azure Resource Manager tells how an operation gets on.

use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::{Result, http::Reply, service_error::ErrorBody};

/// Where and how to look how an operation gets on.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// The address of `Azure-AsyncOperation`: a body with a status.
    Operation(Url),
    /// The address of `Location`: status 202 until it ends.
    Location(Url),
    /// The resource itself, with its `provisioningState`.
    Resource(Url),
}

impl Ask {
    /// What a first reply says about where to look; `None` if it is the last one as well. `resource` is the address of what it results in.
    pub(super) fn first(reply: &Reply, resource: Option<&Url>) -> Result<Option<Self>> {
        if let Some(url) = reply.url_of("azure-asyncoperation")? {
            return Ok(Some(Self::Operation(url)));
        }
        let location = reply.url_of("location")?;
        if let Some(url) = location.filter(|_| reply.status == StatusCode::ACCEPTED) {
            return Ok(Some(Self::Location(url)));
        }
        // Neither header: the resource itself says how it gets on.
        let is_running = Outcome::of(&provisioning_state(reply)) == Outcome::Running;
        Ok(resource.filter(|_| is_running).map(|url| Self::Resource(url.clone())))
    }

    /// What a reply from there says, and where to look next.
    pub(super) fn read(self, reply: &Reply) -> Result<(Operation, Self)> {
        Ok(match self {
            Self::Operation(url) => {
                let moved = reply.url_of("azure-asyncoperation")?;
                (reply.json()?, Self::Operation(moved.unwrap_or(url)))
            }
            Self::Location(url) => {
                let is_running = reply.status == StatusCode::ACCEPTED;
                let status = if is_running { "InProgress" } else { "Succeeded" };
                let moved = reply.url_of("location")?;
                (Operation::of(status), Self::Location(moved.unwrap_or(url)))
            }
            Self::Resource(url) => (Operation::of(&provisioning_state(reply)), Self::Resource(url)),
        })
    }

    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Operation(url) | Self::Location(url) | Self::Resource(url) => url,
        }
    }
}

/// The body behind `Azure-AsyncOperation`. Only the status is sure.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) status: String,
    pub(super) percent_complete: Option<f64>,
    pub(super) error: Option<ErrorBody>,
}

/// The part of a resource that says how it gets on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Provisioned {
    properties: Option<Provisioning>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Provisioning {
    provisioning_state: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Running,
    Succeeded,
    Failed,
}

impl Outcome {
    /// Three words end an operation, in any case; a resource without a state is ready.
    pub(super) fn of(status: &str) -> Self {
        match status.to_ascii_lowercase().as_str() {
            "succeeded" | "" => Self::Succeeded,
            "failed" | "canceled" | "cancelled" => Self::Failed,
            _ => Self::Running,
        }
    }
}

impl Operation {
    pub(super) fn of(status: &str) -> Self {
        Self { status: status.to_owned(), percent_complete: None, error: None }
    }
}

/// A resource's `provisioningState`; empty if the reply is none or does not say.
pub(super) fn provisioning_state(reply: &Reply) -> String {
    let resource: Provisioned = serde_json::from_slice(&reply.body).unwrap_or_default();
    resource.properties.and_then(|properties| properties.provisioning_state).unwrap_or_default()
}
