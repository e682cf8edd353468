//! What online and batch endpoints have in common.

use std::time::Duration;

use serde_json::json;

use super::{
    batch_endpoints,
    call::Call,
    online_endpoints,
    operations::{self, Service, begin},
    reply::{Answer, Refusal, Reply},
};
use crate::store::{Effect, Resource};

/// How long it takes to make, change or delete one.
pub(super) const TAKES: Duration = Duration::from_secs(2);

/// An endpoint by its name; `what` kind it is, as its service says it.
pub(super) fn find(call: &Call<'_>, collection: &str, name: &str, what: &str) -> Answer<Resource> {
    call.resources().get(&format!("{collection}/{name}"))?.ok_or_else(|| {
        let message = format!("{what} endpoint {} was not found.", call.segment(9));
        Refusal::not_found(message).into()
    })
}

/// A deployment of an endpoint.
pub(super) fn find_deployment(call: &Call<'_>, collection: &str, name: &str) -> Answer<Resource> {
    call.resources().get(&format!("{collection}/{name}"))?.ok_or_else(|| {
        Refusal::not_found(format!("Deployment {} was not found.", call.segment(11))).into()
    })
}

/// Refuses the name of another endpoint, of either kind: it is part of an address, which is unique in a region.
pub(super) fn check_is_free(call: &Call<'_>, name: &str) -> Answer<()> {
    for kind in [online_endpoints::KIND, batch_endpoints::KIND] {
        if !call.resources().of_kind(kind, Some(name))?.is_empty() {
            let message = format!("the name {name} is taken by another endpoint");
            return Err(Refusal::conflict(message).into());
        }
    }
    Ok(())
}

/// Refuses deployments of an endpoint that is not there yet, or not for long.
pub(super) fn check_takes_deployments(endpoint: &Resource) -> Result<(), Refusal> {
    match endpoint.body["properties"]["provisioningState"].as_str() {
        Some("Creating" | "Deleting") => {
            Err(Refusal::conflict("the endpoint is being created or deleted: wait for it to end"))
        }
        Some("Failed") => {
            Err(Refusal::user_error("the endpoint could not be created, and takes no deployments"))
        }
        _ => Ok(()),
    }
}

/// Deletes an endpoint, with its deployments.
pub(super) fn delete(call: &Call<'_>, collection: &str, name: &str) -> Answer {
    let Some(endpoint) = call.resources().get(&format!("{collection}/{name}"))? else {
        return Ok(Reply::empty(204));
    };
    operations::check_idle(call, endpoint.id())?;
    remove(call, endpoint, TAKES)
}

/// Says that something is being deleted, and has it removed.
pub(super) fn remove(call: &Call<'_>, mut resource: Resource, takes: Duration) -> Answer {
    resource.body["properties"]["provisioningState"] = json!("Deleting");
    call.resources().update(&resource.body)?;
    begin(call, Reply::empty(202), Service::Assets, resource.id(), &Effect::Removed, takes)
}
