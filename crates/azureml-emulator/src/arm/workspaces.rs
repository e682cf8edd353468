use std::time::Duration;

use axum::http::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    call::Call,
    datastores, field, name_rules,
    operations::{self, Service},
    pages,
    reply::{Answer, Refusal, Reply},
    resource_groups,
};
use crate::{
    moment::Moment,
    store::{Effect, Order, Resource, Resources},
    world::World,
};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces";
const CREATED: Order = Order::Created { newest_first: false };

/// How long it takes to create or delete a workspace here.
const TAKES: Duration = Duration::from_secs(3);

/// The workspace that something is in.
pub(crate) struct Workspace {
    pub(crate) id: String,
}

/// Makes the resource group and the workspace that a new state begins with.
pub(crate) fn prepare(world: &World, connection: &Connection, now: Moment) -> crate::Result<()> {
    let resources = Resources(connection);
    // Who deleted them does not want them back.
    if crate::store::is_used(connection)? {
        return Ok(());
    }
    let settings = &world.settings;
    let by = json!({
        "createdAt": now.to_string(),
        "createdBy": settings.client,
        "createdByType": "Application",
        "lastModifiedAt": now.to_string(),
        "lastModifiedBy": settings.client,
        "lastModifiedByType": "Application",
    });
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}",
        settings.subscription, settings.resource_group
    );
    resources.put(
        "resourceGroups",
        json!({
            "id": group,
            "name": settings.resource_group,
            "type": resource_groups::TYPE,
            "location": settings.location,
            "tags": {},
            "systemData": by,
            "properties": {"provisioningState": "Succeeded"},
        }),
    )?;
    let id = format!("{group}/providers/{TYPE}/{}", settings.workspace);
    let mut body = json!({
        "id": id,
        "name": settings.workspace,
        "type": TYPE,
        "location": settings.location,
        "tags": {},
        "systemData": by,
        "properties": {},
    });
    complete(world, &mut body, &group, None);
    body["properties"]["provisioningState"] = json!("Succeeded");
    datastores::make(world, connection, &id, &by, now)?;
    resources.put("workspaces", body)?;
    Ok(())
}

/// Adds what the service says of a workspace, and what it assumes.
fn complete(world: &World, body: &mut Value, group: &str, existing: Option<&Resource>) {
    let settings = &world.settings;
    let kept =
        |pointer: &str| existing.and_then(|existing| existing.body.pointer(pointer)).cloned();
    let name = body["name"].clone();
    for (field, value) in [
        ("kind", json!("Default")),
        ("sku", json!({"name": "Basic", "tier": "Basic"})),
        ("identity", json!({"type": "SystemAssigned"})),
        ("tags", json!({})),
    ] {
        if body[field].is_null() {
            body[field] = value;
        }
    }
    let principal = kept("/identity/principalId").unwrap_or_else(|| json!(Uuid::new_v4()));
    if body["identity"]["type"].as_str().is_some_and(|kind| kind.contains("SystemAssigned")) {
        body["identity"]["principalId"] = principal;
        body["identity"]["tenantId"] = json!(settings.tenant);
    }
    let account = &settings.account;
    let properties = &mut body["properties"];
    for (field, value) in [
        ("friendlyName", name.clone()),
        ("description", json!("")),
        (
            "storageAccount",
            json!(format!("{group}/providers/Microsoft.Storage/storageAccounts/{account}")),
        ),
        ("keyVault", json!(format!("{group}/providers/Microsoft.KeyVault/vaults/spinney-vault"))),
        (
            "applicationInsights",
            json!(format!("{group}/providers/Microsoft.Insights/components/spinney-insights")),
        ),
        ("hbiWorkspace", json!(false)),
        ("publicNetworkAccess", json!("Enabled")),
        ("v1LegacyMode", json!(false)),
        ("enableDataIsolation", json!(false)),
    ] {
        if properties[field].is_null() {
            properties[field] = value;
        }
    }
    properties["workspaceId"] =
        kept("/properties/workspaceId").unwrap_or_else(|| json!(Uuid::new_v4()));
    properties["tenantId"] = json!(settings.tenant);
}

/// With the addresses by which this client reaches the workspace.
fn shown(call: &Call<'_>, workspace: &Resource) -> Value {
    let mut body = workspace.body.clone();
    let location = body["location"].as_str().unwrap_or_default().to_owned();
    let api = call.door.api(&location);
    let host = api.trim_start_matches("https://");
    body["properties"]["discoveryUrl"] = json!(format!("{api}/discovery"));
    body["properties"]["mlFlowTrackingUri"] =
        json!(format!("azureml://{host}/mlflow/v1.0{}", workspace.id()));
    body
}

fn collection(group: &Resource) -> String {
    format!("{}/providers/{TYPE}", group.id())
}

fn look_up(call: &Call<'_>) -> Answer<Resource> {
    let group = resource_groups::find(call)?;
    let name = call.segment(7);
    call.resources().get(&format!("{}/{name}", collection(&group)))?.ok_or_else(|| {
        let message = format!(
            "The Resource '{TYPE}/{name}' under resource group '{}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            call.segment(3)
        );
        Refusal::new(404, "ResourceNotFound", message).into()
    })
}

/// The workspace that the path is in.
pub(crate) fn find(call: &Call<'_>) -> Answer<Workspace> {
    let resource = look_up(call)?;
    let is_leaving = resource.body["properties"]["provisioningState"] == "Deleting";
    if is_leaving && call.method != Method::GET {
        return Err(Refusal::conflict("the workspace is being deleted").into());
    }
    Ok(Workspace { id: resource.id().to_owned() })
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    if call.method != Method::GET {
        return Err(call.wrong_method().into());
    }
    let group = resource_groups::find(call)?;
    pages::list(
        call,
        &collection(&group),
        CREATED,
        |_| true,
        |workspace| Ok(shown(call, workspace)),
    )
}

/// The workspaces of the subscription.
pub(crate) fn list_all(call: &Call<'_>) -> Answer {
    if call.method != Method::GET {
        return Err(call.wrong_method().into());
    }
    let all = call.resources().of_kind("workspaces", None)?;
    let all: Vec<Value> = all.iter().map(|workspace| shown(call, workspace)).collect();
    Ok(Reply::ok(json!({"value": all})))
}

pub(crate) fn answer(call: &Call<'_>) -> Answer {
    match *call.method {
        Method::GET => {
            let workspace = look_up(call)?;
            Ok(Reply::ok(shown(call, &workspace)).etag(&workspace))
        }
        Method::PUT => put(call),
        Method::PATCH => patch(call),
        Method::DELETE => delete(call),
        _ => Err(call.wrong_method().into()),
    }
}

fn put(call: &Call<'_>) -> Answer {
    let group = resource_groups::find(call)?;
    let name = call.segment(7);
    name_rules::check_workspace(name)?;
    let location = field::location(call.body)?;
    field::optional_object(call.body, "/identity")?;
    field::optional_object(call.body, "/properties")?;
    field::optional_words(call.body, "/tags")?;
    let kind = field::optional_text(call.body, "/kind")?;
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("default")) {
        return Err(Refusal::not_implemented("workspaces of a kind other than Default").into());
    }
    let id = format!("{}/{name}", collection(&group));
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    if let Some(existing) = &existing {
        resource_groups::check_location(existing, location)?;
    }
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    if !body["properties"].is_object() {
        body["properties"] = json!({});
    }
    complete(call.world, &mut body, group.id(), existing.as_ref());
    let is_new = existing.is_none();
    body["properties"]["provisioningState"] = json!(if is_new { "Creating" } else { "Updating" });
    if is_new {
        datastores::make(call.world, call.connection, &id, &body["systemData"], call.now)?;
    }
    let workspace = call.resources().put("workspaces", body)?;
    // The specification has no 201 here.
    let reply = Reply::ok(shown(call, &workspace)).etag(&workspace);
    operations::begin(call, reply, Service::Workspaces, &id, &Effect::Provisioned, TAKES)
}

/// Changes what may be changed in place: tags, texts, and who the workspace is.
fn patch(call: &Call<'_>) -> Answer {
    let mut workspace = look_up(call)?;
    call.check_etag(Some(&workspace))?;
    operations::check_idle(call, workspace.id())?;
    field::optional_words(call.body, "/tags")?;
    for field in ["tags", "identity", "sku"] {
        if let Some(value) = call.body.get(field).filter(|value| value.is_object()) {
            workspace.body[field] = value.clone();
        }
    }
    if let Some(properties) = call.body["properties"].as_object() {
        for (name, value) in properties {
            workspace.body["properties"][name] = value.clone();
        }
    }
    workspace.body["systemData"] = call.system_data(Some(&workspace));
    let workspace = call.resources().update(&workspace.body)?;
    Ok(Reply::ok(shown(call, &workspace)).etag(&workspace))
}

fn delete(call: &Call<'_>) -> Answer {
    let mut workspace = match look_up(call) {
        Ok(workspace) => workspace,
        Err(super::reply::Failure::Refused(_)) => return Ok(Reply::empty(204)),
        Err(error) => return Err(error),
    };
    operations::check_idle(call, workspace.id())?;
    workspace.body["properties"]["provisioningState"] = json!("Deleting");
    call.resources().update(&workspace.body)?;
    let reply = Reply::empty(202);
    operations::begin(call, reply, Service::Workspaces, workspace.id(), &Effect::Removed, TAKES)
}
