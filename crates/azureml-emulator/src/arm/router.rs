use axum::http::Method;

use super::{
    assets, batch_endpoints,
    call::Call,
    codes, computes, datastores, identities, jobs, online_endpoints, operations,
    plane::{self, Plane},
    providers,
    reply::{Answer, Refusal, Reply},
    resource_groups, roles, vm_sizes, workspaces,
};
use serde_json::json;

const LEARNING: &str = "microsoft.machinelearningservices";
const IDENTITY: &str = "microsoft.managedidentity";

/// Finds who answers for a path. Paths are compared without case; what Azure has there and the emulator has not is refused as such.
pub(crate) fn route(call: &Call<'_>) -> Answer {
    check_path(call)?;
    if call.plane == Plane::Learning && !plane::is_about_batch_jobs(call.words) {
        return Err(call.not_implemented().into());
    }
    // Roles and permissions may be asked for behind any id.
    let words = call.words;
    if let Some(place) = words.iter().rposition(|word| *word == "microsoft.authorization")
        && place >= 1
        && words[place - 1] == "providers"
    {
        check_subscription(call)?;
        return roles::answer(call, place - 1, &words[place + 1..]);
    }
    match words {
        ["subscriptions"] => match *call.method {
            Method::GET => Ok(Reply::ok(json!({"value": [resource_groups::subscription(call)]}))),
            _ => Err(call.wrong_method().into()),
        },
        ["subscriptions", _, rest @ ..] => {
            check_subscription(call)?;
            below_subscription(call, rest)
        }
        _ => Err(call.not_implemented().into()),
    }
}

fn below_subscription(call: &Call<'_>, rest: &[&str]) -> Answer {
    match rest {
        [] => match *call.method {
            Method::GET => Ok(Reply::ok(resource_groups::subscription(call))),
            _ => Err(call.wrong_method().into()),
        },
        ["operationresults", id] => operations::answer(call, "operationresults", id),
        ["resourcegroups"] => resource_groups::list(call),
        ["resourcegroups", _] => resource_groups::answer(call),
        ["resourcegroups", _, "resources"] => resource_groups::resources(call),
        ["resourcegroups", _, "providers", LEARNING, "workspaces", rest @ ..] => {
            below_workspaces(call, rest)
        }
        ["resourcegroups", _, "providers", IDENTITY, "userassignedidentities", rest @ ..] => {
            identities::answer(call, rest)
        }
        ["providers", rest @ ..] => match rest {
            [LEARNING, "workspaces"] => workspaces::list_all(call),
            [LEARNING, "locations", location, "vmsizes"] => vm_sizes::sizes(call, location),
            [LEARNING, "locations", location, "usages"] => vm_sizes::usages(call, location),
            [LEARNING, "locations", _, what, id] => operations::answer(call, what, id),
            [] | [_] | [_, "register"] => providers::answer(call, rest),
            _ => Err(call.not_implemented().into()),
        },
        _ => Err(call.not_implemented().into()),
    }
}

fn below_workspaces(call: &Call<'_>, rest: &[&str]) -> Answer {
    let rest = match rest {
        [] => return workspaces::list(call),
        [_] => return workspaces::answer(call),
        [_, rest @ ..] => rest,
    };
    let workspace = workspaces::find(call)?;
    match rest {
        ["computes", rest @ ..] => computes::answer(call, &workspace, rest),
        ["datastores", rest @ ..] => datastores::answer(call, &workspace, rest),
        ["codes", rest @ ..] => codes::answer(call, &workspace, rest),
        [kind @ ("data" | "models" | "environments" | "components"), rest @ ..] => {
            assets::answer(call, &workspace, kind, rest)
        }
        ["onlineendpoints", rest @ ..] => online_endpoints::answer(call, &workspace, rest),
        ["batchendpoints", rest @ ..] => batch_endpoints::answer(call, &workspace, rest),
        ["jobs", rest @ ..] => jobs::answer(call, &workspace, rest),
        _ => Err(call.not_implemented().into()),
    }
}

/// No part of an id may pretend to be several.
fn check_path(call: &Call<'_>) -> Answer<()> {
    let is_strange =
        |part: &String| part.contains(['/', '\\']) || part.chars().any(char::is_control);
    if call.path.iter().any(is_strange) {
        let message = "a part of the path has a slash or a control character";
        return Err(Refusal::new(400, "InvalidResourceName", message).into());
    }
    Ok(())
}

fn check_subscription(call: &Call<'_>) -> Answer<()> {
    let id = call.segment(1);
    if call.words.first() == Some(&"subscriptions")
        && !id.eq_ignore_ascii_case(&call.world.settings.subscription)
    {
        let message = format!("The subscription '{id}' could not be found.");
        return Err(Refusal::new(404, "SubscriptionNotFound", message).into());
    }
    Ok(())
}
