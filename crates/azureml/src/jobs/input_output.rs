use std::fmt;

use serde_json::{Map, Value, json};

use crate::{AssetType, Error, InputMode, InputType, Literal, NameRule, OutputMode, Result};

/// What a job is given: data at an address, or a value.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{InputMode, JobInput};
///
/// let data = JobInput::uri_file("azureml://datastores/workspaceblobstore/paths/ames.csv").mode(InputMode::Download);
/// let share = JobInput::literal(0.2);
/// # let _ = (data, share);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct JobInput {
    value: InputValue,
    mode: Option<InputMode>,
}

#[derive(Debug, Clone, PartialEq)]
enum InputValue {
    Asset(AssetType, Address),
    Literal(Literal),
}

/// Where and how an output of a job is kept, if not where Azure ML keeps outputs: in the default datastore, in a folder of the job.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{JobOutput, OutputMode};
///
/// // The output becomes the next version of a model.
/// let model = JobOutput::new().mode(OutputMode::Upload).register_as("ames-housing");
/// # let _ = model;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct JobOutput {
    mode: Option<OutputMode>,
    uri: Option<Address>,
    name: Option<String>,
    version: Option<String>,
}

/// Within a pipeline's steps keys are in snake case, everywhere else in camel case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Casing {
    Camel,
    Snake,
}

impl JobInput {
    /// Data of a type, by the id of a data asset or model, or by an address: `azureml://..`, `https://..`.
    pub fn asset(asset_type: AssetType, uri: impl Into<String>) -> Self {
        Self { value: InputValue::Asset(asset_type, Address(uri.into())), mode: None }
    }

    /// A file, likewise.
    pub fn uri_file(uri: impl Into<String>) -> Self {
        Self::asset(AssetType::UriFile, uri)
    }

    /// A folder, likewise.
    pub fn uri_folder(uri: impl Into<String>) -> Self {
        Self::asset(AssetType::UriFolder, uri)
    }

    /// A value.
    pub fn literal(value: impl Into<Literal>) -> Self {
        Self { value: InputValue::Literal(value.into()), mode: None }
    }

    /// How the job gets at its data: mounted, to be read, unless said otherwise. Without effect for a value.
    pub fn mode(self, mode: InputMode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// What it is.
    #[must_use]
    pub fn input_type(&self) -> InputType {
        match &self.value {
            InputValue::Asset(asset_type, _) => InputType::Asset(*asset_type),
            InputValue::Literal(value) => value.input_type(),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        match &self.value {
            InputValue::Asset(_, uri) => uri.check("the address of an input"),
            InputValue::Literal(value) => value.check(),
        }
    }

    pub(super) fn body(&self) -> Value {
        match &self.value {
            InputValue::Asset(asset_type, uri) => {
                let mut body = json!({"jobInputType": asset_type.as_str(), "uri": uri.0});
                if let Some(mode) = self.mode {
                    body["mode"] = json!(mode.pascal_case());
                }
                body
            }
            InputValue::Literal(value) => {
                json!({"jobInputType": "literal", "value": value.text()})
            }
        }
    }
}

impl JobOutput {
    /// Where and how Azure ML keeps outputs unless told otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// How it gets to its place.
    pub fn mode(self, mode: OutputMode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// Where it is kept: `azureml://datastores/..`.
    pub fn uri(self, uri: impl Into<String>) -> Self {
        Self { uri: Some(Address(uri.into())), ..self }
    }

    /// Registers it as the next version of a model or data asset of this name when the job has ended.
    pub fn register_as(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The version to register it as; only with [`register_as`](Self::register_as).
    pub fn version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    pub(super) fn check(&self) -> Result<()> {
        if let Some(uri) = &self.uri {
            uri.check("the address of an output")?;
        }
        if let Some(name) = &self.name {
            NameRule::Asset.check(name)?;
        }
        match &self.version {
            Some(version) if self.name.is_none() => Err(Error::InvalidArgument {
                what: "the version of an output",
                value: format!("`{version}`"),
                rule: "there must be a name to register it as, too",
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn sent_mode(&self) -> Option<&'static str> {
        self.mode.map(OutputMode::pascal_case)
    }

    pub(super) fn body(&self, asset_type: AssetType, casing: Casing) -> Value {
        let (kind, name, version) = match casing {
            Casing::Camel => ("jobOutputType", "assetName", "assetVersion"),
            Casing::Snake => ("job_output_type", "name", "version"),
        };
        let mut body = Map::new();
        body.insert(kind.to_owned(), json!(asset_type.as_str()));
        for (key, value) in [
            ("mode", self.sent_mode()),
            ("uri", self.uri.as_ref().map(|uri| uri.0.as_str())),
            (name, self.name.as_deref()),
            (version, self.version.as_deref()),
        ] {
            if let Some(value) = value {
                body.insert(key.to_owned(), json!(value));
            }
        }
        Value::Object(body)
    }
}

/// An address, whose query may be a signature and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) String);

impl Address {
    /// Refuses what is none: a path of this machine means nothing to Azure.
    pub(crate) fn check(&self, what: &'static str) -> Result<()> {
        let uri = &self.0;
        let is_id =
            uri.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/"));
        let has_scheme = uri.split_once("://").is_some_and(|(scheme, _)| {
            scheme.len() > 1 && scheme.chars().all(char::is_alphanumeric)
        });
        if (is_id || has_scheme || uri.starts_with("azureml:")) && !uri.contains("${{") {
            return Ok(());
        }
        let value = format!("`{}`", self.shown());
        let rule = "a resource id, or an address such as `azureml://..` or `https://..`";
        Err(Error::InvalidArgument { what, value, rule })
    }

    fn shown(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}
