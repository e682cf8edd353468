//! Azure Resource Manager: every request is one transaction on the state.

mod asset_reference;
mod asset_rules;
mod assets;
mod batch_deployment_rules;
mod batch_deployments;
mod batch_endpoints;
mod call;
pub(crate) mod clusters;
mod codes;
mod compute_rules;
mod computes;
mod datastores;
mod deployment_rules;
mod deployment_spec;
mod deployments;
mod endpoints;
mod field;
pub(crate) mod future;
mod identities;
pub(crate) mod instances;
pub(crate) mod iso_duration;
mod jobs;
mod name_rules;
mod online_endpoints;
mod operations;
mod pages;
mod plane;
mod providers;
mod registration;
mod reply;
mod resource_groups;
mod roles;
mod router;
mod vm_sizes;
mod workspaces;

use axum::{
    body::Body,
    http::{HeaderValue, Response, header, request::Parts},
};
use serde_json::Value;
use uuid::Uuid;

use self::call::Call;
pub(crate) use self::{
    batch_endpoints::KIND as BATCH_ENDPOINTS,
    deployments::COLLECTION as DEPLOYMENTS,
    future::settle,
    identities::KIND as USER_ASSIGNED_IDENTITIES,
    name_rules::is_workspace_name,
    online_endpoints::KIND as ONLINE_ENDPOINTS,
    plane::{LEARNING_AUDIENCES, Plane},
    registration::register,
    reply::{Answer, Failure, Refusal},
    vm_sizes::quota_reached,
};
use crate::{door::Door, front::query, moment::Moment, token::Claims, world::World};

/// Makes what a new state begins with, and lets happen what was due while nothing ran.
pub(crate) fn prepare(world: &World) -> crate::Result<()> {
    let now = world.clock.now();
    world.store.transaction(|connection| {
        future::settle(world, connection, now)?;
        workspaces::prepare(world, connection, now)
    })
}

/// Answers one request.
pub(crate) fn answer(
    world: &World,
    door: Door,
    parts: &Parts,
    path: &[String],
    body: &[u8],
) -> Response<Body> {
    answer_on(Plane::Management, world, door, parts, path, body)
}

/// Answers one request that came by one way or the other.
pub(crate) fn answer_on(
    plane: Plane,
    world: &World,
    door: Door,
    parts: &Parts,
    path: &[String],
    body: &[u8],
) -> Response<Body> {
    let now = world.clock.now();
    let mut response = try_answer(plane, world, door, parts, path, body, now)
        .unwrap_or_else(|failure| failure.into_response(parts));
    tracing::debug!(method = %parts.method, uri = %parts.uri, status = %response.status(), "answered");
    let id = Uuid::new_v4().to_string();
    for name in ["x-ms-request-id", "x-ms-correlation-request-id"] {
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(name, id);
        }
    }
    if let Some(id) = parts.headers.get("x-ms-client-request-id") {
        response.headers_mut().insert("x-ms-client-request-id", id.clone());
    }
    response
}

fn try_answer(
    plane: Plane,
    world: &World,
    door: Door,
    parts: &Parts,
    path: &[String],
    body: &[u8],
    now: Moment,
) -> Answer<Response<Body>> {
    let claims = match plane.claims(world, door, parts, now) {
        Ok(claims) => claims,
        Err(refusal) => {
            let mut response = refusal.into_response();
            let challenge = format!(
                "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\"",
                door.login(),
                world.settings.tenant
            );
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            return Ok(response);
        }
    };
    let query = query(&parts.uri);
    if plane == Plane::Management
        && !query.iter().any(|(name, value)| name == "api-version" && !value.is_empty())
    {
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Refusal::new(400, "MissingApiVersionParameter", message).into());
    }
    let body: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).map_err(|error| {
            let message = format!(
                "The request content was invalid and could not be deserialized: '{error}'."
            );
            Refusal::new(400, "InvalidRequestContent", message)
        })?
    };
    let lower: Vec<String> = path.iter().map(|segment| segment.to_lowercase()).collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    // On its own, so that what has happened stays so if the request is refused.
    if world.store.transaction(|connection| future::settle(world, connection, now))? {
        world.wake();
    }
    world.store.transaction(|connection| {
        let call = Call {
            world,
            connection,
            plane,
            door,
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            path,
            words: &words,
            query: &query,
            body: &body,
            claims: &claims,
            now,
        };
        router::route(&call).map(reply::Reply::into_response)
    })
}

/// Who asks, by a token of ours that was issued for this service.
pub(crate) fn claims(
    world: &World,
    door: Door,
    parts: &Parts,
    now: Moment,
) -> Result<Claims, Refusal> {
    authenticate(world, parts, now, |audience| audiences(door).iter().any(|ours| ours == audience))
}

/// Whom tokens for Azure Resource Manager are issued for.
pub(crate) fn audiences(door: Door) -> [String; 3] {
    let azure = ["https://management.azure.com", "https://management.core.windows.net"];
    let [management, core] = azure.map(str::to_owned);
    [management, core, door.resource_manager()]
}

/// Who asks, by a token of ours that was issued for the audience of a service.
pub(crate) fn authenticate(
    world: &World,
    parts: &Parts,
    now: Moment,
    is_audience: impl Fn(&str) -> bool,
) -> Result<Claims, Refusal> {
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let token = authorization.and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let Some(token) = token else {
        let message = "Authentication failed. The 'Authorization' header is missing.";
        return Err(Refusal::new(401, "AuthenticationFailed", message));
    };
    let Some(claims) = world.tokens.check(token, now) else {
        let message =
            "The access token is invalid: this emulator did not issue it, or it has expired.";
        return Err(Refusal::new(401, "InvalidAuthenticationToken", message));
    };
    if !is_audience(&claims.aud) {
        let message = format!(
            "The access token has been obtained for wrong audience or resource '{}', which is not this service's.",
            claims.aud
        );
        return Err(Refusal::new(401, "InvalidAuthenticationTokenAudience", message));
    }
    Ok(claims)
}
