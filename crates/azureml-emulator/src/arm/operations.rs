//! Long-running operations: how they are begun, and what a client sees that waits for one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    call::Call,
    reply::{Answer, Refusal, Reply},
};
use crate::{
    faults::{self, About},
    store::{Effect, OperationState},
};

/// Which service an operation belongs to, by the names in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// `computeOperationsStatus`, for the state and for the result.
    Compute,
    /// `mfeOperationsStatus` and `mfeOperationResults`.
    Assets,
    /// `workspaceOperationsStatus` and `workspaceOperationResults`.
    Workspaces,
    /// Azure Resource Manager's own `operationresults`.
    ResourceManager,
}

/// How many seconds a client should wait before it asks again.
const RETRY_AFTER: &str = "1";

impl Service {
    fn kind(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Assets => "mfe",
            Self::Workspaces => "workspace",
            Self::ResourceManager => "resourceManager",
        }
    }
}

/// Begins an operation on a resource that takes so long and ends with an effect; adds to the reply where to ask for it.
pub(crate) fn begin(
    call: &Call<'_>,
    reply: Reply,
    service: Service,
    resource: &str,
    effect: &Effect,
    takes: Duration,
) -> Answer {
    let failure = failure(call);
    begin_surely(call, reply, service, resource, failure.as_ref().unwrap_or(effect), takes)
}

/// Likewise, whatever faults there are: who asked for [`failure`] before.
pub(crate) fn begin_surely(
    call: &Call<'_>,
    reply: Reply,
    service: Service,
    resource: &str,
    effect: &Effect,
    takes: Duration,
) -> Answer {
    let due = call.world.clock.after(takes);
    let id = call.events().begin(service.kind(), resource, effect, call.now, due)?;
    Ok(with_addresses(call, reply, service, &id))
}

/// Begins an operation that ends when something is done, with an effect that is known then: [`Events::conclude`].
///
/// [`Events::conclude`]: crate::store::Events::conclude
pub(crate) fn begin_open(
    call: &Call<'_>,
    reply: Reply,
    service: Service,
    resource: &str,
) -> Answer {
    let id = call.events().begin_open(service.kind(), resource, call.now)?;
    Ok(with_addresses(call, reply, service, &id))
}

fn with_addresses(call: &Call<'_>, reply: Reply, service: Service, id: &str) -> Reply {
    let base = call.door.resource_manager();
    let subscription = &call.world.settings.subscription;
    if service == Service::ResourceManager {
        let version = call.parameter("api-version").unwrap_or_default();
        let location = format!(
            "{base}/subscriptions/{subscription}/operationresults/{id}?api-version={version}"
        );
        return reply.header("location", location).header("retry-after", RETRY_AFTER);
    }
    let (kind, location) = (service.kind(), &call.world.settings.location);
    let base = format!(
        "{base}/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/{kind}"
    );
    let state = format!("OperationsStatus/{id}?api-version=2022-02-01-preview");
    let (state, result) = match service {
        // As the compute service has it: one address for both.
        Service::Compute => (format!("{state}&service=new"), format!("{state}&service=new")),
        _ => (state, format!("OperationResults/{id}?api-version=2022-02-01-preview")),
    };
    reply
        .header("azure-asyncoperation", format!("{base}{state}"))
        .header("location", format!("{base}{result}"))
        .header("x-ms-async-operation-timeout", "PT1H")
        .header("retry-after", RETRY_AFTER)
}

/// What an operation ends with that is to fail by a fault on demand.
pub(crate) fn failure(call: &Call<'_>) -> Option<Effect> {
    let request = About::new(faults::Service::Arm, call.method, call.uri);
    call.world.faults.failure(&request).map(|error| Effect::Failed { error })
}

/// Refuses a change of something that is being changed.
pub(crate) fn check_idle(call: &Call<'_>, resource: &str) -> Answer<()> {
    if call.events().is_busy(resource)? {
        let message = "another operation on the resource is under way: wait for it to end";
        return Err(Refusal::conflict(message).into());
    }
    Ok(())
}

/// Answers `.../locations/{location}/{kind}Operations{Status|Results}/{id}`, and `/operationresults/{id}`.
pub(crate) fn answer(call: &Call<'_>, what: &str, id: &str) -> Answer {
    let id = id.to_lowercase();
    let operation = call.events().operation(&id)?;
    let (kind, is_result) = match what {
        "operationresults" => ("resourceManager", true),
        _ => match what.split_once("operation") {
            Some((kind, "sstatus")) => (kind, false),
            Some((kind, "results")) => (kind, true),
            _ => return Err(call.not_implemented().into()),
        },
    };
    let Some(operation) = operation.filter(|operation| operation.kind == kind) else {
        return Err(Refusal::new(404, "NotFound", format!("there is no operation {id}")).into());
    };
    if is_result {
        let here = format!("{}{}", call.door.resource_manager(), call.uri);
        return match (operation.state, kind) {
            (OperationState::Running, _) => {
                Ok(Reply::empty(202).header("location", here).header("retry-after", RETRY_AFTER))
            }
            (OperationState::Failed, _) => {
                let error = operation.error.unwrap_or_default();
                let word = |name| error[name].as_str().unwrap_or_default().to_owned();
                Err(Refusal::new(400, word("code"), word("message")).into())
            }
            (OperationState::Succeeded, "resourceManager") => Ok(Reply::empty(200)),
            (OperationState::Succeeded, _) => Ok(Reply::empty(204)),
        };
    }
    let mut body = json!({
        "id": call.uri.path(),
        "name": id,
        "status": operation.state.as_str(),
        "startTime": operation.started.to_string(),
        "percentComplete": 50.0,
    });
    if let Some(ended) = operation.ended {
        body["endTime"] = json!(ended.to_string());
        body["percentComplete"] = json!(100.0);
    }
    if let Some(error) = operation.error {
        body["error"] = error;
    }
    // Only while there is something to wait for: clients repeat what has this header.
    let reply = Reply::ok(body);
    Ok(match operation.state {
        OperationState::Running => reply.header("retry-after", RETRY_AFTER),
        _ => reply,
    })
}

/// The error of an operation whose resource was removed under it.
pub(crate) fn removed() -> Value {
    Refusal::new(404, "ResourceNotFound", "the resource was deleted meanwhile").error()
}
