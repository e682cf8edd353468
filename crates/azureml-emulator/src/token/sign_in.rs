use axum::{
    body::Body,
    http::{Method, Response, StatusCode},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{door::Door, front::json_response, secrets::are_equal, world::World};

/// How long tokens hold that are got with a client secret: an hour, less a second, as the service says it.
const LIFETIME: i64 = 3599;

/// Answers as the Microsoft identity platform does, for an application with a secret. Anything else is refused with its error codes.
pub(crate) fn answer(
    world: &World,
    door: Door,
    method: &Method,
    path: &[String],
    form: &[(String, String)],
) -> Option<Response<Body>> {
    let lower: Vec<String> = path.iter().map(|segment| segment.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (method, lower.as_slice()) {
        (&Method::GET, [tenant, rest @ ..])
            if rest == ["v2.0", ".well-known", "openid-configuration"]
                || rest == [".well-known", "openid-configuration"] =>
        {
            Some(json_response(StatusCode::OK, &configuration(world, door, tenant)))
        }
        (&Method::GET, ["common", "discovery", "instance"]) => {
            let tenants = format!("{}/common/v2.0/.well-known/openid-configuration", door.login());
            let host = door.login().trim_start_matches("https://").to_owned();
            let known = json!({
                "tenant_discovery_endpoint": tenants,
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            });
            Some(json_response(StatusCode::OK, &known))
        }
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => {
            let (status, answer) = token(world, tenant, form);
            Some(json_response(status, &answer))
        }
        _ => None,
    }
}

fn configuration(world: &World, door: Door, tenant: &str) -> Value {
    // The SDK asks for tenants that have no id by these words.
    let tenant = match tenant {
        "common" | "organizations" => &world.settings.tenant,
        tenant => tenant,
    };
    let base = format!("{}/{tenant}", door.login());
    json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "issuer": format!("{base}/v2.0"),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
    })
}

fn token(world: &World, tenant: &str, form: &[(String, String)]) -> (StatusCode, Value) {
    let field = |name: &str| {
        form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    };
    let now = world.clock.now();
    let refuse = |status: u16, error: &str, code: u32, text: &str| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {text}"),
            "error_codes": [code],
            "timestamp": now.to_string(),
            "trace_id": Uuid::new_v4(),
            "correlation_id": Uuid::new_v4(),
        });
        (status, body)
    };
    let settings = &world.settings;
    if !tenant.eq_ignore_ascii_case(&settings.tenant) {
        let text = format!("Tenant '{tenant}' not found.");
        return refuse(400, "invalid_request", 90002, &text);
    }
    let grant = field("grant_type");
    if grant != "client_credentials" {
        let text = format!(
            "The app requested an unsupported grant type '{grant}'. The emulator knows client_credentials."
        );
        return refuse(400, "unsupported_grant_type", 70003, &text);
    }
    let client = field("client_id");
    if client != settings.client {
        let text =
            format!("Application with identifier '{client}' was not found in the directory.");
        return refuse(400, "unauthorized_client", 700_016, &text);
    }
    if !are_equal(field("client_secret"), &world.secrets.client_secret) {
        return refuse(401, "invalid_client", 7_000_215, "Invalid client secret provided.");
    }
    let scope = field("scope");
    let Some(resource) = scope.strip_suffix("/.default").filter(|resource| !resource.is_empty())
    else {
        let text =
            format!("The provided value for scope {scope} is not valid: it ends in /.default.");
        return refuse(400, "invalid_scope", 70011, &text);
    };
    let token = world.tokens.issue(resource, client, client, now, LIFETIME);
    let answer = json!({
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": token,
    });
    (StatusCode::OK, answer)
}
