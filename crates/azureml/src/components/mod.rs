use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Error, MlClient, NameRule, Pages, Resource, Result, name_rules::is_of};

mod input_output;
mod placeholders;
mod ports;
mod spec;

pub use input_output::{ComponentInput, ComponentOutput};
pub(crate) use placeholders::check as check_placeholders;
pub use ports::{AssetType, InputMode, InputType, Literal, OutputMode};
pub use spec::ComponentSpec;
pub(crate) use spec::names_problem;

/// A version of a component, as it is registered.
pub type ComponentVersion = Resource<ComponentProperties>;

/// A component's name and what is common to its versions.
pub type ComponentContainer = Resource<ComponentContainerProperties>;

/// What is particular to a version of a component.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ComponentProperties {
    /// Its definition: `type`, `command`, `inputs`, ...
    #[serde(deserialize_with = "crate::resource::null_is_default")]
    pub component_spec: Map<String, Value>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it was made for a pipeline and has no name.
    pub is_anonymous: bool,
    /// Whether it is hidden in lists.
    pub is_archived: bool,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is particular to a component's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ComponentContainerProperties {
    /// The version registered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is hidden in lists.
    pub is_archived: bool,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A registered component, for the steps of pipelines: its id, and what goes in and comes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    id: String,
    component_type: String,
    display_name: Option<String>,
    inputs: BTreeMap<String, ComponentInput>,
    outputs: BTreeMap<String, ComponentOutput>,
}

impl Component {
    /// A component that was registered under an id, by its definition.
    ///
    /// # Errors
    ///
    /// As for [`ComponentSpec::check`].
    pub fn new(id: impl Into<String>, spec: &ComponentSpec) -> Result<Self> {
        spec.check()?;
        Ok(Self {
            id: id.into(),
            component_type: "command".to_owned(),
            display_name: Some(spec.shown_as().to_owned()),
            inputs: spec.inputs().iter().cloned().collect(),
            outputs: spec.outputs().iter().cloned().collect(),
        })
    }

    /// The id of its version.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How it is called where it is shown.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    /// `command`, or what else it is.
    #[must_use]
    pub fn component_type(&self) -> &str {
        &self.component_type
    }

    /// What goes in.
    #[must_use]
    pub fn inputs(&self) -> &BTreeMap<String, ComponentInput> {
        &self.inputs
    }

    /// What comes out.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, ComponentOutput> {
        &self.outputs
    }
}

/// A registered component can be a step as it is.
impl TryFrom<&ComponentVersion> for Component {
    type Error = Error;

    /// # Errors
    ///
    /// [`Error::Definition`] for an input or output of a type that this crate does not know.
    fn try_from(version: &ComponentVersion) -> Result<Self> {
        let spec = &version.properties.component_spec;
        let text = |key: &str| spec.get(key).and_then(Value::as_str);
        let place = || format!("component `{}`", version.id);
        let ports = |key: &str| {
            let ports = spec.get(key).and_then(Value::as_object);
            ports.into_iter().flatten()
        };
        let unknown = |what: &str, name: &str, port: &Value| Error::Definition {
            place: place(),
            problem: format!("the {what} `{name}` has an unknown type, {}", port["type"]),
        };
        let inputs = ports("inputs").map(|(name, port)| {
            let input_type = port["type"].as_str().and_then(InputType::of);
            let input_type = input_type.ok_or_else(|| unknown("input", name, port))?;
            let default = &port["default"];
            let default = match default {
                Value::Null => None,
                Value::String(text) => Some(Literal::String(text.clone())),
                other => Some(Literal::String(other.to_string())),
            };
            let is_optional = match &port["optional"] {
                Value::String(text) => text.eq_ignore_ascii_case("true"),
                other => other.as_bool().unwrap_or(false),
            };
            let mode = port["mode"].as_str().and_then(InputMode::of);
            Ok((name.clone(), ComponentInput { input_type, is_optional, default, mode }))
        });
        let outputs = ports("outputs").map(|(name, port)| {
            let asset_type = port["type"].as_str().and_then(AssetType::of);
            let asset_type = asset_type.ok_or_else(|| unknown("output", name, port))?;
            let mode = port["mode"].as_str().and_then(OutputMode::of);
            Ok((name.clone(), ComponentOutput { asset_type, mode }))
        });
        Ok(Self {
            id: version.id.clone(),
            component_type: text("type").unwrap_or("command").to_owned(),
            display_name: text("display_name").map(str::to_owned),
            inputs: inputs.collect::<Result<_>>()?,
            outputs: outputs.collect::<Result<_>>()?,
        })
    }
}

/// Under this name are components that were made for a pipeline.
const ANONYMOUS: &str = "azureml_anonymous";

impl ComponentSpec {
    /// The version under which it is registered without a name: a hash of all that it is. Equal definitions have the same.
    #[must_use]
    pub fn anonymous_version(&self) -> String {
        // Keys are sorted, so that equal definitions are equal texts.
        let definition = self.body(ANONYMOUS, "1", true).to_string();
        Uuid::new_v5(&Uuid::NAMESPACE_OID, definition.as_bytes()).to_string()
    }
}

/// The components of the workspace: [`MlClient::components`].
#[derive(Debug, Clone, Copy)]
pub struct Components<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Components: the parts that pipelines are made of.
    #[must_use]
    pub fn components(&self) -> Components<'_> {
        Components { client: self }
    }
}

impl Components<'_> {
    /// Registers a component under its name and a version. To register the same again changes nothing.
    ///
    /// # Errors
    ///
    /// As for [`ComponentSpec::check`], before anything is sent; [`Error::InvalidArgument`] for the version; what a request may fail with.
    pub async fn create(self, spec: &ComponentSpec, version: &str) -> Result<Component> {
        self.put(spec, spec.name(), version, spec.body(spec.name(), version, false)).await
    }

    /// Registers a component without a name, for a pipeline. Its version is a hash of its definition: equal ones are one, and
    /// Azure ML can take outputs of earlier runs.
    ///
    /// # Errors
    ///
    /// As for [`ComponentSpec::check`], before anything is sent; what a request may fail with.
    pub async fn create_anonymous(self, spec: &ComponentSpec) -> Result<Component> {
        let (version, body) = (spec.anonymous_version(), spec.body(ANONYMOUS, "1", true));
        self.put(spec, ANONYMOUS, &version, body).await
    }

    async fn put(
        self,
        spec: &ComponentSpec,
        name: &str,
        version: &str,
        body: Value,
    ) -> Result<Component> {
        spec.check()?;
        let url = self.client.url(&["components", name, "versions", checked_version(version)?]);
        let registered: ComponentVersion = self.client.put(url, &body).await?;
        Component::new(registered.id, spec)
    }

    /// A version of a component.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] or [`Error::InvalidArgument`]; what a request may fail with; [`Error::is_not_found`] if there is none.
    pub async fn get(self, name: &str, version: &str) -> Result<ComponentVersion> {
        NameRule::Asset.check(name)?;
        let version = checked_version(version)?;
        self.client.get(self.client.url(&["components", name, "versions", version])).await
    }

    /// Those with names.
    pub fn list(self) -> Pages<ComponentContainer> {
        self.client.pages(self.client.url(&["components"]))
    }

    /// The versions of one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn versions(self, name: &str) -> Result<Pages<ComponentVersion>> {
        NameRule::Asset.check(name)?;
        Ok(self.client.pages(self.client.url(&["components", name, "versions"])))
    }
}

/// A version is part of an address, in which full stops alone would mean something else.
fn checked_version(version: &str) -> Result<&str> {
    if is_of(version, 1..=255, "-_.", char::is_alphanumeric) {
        return Ok(version);
    }
    Err(Error::InvalidArgument {
        what: "the version of a component",
        value: format!("`{version}`"),
        rule: "up to 255 letters, digits, hyphens, underscores and full stops, a letter or digit first",
    })
}
