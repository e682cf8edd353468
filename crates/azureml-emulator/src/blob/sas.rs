use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    refusal::{Answer, Refusal},
    target::Target,
};
use crate::{door::Door, moment::Moment, place::Place, signature::sign, world::World};

/// A shared access signature of a container or a blob, as a query has it.
#[derive(Debug)]
pub(super) struct Signed {
    fields: Vec<(String, String)>,
}

/// What is signed with, here.
const VERSION: &str = "2022-11-02";

/// The first version whose text to sign is this one without the scope of encryption.
const OLDEST: &str = "2018-11-09";

/// The version from which on the scope of encryption is part of it.
const WITH_SCOPE: &str = "2020-12-06";

impl Signed {
    pub(super) fn of(target: &Target) -> Answer<Self> {
        let signed = Self { fields: target.query.clone() };
        let version = signed.field("sv").unwrap_or_default();
        let is_version = version.len() == OLDEST.len() && version.is_ascii();
        if !is_version || version < OLDEST {
            let why =
                format!("The version {version:?} of the signature is not one from {OLDEST} on.");
            return Err(Refusal::unauthenticated(why));
        }
        if signed.field("ss").is_some() || signed.field("skoid").is_some() {
            let why = "The emulator knows signatures of services, not of accounts or users.";
            return Err(Refusal::unauthenticated(why));
        }
        if signed.field("si").is_some() {
            return Err(Refusal::unauthenticated("The emulator has no stored access policies."));
        }
        if !matches!(signed.field("sr"), Some("c" | "b")) {
            let why = "The signature must be of a container (sr=c) or of a blob (sr=b).";
            return Err(Refusal::unauthenticated(why));
        }
        Ok(signed)
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_of_blob(&self) -> bool {
        self.field("sr") == Some("b")
    }

    pub(super) fn text_to_sign(&self, account: &str, target: &Target) -> String {
        let mut resource = format!("/blob/{account}/{}", target.container);
        if self.is_of_blob() {
            resource.push('/');
            resource.push_str(&target.blob);
        }
        let field = |name: &str| self.field(name).unwrap_or_default();
        let version = field("sv");
        let mut lines = vec![field("sp"), field("st"), field("se"), &resource, "", field("sip")];
        lines.extend([field("spr"), version, field("sr"), ""]);
        if version >= WITH_SCOPE {
            lines.push(field("ses"));
        }
        lines.extend(["rscc", "rscd", "rsce", "rscl", "rsct"].map(field));
        lines.join("\n")
    }
}

/// A signature that lets its holder list, read, add, create and write in a container for a time, as a query.
pub(crate) fn sign_container(world: &World, door: Door, container: &str, until: Moment) -> String {
    sign_resource(world, door, container, ("c", "racwl"), until)
}

/// The address of a blob, with a signature that lets its holder read it for a time.
pub(crate) fn sign_blob(world: &World, door: Door, place: &Place, until: Moment) -> String {
    let path = format!("{}/{}", place.container, place.path);
    let signature = sign_resource(world, door, &path, ("b", "r"), until);
    let base = door.blobs(&world.settings.account);
    format!("{base}/{}?{signature}", utf8_percent_encode(&path, PATH))
}

/// What stands for itself in a path.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn sign_resource(
    world: &World,
    door: Door,
    path: &str,
    (kind, permissions): (&str, &str),
    until: Moment,
) -> String {
    let account = door.signed_account(&world.settings.account);
    // Seconds are the finest that signatures have.
    let expiry = Moment::from_milliseconds(until.seconds() * 1000).to_string().replace(".000", "");
    let resource = format!("/blob/{account}/{path}");
    let text = format!(
        "{permissions}\n\n{expiry}\n{resource}\n\n\nhttps\n{VERSION}\n{kind}\n\n\n\n\n\n\n"
    );
    let signature = STANDARD.encode(sign(&world.secrets.account_key(), &text));
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("sv", VERSION),
            ("spr", "https"),
            ("se", &expiry),
            ("sr", kind),
            ("sp", permissions),
            ("sig", &signature),
        ])
        .finish()
}
