use axum::{
    body::Body,
    http::{HeaderMap, Method, Response, StatusCode},
};
use serde_json::{Value, json};

use crate::{
    front::json_response, moment::Moment, secrets::are_equal, store::Resources, world::World,
};

/// How long tokens of managed identities hold: a day.
const LIFETIME: i64 = 86_400;

/// Answers as the token services of machines do: `/msi/token` with the header `secret` as on Azure ML's computes, or with
/// `X-IDENTITY-HEADER` as in App Service; and the metadata service of virtual machines, whose path here holds the secret, because
/// its requests bring none and every program of this machine could send them.
pub(crate) fn answer(
    world: &World,
    method: &Method,
    path: &[String],
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (secret, client_field) = match path.as_slice() {
        ["msi", "token"] => match header("secret") {
            Some(secret) => (Some(secret), "clientid"),
            None => (header("x-identity-header"), "client_id"),
        },
        ["imds", secret, "metadata", "identity", "oauth2", "token"] => {
            // What makes a request one that no web page can have a browser send.
            let is_meant =
                header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true"));
            (is_meant.then_some(*secret), "client_id")
        }
        _ => return None,
    };
    if method != Method::GET {
        return Some(refuse(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "GET only"));
    }
    if !secret.is_some_and(|secret| are_equal(secret, &world.secrets.identity_secret)) {
        let text = "the secret is missing or wrong, or the header Metadata is";
        return Some(refuse(StatusCode::UNAUTHORIZED, "unauthorized", text));
    }
    let field =
        |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let Some(resource) = field("resource").filter(|resource| !resource.is_empty()) else {
        let text = "the query has no resource";
        return Some(refuse(StatusCode::BAD_REQUEST, "invalid_resource", text));
    };
    let client = field(client_field).filter(|client| !client.is_empty());
    let Some((client, principal)) = identity(world, client) else {
        return Some(refuse(StatusCode::BAD_REQUEST, "invalid_request", "Identity not found"));
    };
    let now: Moment = world.clock.now();
    let token = world.tokens.issue(resource, &client, &principal, now, LIFETIME);
    let body = json!({
        "access_token": token,
        "refresh_token": "",
        "expires_in": LIFETIME.to_string(),
        "expires_on": (now.seconds() + LIFETIME).to_string(),
        "not_before": now.seconds().to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": client,
    });
    Some(json_response(StatusCode::OK, &body))
}

/// The client and principal ids of an identity: the machine's own, or one that was made before.
fn identity(world: &World, client: Option<&str>) -> Option<(String, String)> {
    let own = &world.settings.client;
    let Some(client) = client.filter(|client| *client != own) else {
        return Some((own.clone(), own.clone()));
    };
    let known = world.store.transaction(|connection| {
        Resources(connection).of_kind(crate::arm::USER_ASSIGNED_IDENTITIES, None)
    });
    let known = known.unwrap_or_default();
    let found = known
        .iter()
        .find(|identity| identity.body["properties"]["clientId"].as_str() == Some(client))?;
    let principal = found.body["properties"]["principalId"].as_str().unwrap_or_default();
    Some((client.to_owned(), principal.to_owned()))
}

fn refuse(status: StatusCode, error: &str, text: &str) -> Response<Body> {
    let body: Value = json!({"error": error, "error_description": text});
    json_response(status, &body)
}
