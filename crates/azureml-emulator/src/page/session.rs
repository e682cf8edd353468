use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};

use super::layout;
use crate::{door::Door, secrets::Secrets, secrets::are_equal, signature::sign, world::World};

/// Who asks.
pub(super) enum Visitor {
    /// Somebody with the address that was printed, who gets a cookie for it.
    New {
        cookie: String,
    },
    /// Somebody with the cookie.
    Known,
    Unknown,
}

/// The cookie cannot be set or read by anything but this server, over TLS.
const COOKIE: &str = "__Host-spinney";

/// What is secret of a state folder serves other purposes too: each has a word of its own.
fn word(secrets: &Secrets, purpose: &str) -> String {
    hex::encode(sign(secrets.token_key(), &format!("page {purpose}")))
}

/// The address of the page with its token.
pub(crate) fn address(secrets: &Secrets, port: u16) -> String {
    format!("https://localhost:{port}/?token={}", word(secrets, "address"))
}

pub(super) fn admit(world: &World, headers: &HeaderMap, query: &[(String, String)]) -> Visitor {
    let cookie = word(&world.secrets, "cookie");
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).map(str::trim);
    let is_known = pairs.any(|pair| {
        pair.split_once('=')
            .is_some_and(|(name, value)| name == COOKIE && are_equal(value, &cookie))
    });
    let token = query.iter().find(|(name, _)| name == "token").map(|(_, token)| token);
    if token.is_some_and(|token| are_equal(token, &word(&world.secrets, "address"))) {
        return Visitor::New { cookie };
    }
    if is_known { Visitor::Known } else { Visitor::Unknown }
}

/// Leads to the page without the token in its address, so that no history of a browser has it where it is seen.
pub(super) fn welcome(cookie: &str) -> Response<Body> {
    let mut response = layout::message(StatusCode::SEE_OTHER, "Welcome", "The page is at /.");
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    let cookie = format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// What a form of a page of ours carries with it.
pub(super) fn form_token(world: &World) -> String {
    word(&world.secrets, "form")
}

/// Whether a form was sent by a page of ours, and by no other site that the browser has open.
pub(super) fn is_own_form(world: &World, door: Door, headers: &HeaderMap, form: &[u8]) -> bool {
    let is_own_origin = match headers.get(header::ORIGIN) {
        // Browsers say it with every form; other programs need not.
        None => true,
        Some(origin) => {
            let by_number = door.resource_manager().replace("localhost", "127.0.0.1");
            origin == door.resource_manager().as_str() || origin == by_number.as_str()
        }
    };
    let mut fields = url::form_urlencoded::parse(form);
    let expected = form_token(world);
    is_own_origin && fields.any(|(name, value)| name == "form" && are_equal(&value, &expected))
}
