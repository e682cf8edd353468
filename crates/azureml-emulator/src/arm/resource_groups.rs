use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    call::Call,
    field, name_rules,
    operations::{self, Service},
    pages,
    reply::{Answer, Refusal, Reply},
};
use crate::store::{Effect, Order, Resource};

pub(crate) const TYPE: &str = "Microsoft.Resources/resourceGroups";
const CREATED: Order = Order::Created { newest_first: false };

pub(crate) fn subscription(call: &Call<'_>) -> Value {
    let settings = &call.world.settings;
    json!({
        "id": format!("/subscriptions/{}", settings.subscription),
        "subscriptionId": settings.subscription,
        "tenantId": settings.tenant,
        "displayName": "Spinney's Azure ML emulator",
        "state": "Enabled",
    })
}

fn id(call: &Call<'_>) -> String {
    let subscription = &call.world.settings.subscription;
    format!("/subscriptions/{subscription}/resourceGroups/{}", call.segment(3))
}

fn shown(group: &Resource) -> Value {
    let mut body = group.body.clone();
    // Azure keeps this to itself for groups.
    if let Some(fields) = body.as_object_mut() {
        fields.remove("systemData");
    }
    body
}

/// The resource group that the path is in.
pub(crate) fn find(call: &Call<'_>) -> Answer<Resource> {
    call.resources().get(&id(call))?.ok_or_else(|| {
        let message = format!("Resource group '{}' could not be found.", call.segment(3));
        Refusal::new(404, "ResourceGroupNotFound", message).into()
    })
}

pub(crate) fn answer(call: &Call<'_>) -> Answer {
    match *call.method {
        Method::GET => Ok(Reply::ok(shown(&find(call)?))),
        Method::HEAD => Ok(match find(call) {
            Ok(_) => Reply::empty(204),
            Err(_) => Reply::empty(404),
        }),
        Method::PUT => put(call),
        Method::DELETE => {
            let Some(mut group) = call.resources().get(&id(call))? else {
                return find(call).map(|_| Reply::empty(204));
            };
            operations::check_idle(call, group.id())?;
            group.body["properties"]["provisioningState"] = json!("Deleting");
            call.resources().update(&group.body)?;
            let reply = Reply::empty(202);
            let takes = Duration::from_secs(2);
            operations::begin(
                call,
                reply,
                Service::ResourceManager,
                group.id(),
                &Effect::Removed,
                takes,
            )
        }
        _ => Err(call.wrong_method().into()),
    }
}

fn put(call: &Call<'_>) -> Answer {
    name_rules::check_resource_group(call.segment(3))?;
    let location = field::location(call.body)?;
    field::optional_words(call.body, "/tags")?;
    let id = id(call);
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    if let Some(existing) = &existing {
        operations::check_idle(call, existing.id())?;
        check_location(existing, location)?;
    }
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    if !body["properties"].is_object() {
        body["properties"] = json!({});
    }
    body["properties"]["provisioningState"] = json!("Succeeded");
    let group = call.resources().put("resourceGroups", body)?;
    Ok(Reply::stored(shown(&group), existing.is_none()).etag(&group))
}

/// What is somewhere stays there.
pub(crate) fn check_location(existing: &Resource, wanted: &str) -> Result<(), Refusal> {
    let location = existing.body["location"].as_str().unwrap_or_default();
    let plain = |location: &str| location.to_lowercase().replace(' ', "");
    if plain(location) == plain(wanted) {
        return Ok(());
    }
    let message = format!(
        "The resource '{}' already exists in location '{location}'. A resource with the same name cannot be created in location '{wanted}'.",
        existing.name()
    );
    Err(Refusal::new(409, "InvalidResourceLocation", message))
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    if call.method != Method::GET {
        return Err(call.wrong_method().into());
    }
    let groups = format!("/subscriptions/{}/resourceGroups", call.world.settings.subscription);
    pages::list(call, &groups, CREATED, |_| true, |group| Ok(shown(group)))
}

/// What stands in a group: workspaces and identities, by what all resources have in common.
pub(crate) fn resources(call: &Call<'_>) -> Answer {
    if call.method != Method::GET {
        return Err(call.wrong_method().into());
    }
    let group = find(call)?;
    let inside = format!("{}/providers/", group.id().to_lowercase());
    let mut found = call.resources().of_kind("workspaces", None)?;
    found.extend(call.resources().of_kind(super::identities::KIND, None)?);
    let value: Vec<Value> = found
        .iter()
        .filter(|resource| resource.id().to_lowercase().starts_with(&inside))
        .map(|resource| {
            let names = ["id", "name", "type", "location", "tags", "kind", "sku", "identity"];
            let known = names.iter().filter_map(|name| {
                let value = resource.body.get(*name)?;
                Some(((*name).to_owned(), value.clone()))
            });
            Value::Object(known.collect())
        })
        .collect();
    Ok(Reply::ok(json!({"value": value})))
}
