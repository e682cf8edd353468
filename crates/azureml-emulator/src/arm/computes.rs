use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    call::Call,
    clusters,
    compute_rules::check,
    field, instances, name_rules,
    operations::{self, Service, begin},
    pages,
    reply::{Answer, Refusal, Reply},
    resource_groups, vm_sizes,
    workspaces::Workspace,
};
use crate::store::{Effect, Order, Resource};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/computes";

/// How long it takes here to create, start, stop or delete a machine; in Azure it is minutes.
const TAKES: Duration = Duration::from_secs(3);

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    let collection = format!("{}/computes", workspace.id);
    match (call.method, rest) {
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: false };
            pages::list(call, &collection, order, |_| true, |compute| Ok(compute.body.clone()))
        }
        (&Method::GET, [name]) => {
            let compute = find(call, &collection, name)?;
            Ok(Reply::ok(compute.body.clone()).etag(&compute))
        }
        (&Method::PUT, [_]) => put(call, &collection),
        (&Method::PATCH, [name]) => patch(call, &find(call, &collection, name)?),
        (&Method::DELETE, [name]) => delete(call, &collection, name),
        (&Method::POST, [name, action @ ("start" | "stop" | "restart")]) => {
            change_state(call, find(call, &collection, name)?, action)
        }
        (&Method::POST, [_, _]) => Err(call.not_implemented().into()),
        _ => Err(call.wrong_method().into()),
    }
}

fn find(call: &Call<'_>, collection: &str, name: &str) -> Answer<Resource> {
    call.resources().get(&format!("{collection}/{name}"))?.ok_or_else(|| {
        let message = format!("The Compute {} was not found.", call.segment(9));
        Refusal::new(404, "ResourceNotFound", message).into()
    })
}

fn is_instance(compute: &Value) -> bool {
    compute["properties"]["computeType"] == "ComputeInstance"
}

fn put(call: &Call<'_>, collection: &str) -> Answer {
    let id = format!("{collection}/{}", call.segment(9));
    name_rules::check_compute(call.segment(9))?;
    let n_nodes = check(call, call.body)?;
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    if let Some(existing) = &existing {
        resource_groups::check_location(existing, field::location(call.body)?)?;
        for (pointer, what) in
            [("/properties/computeType", "type"), ("/properties/properties/vmSize", "VM size")]
        {
            let [old, new] = [&existing.body, &body].map(|body| {
                body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_lowercase()
            });
            if old != new {
                let message = format!("the {what} of a compute cannot be changed");
                return Err(Refusal::user_error(message).into());
            }
        }
    }
    complete(call, &mut body, existing.as_ref());
    store(call, body, existing.is_none(), n_nodes)
}

/// Adds what the service says.
fn complete(call: &Call<'_>, body: &mut Value, existing: Option<&Resource>) {
    let kept =
        |pointer: &str| existing.and_then(|existing| existing.body.pointer(pointer)).cloned();
    let now = call.now.to_string();
    if body["identity"].is_null()
        && let Some(fields) = body.as_object_mut()
    {
        // The SDK reads an object or nothing.
        fields.remove("identity");
    }
    if let Some(identities) = body.pointer_mut("/identity/userAssignedIdentities") {
        for identity in identities.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if identity.is_null() {
                *identity = json!({});
            }
        }
    }
    let is_instance = is_instance(body);
    let location = body["location"].clone();
    let properties = &mut body["properties"];
    properties["provisioningState"] =
        json!(if existing.is_none() { "Creating" } else { "Updating" });
    properties["createdOn"] = kept("/properties/createdOn").unwrap_or_else(|| json!(now));
    properties["modifiedOn"] = json!(now);
    properties["provisioningErrors"] = Value::Null;
    properties["computeLocation"] = location;
    properties["isAttachedCompute"] = json!(false);
    properties["resourceId"] = Value::Null;
    let machine = &mut properties["properties"];
    if is_instance {
        for field in ["state", "lastOperation", "createdBy"] {
            if let Some(value) = kept(&format!("/properties/properties/{field}")) {
                machine[field] = value;
            }
        }
        if existing.is_none() {
            instances::enter(machine, "Creating", "Create", "User", call.now);
            machine["createdBy"] = json!({
                "userName": "emulator",
                "userId": call.claims.oid,
                "userOrgId": call.world.settings.tenant,
            });
        }
        machine["errors"] = json!([]);
        machine["applications"] = json!([]);
        machine["connectivityEndpoints"] =
            json!({"publicIpAddress": null, "privateIpAddress": null});
    } else {
        let min = machine["scaleSettings"]["minNodeCount"].as_u64().unwrap_or(0);
        machine["scaleSettings"]["minNodeCount"] = json!(min);
        clusters::begin(machine, min, call.now);
        for field in [
            "allocationState",
            "allocationStateTransitionTime",
            "nodeStateCounts",
            "currentNodeCount",
            "targetNodeCount",
        ] {
            if let Some(value) = kept(&format!("/properties/properties/{field}")) {
                machine[field] = value;
            }
        }
        machine["errors"] = Value::Null;
    }
    if properties["disableLocalAuth"].is_null() {
        properties["disableLocalAuth"] = json!(true);
    }
    if let Some(identity) = body.get_mut("identity").filter(|identity| {
        identity["type"].as_str().is_some_and(|kind| kind.contains("SystemAssigned"))
    }) {
        let principal = kept("/identity/principalId").unwrap_or_else(|| json!(Uuid::new_v4()));
        identity["principalId"] = principal;
        identity["tenantId"] = json!(call.world.settings.tenant);
    }
}

/// Writes a compute and begins to make it so.
fn store(call: &Call<'_>, body: Value, is_new: bool, n_nodes: u64) -> Answer {
    let machine = &body["properties"]["properties"];
    let size = machine["vmSize"].as_str().unwrap_or_default();
    let effect = if is_instance(&body) {
        let state = if is_new { json!("Running") } else { machine["state"].clone() };
        Effect::Instance {
            state: state.as_str().unwrap_or("Running").to_owned(),
            operation: if is_new { "Create" } else { "Update" }.to_owned(),
            trigger: "User".to_owned(),
        }
    } else {
        Effect::Nodes
    };
    // As in Azure: what is beyond the quota is accepted, and fails later.
    let effect = vm_sizes::beyond_quota(size, n_nodes)
        .map_or(effect, |refusal| Effect::Failed { error: refusal.error() });
    let compute = call.resources().put("computes", body)?;
    let reply = Reply::stored(compute.body.clone(), is_new).etag(&compute);
    begin(call, reply, Service::Compute, compute.id(), &effect, TAKES)
}

/// Changes how a cluster scales, the only thing that may be changed by this method.
fn patch(call: &Call<'_>, existing: &Resource) -> Answer {
    call.check_etag(Some(existing))?;
    operations::check_idle(call, existing.id())?;
    let pointer = "/properties/properties/scaleSettings";
    let settings = call.body.pointer(pointer).and_then(Value::as_object);
    let (Some(settings), false) = (settings, is_instance(&existing.body)) else {
        let message = "only the scaleSettings of an AmlCompute can be changed by PATCH";
        return Err(Refusal::user_error(message).into());
    };
    let mut body = existing.body.clone();
    for (name, value) in settings {
        body["properties"]["properties"]["scaleSettings"][name] = value.clone();
    }
    let n_nodes = check(call, &body)?;
    body["systemData"] = call.system_data(Some(existing));
    complete(call, &mut body, Some(existing));
    store(call, body, false, n_nodes)
}

fn delete(call: &Call<'_>, collection: &str, name: &str) -> Answer {
    match call.parameter("underlyingresourceaction").map(str::to_lowercase).as_deref() {
        Some("delete" | "detach") => {}
        _ => {
            let message =
                "The underlyingResourceAction query parameter is required: Delete or Detach.";
            return Err(Refusal::user_error(message).into());
        }
    }
    let Some(mut compute) = call.resources().get(&format!("{collection}/{name}"))? else {
        return Ok(Reply::empty(204));
    };
    operations::check_idle(call, compute.id())?;
    call.events().unschedule(compute.id())?;
    compute.body["properties"]["provisioningState"] = json!("Deleting");
    if is_instance(&compute.body) {
        let machine = &mut compute.body["properties"]["properties"];
        instances::enter(machine, "Deleting", "Delete", "User", call.now);
    }
    call.resources().update(&compute.body)?;
    begin(call, Reply::empty(202), Service::Compute, compute.id(), &Effect::Removed, TAKES)
}

fn change_state(call: &Call<'_>, mut compute: Resource, action: &str) -> Answer {
    if !is_instance(&compute.body) {
        let message = format!("a compute of this type has no action {action}");
        return Err(Refusal::user_error(message).into());
    }
    operations::check_idle(call, compute.id())?;
    let (on_the_way, then, operation) = match action {
        "start" => ("Starting", "Running", "Start"),
        "stop" => ("Stopping", "Stopped", "Stop"),
        _ => ("Restarting", "Running", "Restart"),
    };
    let machine = &mut compute.body["properties"]["properties"];
    // One that a job runs on runs.
    let state =
        if machine["state"] == "JobRunning" { json!("Running") } else { machine["state"].clone() };
    if state == then && action != "restart" {
        // To ask again is no mistake.
        let reply = Reply::empty(202);
        let nothing = Effect::Nothing;
        return begin(call, reply, Service::Compute, compute.id(), &nothing, Duration::ZERO);
    }
    if action == "restart" && machine["state"] != "Running" {
        let message = "only a compute instance that runs can be restarted";
        return Err(Refusal::conflict(message).into());
    }
    instances::enter(machine, on_the_way, operation, "User", call.now);
    call.events().unschedule(compute.id())?;
    call.resources().update(&compute.body)?;
    let effect = Effect::Instance {
        state: then.to_owned(),
        operation: operation.to_owned(),
        trigger: "User".to_owned(),
    };
    begin(call, Reply::empty(202), Service::Compute, compute.id(), &effect, TAKES)
}
