use std::time::Duration;

use axum::http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    call::Call,
    deployments, endpoints, field, name_rules,
    operations::{self, Service, begin},
    pages,
    reply::{Answer, Refusal, Reply},
    resource_groups,
    workspaces::Workspace,
};
use crate::{
    secrets::random_word,
    store::{Effect, Order, Resource},
};

const TYPE: &str = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints";
pub(crate) const KIND: &str = "onlineEndpoints";

/// How long a token for scoring holds, and when a client should ask for the next.
const TOKEN: i64 = 12 * 3600;

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, rest: &[&str]) -> Answer {
    let collection = format!("{}/{KIND}", workspace.id);
    match (call.method, rest) {
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: false };
            pages::list(call, &collection, order, |_| true, |endpoint| Ok(shown(call, endpoint)))
        }
        (&Method::GET, [name]) => {
            let endpoint = find(call, &collection, name)?;
            Ok(Reply::ok(shown(call, &endpoint)).etag(&endpoint))
        }
        (&Method::PUT, [_]) => put(call, &collection),
        (&Method::PATCH, [name]) => patch(call, find(call, &collection, name)?),
        (&Method::DELETE, [name]) => endpoints::delete(call, &collection, name),
        (&Method::POST, [name, "listkeys"]) => keys(call, &find(call, &collection, name)?),
        (&Method::POST, [name, "regeneratekeys"]) => {
            regenerate(call, &find(call, &collection, name)?)
        }
        (&Method::POST, [name, "token"]) => token(call, &find(call, &collection, name)?),
        (_, [name, "deployments", rest @ ..]) => {
            deployments::answer(call, workspace, &find(call, &collection, name)?, rest)
        }
        _ => Err(call.not_implemented().into()),
    }
}

fn find(call: &Call<'_>, collection: &str, name: &str) -> Answer<Resource> {
    endpoints::find(call, collection, name, "Online")
}

/// With the addresses by which this client reaches the endpoint.
fn shown(call: &Call<'_>, endpoint: &Resource) -> Value {
    let mut body = endpoint.body.clone();
    let location = body["location"].as_str().unwrap_or_default();
    let base = call.door.endpoint(location, endpoint.name());
    body["properties"]["scoringUri"] = json!(format!("{base}/score"));
    body["properties"]["swaggerUri"] = json!(format!("{base}/swagger.json"));
    body
}

/// Percentages by deployment: whole numbers, all of them or none.
///
/// What is to get any must be there.
fn check_traffic(call: &Call<'_>, id: &str, field: &str) -> Answer<()> {
    let body = call.body;
    let value = &body["properties"][field];
    if value.is_null() {
        return Ok(());
    }
    let Some(traffic) = value.as_object() else {
        return Err(Refusal::user_error(format!("{field} must be an object")).into());
    };
    let mut sum: u64 = 0;
    for (deployment, percent) in traffic {
        let percent = percent.as_u64().filter(|percent| *percent <= 100).ok_or_else(|| {
            Refusal::user_error(format!(
                "{field} of {deployment} is {percent}, and must be a whole number from 0 to 100"
            ))
        })?;
        sum += percent;
    }
    let is_allowed = if field == "traffic" { sum == 0 || sum == 100 } else { sum <= 50 };
    if !is_allowed {
        let rule = if field == "traffic" { "0 or 100" } else { "at most 50" };
        let message = format!("the sum of {field} is {sum}, and must be {rule}");
        return Err(Refusal::user_error(message).into());
    }
    for (name, _) in traffic.iter().filter(|(_, percent)| percent.as_u64() != Some(0)) {
        let deployment = call.resources().get(&format!("{id}/deployments/{name}"))?;
        let is_there = deployment
            .is_some_and(|found| found.body["properties"]["provisioningState"] != "Deleting");
        if !is_there {
            let message = format!("the endpoint has no deployment {name} that could get {field}");
            return Err(Refusal::user_error(message).into());
        }
    }
    Ok(())
}

fn put(call: &Call<'_>, collection: &str) -> Answer {
    let name = call.segment(9);
    let id = format!("{collection}/{name}");
    name_rules::check_endpoint(name)?;
    let location = field::location(call.body)?;
    field::is_object(call.body, "/properties")?;
    let mode = field::one_of(call.body, "/properties/authMode", &["Key", "AMLToken", "AADToken"])?;
    field::optional_object(call.body, "/identity")?;
    field::optional_words(call.body, "/tags")?;
    field::optional_words(call.body, "/properties/properties")?;
    check_traffic(call, &id, "traffic")?;
    check_traffic(call, &id, "mirrorTraffic")?;
    if field::optional_text(call.body, "/properties/compute")?.is_some() {
        return Err(Refusal::not_implemented("endpoints on a compute of one's own").into());
    }
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    operations::check_idle(call, &id)?;
    match &existing {
        Some(existing) => {
            resource_groups::check_location(existing, location)?;
            if existing.body["properties"]["authMode"] != mode {
                return Err(
                    Refusal::user_error("the authMode of an endpoint cannot be changed").into()
                );
            }
        }
        None => endpoints::check_is_free(call, name)?,
    }
    let mut body = call.resource(&id, TYPE, existing.as_ref());
    set_keys(call, &id, &mut body, existing.is_none())?;
    complete(call, &mut body, mode, existing.as_ref());
    let endpoint = call.resources().put(KIND, body)?;
    let reply = Reply::stored(shown(call, &endpoint), existing.is_none()).etag(&endpoint);
    begin(call, reply, Service::Assets, &id, &Effect::Provisioned, endpoints::TAKES)
}

/// Adds what the service says, and what it assumes.
fn complete(call: &Call<'_>, body: &mut Value, mode: &str, existing: Option<&Resource>) {
    let identity = &mut body["identity"];
    if !identity.is_object() {
        *identity = json!({"type": "SystemAssigned"});
    }
    if identity["type"].as_str().is_some_and(|kind| kind.contains("SystemAssigned")) {
        let kept = existing.and_then(|existing| existing.body.pointer("/identity/principalId"));
        identity["principalId"] = kept.cloned().unwrap_or_else(|| json!(Uuid::new_v4()));
        identity["tenantId"] = json!(call.world.settings.tenant);
    }
    let properties = &mut body["properties"];
    properties["authMode"] = json!(mode);
    properties["provisioningState"] =
        json!(if existing.is_none() { "Creating" } else { "Updating" });
    for name in ["properties", "traffic", "mirrorTraffic"] {
        if properties[name].is_null() {
            properties[name] = Value::Object(Map::new());
        }
    }
    if properties["publicNetworkAccess"].is_null() {
        properties["publicNetworkAccess"] = json!("Enabled");
    }
    if body["tags"].is_null() {
        body["tags"] = json!({});
    }
    if body["kind"].is_null() {
        body["kind"] = json!("Managed");
    }
}

/// Keeps the keys where no reply shows them: those that the client wants, or new ones.
fn set_keys(call: &Call<'_>, id: &str, body: &mut Value, is_new: bool) -> Answer<()> {
    let wanted = body["properties"].as_object_mut().and_then(|fields| fields.remove("keys"));
    for name in ["primaryKey", "secondaryKey"] {
        let wanted = wanted.as_ref().and_then(|keys| keys[name].as_str());
        match wanted {
            Some(key) if !key.is_empty() => call.resources().set_secret(id, name, key)?,
            _ if is_new => call.resources().set_secret(id, name, &random_word()?)?,
            _ => {}
        }
    }
    Ok(())
}

/// Changes tags and identity. Traffic cannot be changed this way, in Azure neither.
fn patch(call: &Call<'_>, mut endpoint: Resource) -> Answer {
    call.check_etag(Some(&endpoint))?;
    operations::check_idle(call, endpoint.id())?;
    field::optional_words(call.body, "/tags")?;
    if !call.body["properties"].is_null() {
        let message =
            "PATCH changes tags and identity: put the endpoint whole to change its properties";
        return Err(Refusal::user_error(message).into());
    }
    if let Some(tags) = call.body["tags"].as_object() {
        for (name, value) in tags {
            endpoint.body["tags"][name] = value.clone();
        }
    }
    if call.body["identity"].is_object() {
        endpoint.body["identity"] = call.body["identity"].clone();
    }
    let mode = endpoint.body["properties"]["authMode"].as_str().unwrap_or_default().to_owned();
    let mut body = endpoint.body.clone();
    body["systemData"] = call.system_data(Some(&endpoint));
    complete(call, &mut body, &mode, Some(&endpoint));
    let endpoint = call.resources().update(&body)?;
    let reply = Reply::ok(shown(call, &endpoint)).etag(&endpoint);
    begin(call, reply, Service::Assets, endpoint.id(), &Effect::Provisioned, endpoints::TAKES)
}

fn check_mode(endpoint: &Resource, wanted: &str, what: &str) -> Result<(), Refusal> {
    let mode = endpoint.body["properties"]["authMode"].as_str().unwrap_or_default();
    if mode == wanted {
        return Ok(());
    }
    Err(Refusal::user_error(format!("an endpoint whose authMode is {mode} has no {what}")))
}

fn keys(call: &Call<'_>, endpoint: &Resource) -> Answer {
    check_mode(endpoint, "Key", "keys")?;
    let key = |name| call.resources().secret(endpoint.id(), name);
    Ok(Reply::ok(json!({"primaryKey": key("primaryKey")?, "secondaryKey": key("secondaryKey")?})))
}

fn regenerate(call: &Call<'_>, endpoint: &Resource) -> Answer {
    check_mode(endpoint, "Key", "keys")?;
    let kind = field::one_of(call.body, "/keyType", &["Primary", "Secondary"])?;
    operations::check_idle(call, endpoint.id())?;
    // A value is what the key is set to, even if it is the one that it has: the SDK sends that one.
    let value = field::optional_text(call.body, "/keyValue")?.filter(|value| !value.is_empty());
    let value = match value {
        Some(value) => value.to_owned(),
        None => random_word()?,
    };
    let name = if kind == "Primary" { "primaryKey" } else { "secondaryKey" };
    let effect = Effect::Key { name: name.to_owned(), value };
    begin(call, Reply::empty(202), Service::Assets, endpoint.id(), &effect, Duration::from_secs(1))
}

fn token(call: &Call<'_>, endpoint: &Resource) -> Answer {
    check_mode(endpoint, "AMLToken", "token of its own")?;
    let audience = endpoint.id().to_lowercase();
    let claims = call.claims;
    let token = call.world.tokens.issue(&audience, &claims.appid, &claims.oid, call.now, TOKEN);
    Ok(Reply::ok(json!({
        "accessToken": token,
        "tokenType": "Bearer",
        "expiryTimeUtc": call.now.seconds() + TOKEN,
        "refreshAfterTimeUtc": call.now.seconds() + TOKEN / 2,
    })))
}
