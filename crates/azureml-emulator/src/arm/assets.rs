//! Data, models, environments and components: containers with versions.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{
    asset_rules::{check_common, check_kind, check_unchanged},
    call::Call,
    field, name_rules, pages,
    reply::{Answer, Refusal, Reply},
    workspaces::Workspace,
};
use crate::store::{Order, Resource, Resources};

/// A container of versions in a workspace.
pub(crate) struct Container<'a> {
    /// `data`, `models`, `environments`, `components` or `codes`.
    pub(crate) kind: &'a str,
    pub(crate) id: String,
    name: &'a str,
}

impl<'a> Container<'a> {
    pub(crate) fn new(call: &'a Call<'_>, workspace: &Workspace, kind: &'a str) -> Self {
        Self::named(&workspace.id, kind, call.segment(9))
    }

    pub(super) fn named(workspace_id: &str, kind: &'a str, name: &'a str) -> Self {
        Self { kind, id: format!("{workspace_id}/{kind}/{name}"), name }
    }

    pub(super) fn version_type(&self) -> String {
        format!("{}/versions", self.container_type())
    }

    fn container_type(&self) -> String {
        format!("Microsoft.MachineLearningServices/workspaces/{}", self.kind)
    }

    pub(super) fn versions(&self) -> String {
        format!("{}/versions", self.id)
    }

    fn version_kind(&self) -> String {
        format!("{}/versions", self.kind)
    }

    fn missing(&self) -> Refusal {
        Refusal::not_found(format!("{} container {} not found", self.kind, self.name))
    }
}

pub(crate) fn answer(call: &Call<'_>, workspace: &Workspace, kind: &str, rest: &[&str]) -> Answer {
    let container = Container::new(call, workspace, kind);
    match (call.method, rest) {
        (&Method::GET, []) => {
            let collection = format!("{}/{kind}", workspace.id);
            let order = Order::Created { newest_first: false };
            let is_wanted = view(call)?;
            pages::list(call, &collection, order, is_wanted, |container| {
                with_versions(call, container)
            })
        }
        (&Method::GET, [_]) => {
            let found = call.resources().get(&container.id)?.ok_or_else(|| container.missing())?;
            Ok(Reply::ok(with_versions(call, &found)?).etag(&found))
        }
        (&Method::PUT, [_]) => put_container(call, &container),
        (&Method::DELETE, [_] | [_, "versions", _]) => delete(call, &container, rest),
        (&Method::GET, [_, "versions"]) => list(call, &container),
        (&Method::GET, [_, "versions", version]) => get(call, &container, version),
        (&Method::PUT, [_, "versions", _]) => put(call, &container),
        _ => Err(call.not_implemented().into()),
    }
}

/// A container, with what its versions say: the last that was created, and the next number.
fn with_versions(call: &Call<'_>, container: &Resource) -> Answer<Value> {
    let mut body = container.body.clone();
    let versions = format!("{}/versions", container.id());
    let latest = call.resources().newest_name(&versions)?;
    let highest = call.resources().highest_number(&versions)?;
    body["properties"]["latestVersion"] = json!(latest);
    body["properties"]["nextVersion"] = json!((highest + 1).to_string());
    Ok(body)
}

/// Which resources a list shows: `ActiveOnly` unless asked otherwise.
pub(super) fn view(call: &Call<'_>) -> Answer<impl Fn(&Resource) -> bool + use<>> {
    let wanted = match call.parameter("listviewtype").map(str::to_lowercase).as_deref() {
        None | Some("" | "activeonly") => Some(false),
        Some("archivedonly") => Some(true),
        Some("all") => None,
        Some(other) => {
            let message =
                format!("listViewType is {other:?}, and must be ActiveOnly, ArchivedOnly or All");
            return Err(Refusal::user_error(message).into());
        }
    };
    Ok(move |resource: &Resource| {
        let is_archived = resource.body["properties"]["isArchived"] == true;
        wanted.is_none_or(|wanted| wanted == is_archived)
    })
}

/// Whether tags are as a parameter says: `name` or `name=value`, all that are separated by commas.
pub(super) fn has_words(tags: &Value, wanted: &str) -> bool {
    wanted.split(',').filter(|tag| !tag.is_empty()).all(|tag| match tag.split_once('=') {
        Some((name, value)) => tags[name].as_str() == Some(value),
        None => !tags[tag].is_null(),
    })
}

fn list(call: &Call<'_>, container: &Container<'_>) -> Answer {
    if call.resources().get(&container.id)?.is_none() {
        return Err(container.missing().into());
    }
    let words = call.parameter("$orderby").unwrap_or("createdtime desc").to_lowercase();
    let order = match words.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["createdtime" | "createdat" | "version", "desc"] => Order::Created { newest_first: true },
        ["createdtime" | "createdat" | "version"]
        | ["createdtime" | "createdat" | "version", "asc"] => {
            Order::Created { newest_first: false }
        }
        ["updatedtime" | "lastmodifiedtime", "desc"] => Order::Changed { newest_first: true },
        ["updatedtime" | "lastmodifiedtime"] | ["updatedtime" | "lastmodifiedtime", "asc"] => {
            Order::Changed { newest_first: false }
        }
        _ => {
            let message = format!(
                "$orderBy is {words:?}, and must be createdtime or updatedtime, asc or desc"
            );
            return Err(Refusal::user_error(message).into());
        }
    };
    let is_in_view = view(call)?;
    let tags = call.parameter("tags").unwrap_or_default();
    let version = call.parameter("version").filter(|version| !version.is_empty());
    let is_wanted = |resource: &Resource| {
        is_in_view(resource)
            && has_words(&resource.body["properties"]["tags"], tags)
            && version.is_none_or(|version| version == resource.name())
    };
    pages::list(call, &container.versions(), order, is_wanted, |version| Ok(version.body.clone()))
}

pub(crate) fn get(call: &Call<'_>, container: &Container<'_>, version: &str) -> Answer {
    let found = call.resources().get(&format!("{}/{version}", container.versions()))?;
    match found {
        Some(found) => Ok(Reply::ok(found.body.clone()).etag(&found)),
        None => {
            let message = format!("{} {}:{version} not found", container.kind, container.name);
            Err(Refusal::not_found(message).into())
        }
    }
}

fn put_container(call: &Call<'_>, container: &Container<'_>) -> Answer {
    name_rules::check_asset(container.name)?;
    field::is_object(call.body, "/properties")?;
    check_common(call.body)?;
    let existing = call.resources().get(&container.id)?;
    call.check_etag(existing.as_ref())?;
    let mut body = call.resource(&container.id, &container.container_type(), existing.as_ref());
    if let Some(properties) = body["properties"].as_object_mut() {
        // What the service counts itself.
        properties.remove("latestVersion");
        properties.remove("nextVersion");
    }
    complete(container.kind, &mut body["properties"]);
    let stored = call.resources().put(container.kind, body)?;
    let shown = with_versions(call, &stored)?;
    Ok(Reply::stored(shown, existing.is_none()).etag(&stored))
}

/// Adds what every asset has.
fn complete(kind: &str, properties: &mut Value) {
    for (name, value) in
        [("tags", json!({})), ("properties", json!({})), ("isArchived", json!(false))]
    {
        if properties[name].is_null() {
            properties[name] = value;
        }
    }
    if properties.get("description").is_none() {
        properties["description"] = Value::Null;
    }
    // Data is there or not, and has no such state.
    if kind != "data" {
        properties["provisioningState"] = json!("Succeeded");
    }
}

/// Registers a version, or changes what may be changed of one: everything but what it is.
pub(crate) fn put(call: &Call<'_>, container: &Container<'_>) -> Answer {
    name_rules::check_asset(container.name)?;
    name_rules::check_asset(call.segment(11))?;
    field::is_object(call.body, "/properties")?;
    check_common(call.body)?;
    check_kind(container.kind, call.body)?;
    let id = format!("{}/{}", container.versions(), call.segment(11));
    let existing = call.resources().get(&id)?;
    call.check_etag(existing.as_ref())?;
    if let Some(existing) = &existing {
        check_unchanged(container.kind, &existing.body, call.body)?;
    }
    let body = call.resource(&id, &container.version_type(), existing.as_ref());
    let stored = store_version(call.resources(), container, body)?;
    Ok(Reply::stored(stored.body.clone(), existing.is_none()).etag(&stored))
}

/// Writes a version with what it does not say itself, and the container that the first one brings along.
pub(super) fn store_version(
    resources: Resources<'_>,
    container: &Container<'_>,
    mut version: Value,
) -> Answer<Resource> {
    let properties = &mut version["properties"];
    complete(container.kind, properties);
    if properties["isAnonymous"].is_null() {
        properties["isAnonymous"] = json!(false);
    }
    let assumed: &[(&str, Value)] = match container.kind {
        // The SDK cannot read a model without flavors.
        "models" => &[
            ("flavors", json!({})),
            ("stage", Value::Null),
            ("jobName", Value::Null),
            ("modelType", json!("custom_model")),
        ],
        "environments" => &[("environmentType", json!("UserCreated")), ("osType", json!("Linux"))],
        _ => &[],
    };
    for (name, value) in assumed {
        if properties[*name].is_null() {
            properties[*name] = value.clone();
        }
    }
    if resources.get(&container.id)?.is_none() {
        make_container(resources, container, &version)?;
    }
    Ok(resources.put(&container.version_kind(), version)?)
}

fn make_container(
    resources: Resources<'_>,
    container: &Container<'_>,
    version: &Value,
) -> Answer<()> {
    let mut properties = Map::new();
    if let Some(kind) = version["properties"].get("dataType") {
        properties.insert("dataType".to_owned(), kind.clone());
    }
    let mut properties = Value::Object(properties);
    complete(container.kind, &mut properties);
    let body = json!({
        "id": container.id,
        "name": container.name,
        "type": container.container_type(),
        "systemData": version["systemData"],
        "properties": properties,
    });
    resources.put(container.kind, body)?;
    Ok(())
}

fn delete(call: &Call<'_>, container: &Container<'_>, rest: &[&str]) -> Answer {
    let id = match rest {
        [_, "versions", version] => format!("{}/{version}", container.versions()),
        _ => container.id.clone(),
    };
    let status = if call.resources().remove(&id)? { 200 } else { 204 };
    Ok(Reply::empty(status))
}
