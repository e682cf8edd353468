//! Who may do what: whoever holds a token may do everything, and assignments are kept as they are made.

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    call::Call,
    field,
    reply::{Answer, Refusal, Reply},
};
use crate::store::Resource;

const TYPE: &str = "Microsoft.Authorization/roleAssignments";
const KIND: &str = "roleAssignments";

/// Answers for what is behind `providers/Microsoft.Authorization`, which stands at a place of the path, behind any scope.
pub(crate) fn answer(call: &Call<'_>, place: usize, rest: &[&str]) -> Answer {
    let scope: String = call.path.iter().take(place).map(|segment| format!("/{segment}")).collect();
    match (call.method, rest) {
        (&Method::GET, ["permissions"]) => Ok(Reply::ok(json!({"value": [{
            "actions": ["*"],
            "notActions": [],
            "dataActions": ["*"],
            "notDataActions": [],
        }]}))),
        (_, ["roleassignments", rest @ ..]) => assignments(call, &scope, rest),
        _ => Err(call.not_implemented().into()),
    }
}

fn assignments(call: &Call<'_>, scope: &str, rest: &[&str]) -> Answer {
    let id = |name: &str| format!("{scope}/providers/{TYPE}/{name}");
    match (call.method, rest) {
        (&Method::GET, []) => {
            // Those of the scope and of what is in it, of one principal if the filter says so.
            let inside = scope.to_lowercase();
            let principal = call.parameter("$filter").map(principal).transpose()?;
            let is_wanted = |assignment: &Resource| {
                let properties = &assignment.body["properties"];
                let scope = properties["scope"].as_str().unwrap_or_default().to_lowercase();
                let is_inside = scope
                    .strip_prefix(&inside)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                is_inside
                    && principal
                        .is_none_or(|wanted| properties["principalId"].as_str() == Some(wanted))
            };
            let all = call.resources().of_kind(KIND, None)?;
            let value: Vec<Value> =
                all.into_iter().filter(is_wanted).map(|assignment| assignment.body).collect();
            Ok(Reply::ok(json!({"value": value})))
        }
        (&Method::GET, [name]) => match call.resources().get(&id(name))? {
            Some(assignment) => Ok(Reply::ok(assignment.body)),
            None => {
                let message = format!("The role assignment '{name}' is not found.");
                Err(Refusal::new(404, "RoleAssignmentNotFound", message).into())
            }
        },
        (&Method::PUT, [name]) => put(call, scope, &id(name), name),
        (&Method::DELETE, [name]) => {
            let id = id(name);
            let existing = call.resources().get(&id)?;
            call.resources().remove(&id)?;
            Ok(existing.map_or(Reply::empty(204), |assignment| Reply::ok(assignment.body)))
        }
        _ => Err(call.wrong_method().into()),
    }
}

fn principal(filter: &str) -> Result<&str, Refusal> {
    let parts: Vec<&str> = filter.split('\'').collect();
    match parts.as_slice() {
        [before, principal, ""]
            if before.replace(' ', "").eq_ignore_ascii_case("principalIdeq") =>
        {
            Ok(principal)
        }
        _ => Err(Refusal::not_implemented(format!("the filter {filter:?}"))),
    }
}

fn put(call: &Call<'_>, scope: &str, id: &str, name: &str) -> Answer {
    if Uuid::parse_str(name).is_err() {
        let message = format!(
            "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
        );
        return Err(Refusal::new(400, "InvalidRoleAssignmentId", message).into());
    }
    let role = field::text(call.body, "/properties/roleDefinitionId")?;
    let principal = field::text(call.body, "/properties/principalId")?;
    let definition = role.rsplit('/').next().unwrap_or_default();
    let is_same = |assignment: &Resource| {
        let text = |field: &str| {
            assignment.body["properties"][field].as_str().unwrap_or_default().to_lowercase()
        };
        text("scope") == scope.to_lowercase()
            && text("principalId") == principal.to_lowercase()
            && text("roleDefinitionId").ends_with(&definition.to_lowercase())
    };
    let all = call.resources().of_kind(KIND, None)?;
    let same = all.iter().find(|assignment| is_same(assignment));
    let existing = call.resources().get(id)?;
    match (same, &existing) {
        // The same once more is no change.
        (Some(same), Some(existing)) if same.sequence == existing.sequence => {
            return Ok(Reply::ok(existing.body.clone()));
        }
        (Some(_), _) => {
            let message = "The role assignment already exists.";
            return Err(Refusal::new(409, "RoleAssignmentExists", message).into());
        }
        (None, Some(_)) => {
            let message =
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
            return Err(Refusal::new(400, "RoleAssignmentUpdateNotPermitted", message).into());
        }
        (None, None) => {}
    }
    let mut body = call.resource(id, TYPE, None);
    body["properties"]["scope"] = json!(scope);
    body["properties"]["createdOn"] = json!(call.now.to_string());
    let assignment = call.resources().put(KIND, body)?;
    Ok(Reply::created(assignment.body))
}
