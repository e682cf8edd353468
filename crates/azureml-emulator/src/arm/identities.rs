use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    call::Call,
    field, name_rules, pages,
    reply::{Answer, Refusal, Reply},
    resource_groups,
};
use crate::store::Order;

/// How the state names user-assigned identities.
pub(crate) const KIND: &str = "userAssignedIdentities";
const TYPE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

pub(crate) fn answer(call: &Call<'_>, rest: &[&str]) -> Answer {
    let group = resource_groups::find(call)?;
    let collection = format!("{}/providers/{TYPE}", group.id());
    let id = format!("{collection}/{}", call.segment(7));
    match (call.method, rest) {
        (&Method::GET, []) => {
            let order = Order::Created { newest_first: false };
            pages::list(call, &collection, order, |_| true, |identity| Ok(identity.body.clone()))
        }
        (&Method::GET, [_]) => match call.resources().get(&id)? {
            Some(identity) => Ok(Reply::ok(identity.body.clone()).etag(&identity)),
            None => {
                let message = format!("The Resource '{TYPE}/{}' was not found.", call.segment(7));
                Err(Refusal::new(404, "ResourceNotFound", message).into())
            }
        },
        (&Method::PUT, [_]) => put(call, &id),
        (&Method::DELETE, [_]) => {
            let status = if call.resources().remove(&id)? { 200 } else { 204 };
            Ok(Reply::empty(status))
        }
        (_, [_]) => Err(call.wrong_method().into()),
        _ => Err(call.not_implemented().into()),
    }
}

fn put(call: &Call<'_>, id: &str) -> Answer {
    name_rules::check_identity(call.segment(7))?;
    let location = field::location(call.body)?;
    field::optional_words(call.body, "/tags")?;
    let existing = call.resources().get(id)?;
    call.check_etag(existing.as_ref())?;
    if let Some(existing) = &existing {
        resource_groups::check_location(existing, location)?;
    }
    let kept = |field: &str| {
        existing.as_ref().and_then(|existing| existing.body["properties"].get(field)).cloned()
    };
    let guid = |field: &str| kept(field).unwrap_or_else(|| json!(Uuid::new_v4()));
    let mut body = call.resource(id, TYPE, existing.as_ref());
    body["properties"] = json!({
        "clientId": guid("clientId"),
        "principalId": guid("principalId"),
        "tenantId": call.world.settings.tenant,
    });
    if body["tags"].is_null() {
        body["tags"] = Value::Object(serde_json::Map::new());
    }
    let identity = call.resources().put(KIND, body)?;
    Ok(Reply::stored(identity.body.clone(), existing.is_none()).etag(&identity))
}
