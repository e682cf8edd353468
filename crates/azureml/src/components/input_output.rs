use serde_json::{Value, json};

use super::{AssetType, InputMode, InputType, Literal, OutputMode};

/// An input of a component.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ComponentInput {
    pub(super) input_type: InputType,
    pub(super) is_optional: bool,
    pub(super) default: Option<Literal>,
    pub(super) mode: Option<InputMode>,
}

/// An output of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct ComponentOutput {
    pub(super) asset_type: AssetType,
    pub(super) mode: Option<OutputMode>,
}

impl ComponentInput {
    /// An input of a type, which must be given.
    pub fn new(input_type: impl Into<InputType>) -> Self {
        Self { input_type: input_type.into(), is_optional: false, default: None, mode: None }
    }

    /// A file.
    pub fn uri_file() -> Self {
        Self::new(AssetType::UriFile)
    }

    /// A folder.
    pub fn uri_folder() -> Self {
        Self::new(AssetType::UriFolder)
    }

    /// A model.
    pub fn custom_model() -> Self {
        Self::new(AssetType::CustomModel)
    }

    /// A text.
    pub fn string() -> Self {
        Self::new(InputType::String)
    }

    /// It may be left out. The command has it within `$[[ .. ]]`.
    pub fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// What it is when it is left out; not for data.
    pub fn default_value(self, value: impl Into<Literal>) -> Self {
        Self { default: Some(value.into()), ..self }
    }

    /// How the job gets at it: mounted, to be read, unless said otherwise.
    pub fn mode(self, mode: InputMode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// What it takes.
    #[must_use]
    pub fn input_type(&self) -> InputType {
        self.input_type
    }

    /// Whether a step must give it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.is_optional && self.default.is_none()
    }

    pub(super) fn problem(&self, name: &str) -> Option<String> {
        let is_asset = matches!(self.input_type, InputType::Asset(_));
        match &self.default {
            Some(value) if !self.input_type.accepts(value.input_type()) => Some(format!(
                "the input `{name}` is {} and its default value is {}",
                self.input_type,
                value.input_type(),
            )),
            _ if self.mode.is_some() && !is_asset => {
                Some(format!("the input `{name}` is {}, which has no mode", self.input_type))
            }
            _ => None,
        }
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({"type": self.input_type.as_str()});
        if self.is_optional {
            body["optional"] = json!(true);
        }
        if let Some(value) = &self.default {
            body["default"] = json!(value.text());
        }
        if let Some(mode) = self.mode {
            body["mode"] = json!(mode.snake_case());
        }
        body
    }
}

impl ComponentOutput {
    /// An output of a type.
    pub fn new(asset_type: AssetType) -> Self {
        Self { asset_type, mode: None }
    }

    /// A file.
    pub fn uri_file() -> Self {
        Self::new(AssetType::UriFile)
    }

    /// A folder.
    pub fn uri_folder() -> Self {
        Self::new(AssetType::UriFolder)
    }

    /// A model.
    pub fn custom_model() -> Self {
        Self::new(AssetType::CustomModel)
    }

    /// How it gets to its place: written as the job writes it, unless said otherwise.
    pub fn mode(self, mode: OutputMode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// What it is.
    #[must_use]
    pub fn asset_type(&self) -> AssetType {
        self.asset_type
    }

    pub(super) fn body(self) -> Value {
        let mut body = json!({"type": self.asset_type.as_str()});
        if let Some(mode) = self.mode {
            body["mode"] = json!(mode.snake_case());
        }
        body
    }
}
