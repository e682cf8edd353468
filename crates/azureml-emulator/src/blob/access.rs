use std::net::Ipv4Addr;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    refusal::{Answer, Refusal},
    sas::Signed,
    shared_key,
    target::Target,
};
use crate::{
    door::{Door, LOCAL_ACCOUNT},
    moment::Moment,
    secrets::are_equal,
    signature::sign,
    world::World,
};

/// What a request may do.
#[derive(Debug)]
pub(super) enum Grant {
    /// The account's key, or a token.
    Everything,
    /// What a shared access signature permits, a letter each.
    Signed(String),
}

impl Grant {
    /// Refuses what none of these letters permits.
    pub(super) fn require(&self, any_of: &str) -> Answer<()> {
        match self {
            Self::Signed(letters) if !letters.contains(|c| any_of.contains(c)) => {
                let message = "This request is not authorized to perform this operation using this permission.";
                Err(Refusal::new(403, "AuthorizationPermissionMismatch", message))
            }
            _ => Ok(()),
        }
    }

    /// Whether it may replace what is there, and not only create.
    pub(super) fn may_write(&self) -> bool {
        self.require("w").is_ok()
    }
}

/// The audience of tokens for blobs.
const STORAGE: &str = "https://storage.azure.com";

/// Who asks: by a signature in the query, by the account's key, or by a token.
pub(super) fn authorise(world: &World, door: Door, target: &Target, now: Moment) -> Answer<Grant> {
    if target.parameter("sig").is_some() {
        return check_signature(world, door, target, now);
    }
    let Some(authorization) = target.header("authorization") else {
        let message = "the request has neither a signature nor an Authorization header";
        return Err(Refusal::new(401, "NoAuthenticationInformation", message));
    };
    let (scheme, value) = authorization.split_once(' ').unwrap_or((authorization, ""));
    match scheme.to_lowercase().as_str() {
        "bearer" => {
            let claims = world.tokens.check(value.trim(), now);
            let is_for_storage = claims.is_some_and(|claims| {
                claims.aud == STORAGE || claims.aud.ends_with(".blob.core.windows.net")
            });
            if is_for_storage {
                return Ok(Grant::Everything);
            }
            let message = "the token is not one of this emulator's for https://storage.azure.com";
            Err(Refusal::new(401, "InvalidAuthenticationInfo", message))
        }
        "sharedkey" => {
            let (account, signature) = value.split_once(':').unwrap_or_default();
            if account != world.settings.account && account != LOCAL_ACCOUNT {
                return Err(Refusal::unauthenticated(format!("There is no account {account}.")));
            }
            shared_key::check_date(target, now)?;
            let text = shared_key::text_to_sign(target, account);
            let expected = STANDARD.encode(sign(&world.secrets.account_key(), &text));
            if are_equal(&expected, signature) {
                return Ok(Grant::Everything);
            }
            Err(Refusal::unauthenticated(format!("The string to sign is {text:?}.")))
        }
        _ => Err(Refusal::unauthenticated("SharedKey and Bearer are known.")),
    }
}

fn check_signature(world: &World, door: Door, target: &Target, now: Moment) -> Answer<Grant> {
    let signed = Signed::of(target)?;
    // The SDK signs with whichever name it has for the account.
    let accounts =
        [door.signed_account(&world.settings.account), &world.settings.account, LOCAL_ACCOUNT];
    let given = target.parameter("sig").unwrap_or_default();
    let key = world.secrets.account_key();
    let is_ours = accounts.iter().any(|account| {
        let expected = STANDARD.encode(sign(&key, &signed.text_to_sign(account, target)));
        are_equal(&expected, given)
    });
    if !is_ours {
        return Err(Refusal::unauthenticated("Signature did not match."));
    }
    let moment = |name: &str| -> Answer<Option<Moment>> {
        let Some(text) = signed.field(name) else { return Ok(None) };
        let moment = Moment::parse_iso(text);
        moment.map(Some).ok_or_else(|| Refusal::unauthenticated(format!("{name} is no time.")))
    };
    let Some(expiry) = moment("se")? else {
        return Err(Refusal::unauthenticated("Signature has no expiry."));
    };
    if !expiry.is_after(now) || moment("st")?.is_some_and(|start| start.is_after(now)) {
        let why = format!("Signature not valid in the specified time frame: it is {now}.");
        return Err(Refusal::unauthenticated(why));
    }
    if signed.field("sip").is_some_and(|range| !is_in(range, Ipv4Addr::LOCALHOST)) {
        let message =
            "This request is not authorized to perform this operation using this source IP.";
        return Err(Refusal::new(403, "AuthorizationSourceIPMismatch", message));
    }
    if signed.is_of_blob() && target.blob.is_empty() {
        let message =
            "This request is not authorized to perform this operation using this resource type.";
        return Err(Refusal::new(403, "AuthorizationResourceTypeMismatch", message));
    }
    Ok(Grant::Signed(signed.field("sp").unwrap_or_default().to_owned()))
}

/// Whether an address is the one, or between the two, of a signature.
fn is_in(range: &str, address: Ipv4Addr) -> bool {
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    match (from.parse::<Ipv4Addr>(), to.parse::<Ipv4Addr>()) {
        (Ok(from), Ok(to)) => (from..=to).contains(&address),
        _ => false,
    }
}
