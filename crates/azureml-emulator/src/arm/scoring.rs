use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode, header},
};
use serde_json::json;

use crate::{
    front::{broken, json_response},
    secrets::are_equal,
    store::Resources,
    world::World,
};

/// Answers at the front door of an online endpoint: who has its key is told that it has no deployment.
pub(crate) fn invoke(
    world: &World,
    location: &str,
    name: &str,
    headers: &HeaderMap,
) -> Response<Body> {
    let refuse = |status: StatusCode, code: &str, message: &str| {
        json_response(status, &json!({"error": {"code": code, "message": message}}))
    };
    let found = world.store.transaction(|connection| {
        let resources = Resources(connection);
        let endpoint = resources.of_kind(super::online_endpoints::KIND, Some(name))?.pop();
        let Some(endpoint) = endpoint.filter(|endpoint| endpoint.body["location"] == location)
        else {
            return Ok(None);
        };
        let keys = ["primaryKey", "secondaryKey"].map(|key| resources.secret(endpoint.id(), key));
        let [primary, secondary] = keys;
        Ok::<_, rusqlite::Error>(Some((endpoint, [primary?, secondary?])))
    });
    let (endpoint, keys) = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            return refuse(StatusCode::NOT_FOUND, "NotFound", "there is no such endpoint");
        }
        Err(error) => {
            tracing::error!(%error, "no answer");
            return broken();
        }
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
    let is_allowed =
        given.is_some_and(|given| match endpoint.body["properties"]["authMode"].as_str() {
            Some("Key") => keys.iter().flatten().any(|key| are_equal(key, given)),
            mode => world.tokens.check(given, world.clock.now()).is_some_and(|claims| {
                let audience = match mode {
                    Some("AMLToken") => endpoint.id().to_lowercase(),
                    _ => "https://ml.azure.com".to_owned(),
                };
                claims.aud == audience
            }),
        });
    if !is_allowed {
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized", "the key or token is wrong");
    }
    let message = "the endpoint has no deployment with traffic";
    refuse(StatusCode::NOT_FOUND, "NoDeployment", message)
}
