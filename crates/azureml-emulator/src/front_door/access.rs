use axum::http::HeaderValue;

use super::table::{Endpoint, Mode};
use crate::{secrets::are_equal, world::World};

/// Whether who asks has a key of the endpoint, or a token for it.
pub(super) fn is_allowed(
    world: &World,
    endpoint: &Endpoint,
    authorization: Option<&HeaderValue>,
) -> bool {
    let given = authorization.and_then(|value| value.to_str().ok());
    let Some((scheme, given)) = given.and_then(|value| value.split_once(' ')) else {
        return false;
    };
    let given = given.trim();
    let audience = match &endpoint.mode {
        Mode::Key(keys) => {
            // Both, so that the time does not tell which.
            let are_right = keys.each_ref().map(|key| !key.is_empty() && are_equal(key, given));
            return scheme.eq_ignore_ascii_case("bearer") && are_right.contains(&true);
        }
        Mode::OwnToken { audience } => audience,
        Mode::DirectoryToken => "https://ml.azure.com",
    };
    let claims = world.tokens.check(given, world.clock.now());
    scheme.eq_ignore_ascii_case("bearer") && claims.is_some_and(|claims| claims.aud == audience)
}
