//! What a job refers to: everything must be there when it is submitted.

use serde_json::Value;

use super::super::{
    call::Call,
    reply::{Answer, Refusal},
};
use crate::{
    jobs::{Code, DataPort},
    place::Place,
    store::{Order, Resources},
};

pub(super) fn missing(what: &str, reference: &str) -> Refusal {
    Refusal::user_error(format!("the {what} {reference} that the job refers to is not there"))
}

/// The id of a version of an asset in a workspace, as clients refer to it: an id, `azureml:ID`, `NAME:VERSION` or `NAME@latest` with or
/// without `azureml:` before it, or `../labels/latest`.
pub(super) fn version(
    resources: Resources<'_>,
    workspace: &str,
    kind: &str,
    reference: &str,
) -> Answer<String> {
    let id = reference.strip_prefix("azureml:").unwrap_or(reference);
    let latest_of = |container: &str| -> Answer<String> {
        let newest = Order::Created { newest_first: true };
        let found = resources.list(&format!("{container}/versions"), newest, None, 1)?;
        let found = found.first().map(|found| found.id().to_owned());
        Ok(found.ok_or_else(|| missing(kind.trim_end_matches('s'), reference))?)
    };
    if id.starts_with('/') {
        let container = id.strip_suffix("/labels/latest");
        return container.map_or_else(|| Ok(id.to_owned()), latest_of);
    }
    if let Some(name) = id.strip_suffix("@latest") {
        return latest_of(&format!("{workspace}/{kind}/{name}"));
    }
    match id.rsplit_once(':') {
        Some((name, version)) => Ok(format!("{workspace}/{kind}/{name}/versions/{version}")),
        None => Err(Refusal::user_error(format!(
            "{reference:?} refers to no version of {kind}: an id, or azureml:NAME:VERSION"
        ))
        .into()),
    }
}

/// The id of a compute in its own letters; nothing if the job runs without one of its own.
pub(super) fn compute(
    resources: Resources<'_>,
    workspace: &str,
    reference: &str,
) -> Answer<Option<String>> {
    if reference.is_empty() || reference.eq_ignore_ascii_case("serverless") {
        return Ok(None);
    }
    let name = reference.strip_prefix("azureml:").unwrap_or(reference);
    let computes = format!("{workspace}/computes/");
    let id = if name.starts_with('/') { name.to_owned() } else { format!("{computes}{name}") };
    let is_here = id.to_lowercase().starts_with(&computes.to_lowercase());
    match resources.get(&id)? {
        Some(compute) if is_here => Ok(Some(compute.id().to_owned())),
        _ => Err(missing("compute", reference).into()),
    }
}

/// The id of an environment, or what refers to a registry's.
pub(super) fn environment(
    resources: Resources<'_>,
    workspace: &str,
    reference: &str,
) -> Answer<String> {
    if reference.starts_with("azureml://registries/") {
        return Ok(reference.to_owned());
    }
    let id = version(resources, workspace, "environments", reference)?;
    match resources.get(&id)? {
        Some(environment) => Ok(environment.id().to_owned()),
        None => Err(missing("environment", reference).into()),
    }
}

/// A version of code, and where it is.
pub(super) fn code(call: &Call<'_>, workspace: &str, reference: &str) -> Answer<Code> {
    let id = version(call.resources(), workspace, "codes", reference)?;
    let found = call.resources().get(&id)?.ok_or_else(|| missing("code", reference))?;
    let place = Place::of_uri(call.world, call.connection, workspace, &id)?;
    let hash = found.body.pointer("/properties/properties/hash_sha256").and_then(Value::as_str);
    let identity = hash.map_or_else(|| found.id().to_lowercase(), str::to_owned);
    Ok(Code { id: found.id().to_owned(), identity, place })
}

/// Where data is.
pub(super) fn data(call: &Call<'_>, workspace: &str, uri: &str, data: &DataPort) -> Answer<Place> {
    let is_named = uri
        .strip_prefix("azureml:")
        .is_some_and(|rest| !rest.starts_with("//") && !rest.is_empty());
    if !is_named && !uri.starts_with('/') {
        return Place::of_uri(call.world, call.connection, workspace, uri);
    }
    let kind = if data.is_model() { "models" } else { "data" };
    let id = version(call.resources(), workspace, kind, uri)?;
    Place::of_uri(call.world, call.connection, workspace, &id)
}

/// Refuses what takes several machines, or a machine's container.
pub(super) fn check_single_machine(name: &str, value: &Value) -> Answer<()> {
    if name == "distribution" && !value.is_null() {
        return Err(Refusal::not_implemented("distributed jobs").into());
    }
    let n_machines = value.get("instance_count").or_else(|| value.get("instanceCount"));
    if n_machines.is_some_and(|n_machines| !n_machines.is_null() && *n_machines != 1) {
        return Err(Refusal::not_implemented("jobs on several machines").into());
    }
    let args = value.get("docker_args").or_else(|| value.get("dockerArgs"));
    if args.is_some_and(|args| args.as_str() != Some("") && !args.is_null()) {
        return Err(Refusal::not_implemented("arguments of docker").into());
    }
    Ok(())
}
