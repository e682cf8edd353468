use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What Azure Resource Manager says of anything: who and where it is, and its properties.
///
/// What this crate has no name for is kept in `other` and written back, so that reading, changing and writing loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resource<P> {
    /// The resource id, `/subscriptions/..`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The last part of the id; for a version of an asset, the version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The region, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Tags.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub tags: BTreeMap<String, String>,
    /// Which identities it acts with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// How much of it there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Who made it and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_data: Option<SystemData>,
    /// What is particular to its kind.
    pub properties: P,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl<P: Serialize> Resource<P> {
    /// The body of a PUT that changes nothing: all but what only Azure writes.
    pub(crate) fn writable(&self, read_only: &[&str]) -> Value {
        let mut body = serde_json::to_value(self).unwrap_or_default();
        let remove = |object: Option<&mut Value>, names: &[&str]| {
            if let Some(Value::Object(object)) = object {
                names.iter().for_each(|name| drop(object.remove(*name)));
            }
        };
        remove(Some(&mut body), &["id", "name", "type", "systemData", "etag"]);
        remove(body.get_mut("properties"), read_only);
        remove(body.get_mut("identity"), &["principalId", "tenantId"]);
        // Of an identity that exists, only its id is the client's to say.
        if let Some(Value::Object(ids)) = body.pointer_mut("/identity/userAssignedIdentities") {
            ids.values_mut().for_each(|identity| *identity = Value::Object(Map::new()));
        }
        body
    }
}

impl<P> Resource<P> {
    /// The part of the id behind `/{kind}/`, without regard to case: the name of a model of which this is a version.
    ///
    /// # Examples
    ///
    /// ```
    /// # use spinney_azureml::{Resource, ModelProperties};
    /// let model: Resource<ModelProperties> = serde_json::from_str(
    ///     r#"{"id": "/subscriptions/../models/ames/versions/3", "name": "3", "properties": {}}"#,
    /// )?;
    /// assert_eq!(model.segment("models"), Some("ames"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn segment(&self, kind: &str) -> Option<&str> {
        let mut parts = self.id.split('/');
        parts.find(|part| part.eq_ignore_ascii_case(kind))?;
        parts.next()
    }
}

/// Who made and changed a resource, and when (RFC 3339).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SystemData {
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_at: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_by: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Which identities a resource acts with.
///
/// # Examples
///
/// ```
/// use spinney_azureml::Identity;
///
/// let identity = Identity::user_assigned(["/subscriptions/../userAssignedIdentities/mlops"]);
/// assert_eq!(
///     serde_json::to_string(&identity)?,
///     r#"{"type":"UserAssigned","userAssignedIdentities":{"/subscriptions/../userAssignedIdentities/mlops":{}}}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identity {
    /// `SystemAssigned`, `UserAssigned`, both with a comma between, or `None`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of its own identity in the directory, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The resource ids of those that were made for it, and what Azure says of them.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Map::is_empty")]
    pub user_assigned_identities: Map<String, Value>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Identity {
    /// One of its own, that Azure makes and deletes with it.
    #[must_use]
    pub fn system_assigned() -> Self {
        Self { kind: "SystemAssigned".to_owned(), ..Self::default() }
    }

    /// Some that exist, by their resource ids.
    #[must_use]
    pub fn user_assigned<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        let empty = || Value::Object(Map::new());
        Self {
            kind: "UserAssigned".to_owned(),
            user_assigned_identities: ids.into_iter().map(|id| (id.into(), empty())).collect(),
            ..Self::default()
        }
    }
}

/// How much there is of a resource: for a deployment, how many instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sku {
    /// `Default` for deployments.
    pub name: String,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Back ends write `null` for what is empty.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
