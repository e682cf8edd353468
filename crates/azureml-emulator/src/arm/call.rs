use axum::http::{HeaderMap, Method, Uri, header};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{
    plane::Plane,
    reply::{Answer, Refusal},
};
use crate::{
    door::Door,
    moment::Moment,
    store::{Events, Resource, Resources},
    token::Claims,
    world::World,
};

/// A request to Azure Resource Manager, with the transaction that it is answered in.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a World,
    pub(crate) connection: &'a Connection,
    pub(crate) plane: Plane,
    pub(crate) door: Door,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// As the client wrote it.
    pub(crate) path: &'a [String],
    /// In lower case.
    pub(crate) words: &'a [&'a str],
    pub(crate) query: &'a [(String, String)],
    /// `null` if there is none.
    pub(crate) body: &'a Value,
    pub(crate) claims: &'a Claims,
    pub(crate) now: Moment,
}

impl<'a> Call<'a> {
    pub(crate) fn resources(&self) -> Resources<'a> {
        Resources(self.connection)
    }

    pub(crate) fn events(&self) -> Events<'a> {
        Events(self.connection)
    }

    /// A parameter of the query, by its name in lower case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The part of the path at a place, with the client's letters.
    pub(crate) fn segment(&self, place: usize) -> &'a str {
        self.path.get(place).map_or("", String::as_str)
    }

    /// The address that this request came to, without what is behind the path.
    pub(crate) fn address(&self) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match (self.plane, host) {
            (Plane::Learning, Some(host)) => format!("https://{host}{}", self.uri.path()),
            _ => format!("{}{}", self.door.resource_manager(), self.uri.path()),
        }
    }

    /// A method that this path has not.
    pub(crate) fn wrong_method(&self) -> Refusal {
        let message = format!("{} is not supported at {}", self.method, self.uri.path());
        Refusal::new(405, "MethodNotAllowed", message)
    }

    /// Something that Azure has at this path, and the emulator has not.
    pub(crate) fn not_implemented(&self) -> Refusal {
        Refusal::not_implemented(format!("{} {}", self.method, self.uri.path()))
    }

    /// Holds a write against what the client believes to be there.
    pub(crate) fn check_etag(&self, existing: Option<&Resource>) -> Answer<()> {
        let header = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let is_based_on_this = match (header("if-match"), existing) {
            (None, _) => true,
            (Some("*"), existing) => existing.is_some(),
            (Some(tag), Some(resource)) => tag.split(',').any(|tag| tag.trim() == resource.etag()),
            (Some(_), None) => false,
        };
        let is_new_if_asked = header("if-none-match") != Some("*") || existing.is_none();
        if is_based_on_this && is_new_if_asked {
            return Ok(());
        }
        let message =
            "the resource is not as the header If-Match or If-None-Match says: read it again";
        Err(Refusal::new(412, "PreconditionFailed", message).into())
    }

    /// Who created and changed a resource, and when.
    pub(crate) fn system_data(&self, existing: Option<&Resource>) -> Value {
        let (by, now) = (&self.claims.oid, self.now.to_string());
        let mut data = json!({
            "createdAt": now,
            "createdBy": by,
            "createdByType": "Application",
            "lastModifiedAt": now,
            "lastModifiedBy": by,
            "lastModifiedByType": "Application",
        });
        if let Some(existing) = existing {
            for name in ["createdAt", "createdBy", "createdByType"] {
                data[name] = existing.body["systemData"][name].clone();
            }
        }
        data
    }

    /// The whole of a resource: what the client wrote, unknown fields too, and what only the service says.
    pub(crate) fn resource(&self, id: &str, kind: &str, existing: Option<&Resource>) -> Value {
        let mut body = self.body.clone();
        // With the letters that it was created with.
        let id = existing.map_or(id, Resource::id);
        body["id"] = json!(id);
        body["name"] = json!(id.rsplit('/').next().unwrap_or_default());
        body["type"] = json!(kind);
        body["systemData"] = self.system_data(existing);
        body
    }
}
