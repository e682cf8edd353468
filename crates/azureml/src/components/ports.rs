use std::fmt;

use crate::{Error, Result};

/// What kind of data an input or output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssetType {
    /// One file.
    UriFile,
    /// A folder.
    UriFolder,
    /// A table with a schema, in a folder.
    MlTable,
    /// A model of any form.
    CustomModel,
    /// A model as MLflow saves it.
    MlflowModel,
    /// A model for Triton.
    TritonModel,
}

/// What an input takes.
///
/// # Examples
///
/// ```
/// use spinney_azureml::{AssetType, InputType};
///
/// assert_eq!(InputType::Asset(AssetType::UriFile).to_string(), "uri_file");
/// assert!(InputType::Number.accepts(InputType::Integer));
/// assert!(!InputType::Integer.accepts(InputType::Number));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputType {
    /// Data.
    Asset(AssetType),
    /// A text.
    String,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `True` or `False`.
    Boolean,
}

/// A value of an input that is no data.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text.
    String(String),
    /// A number, neither infinite nor NaN.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Boolean(bool),
}

/// How a job gets at its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputMode {
    /// Mounted, to be read: what Azure ML does unless told otherwise.
    ReadOnlyMount,
    /// Mounted, to be read and written.
    ReadWriteMount,
    /// Copied to the machine before the job begins.
    Download,
    /// The address itself.
    Direct,
}

/// How a job's output gets to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputMode {
    /// Written as the job writes it: what Azure ML does unless told otherwise.
    ReadWriteMount,
    /// Copied from the machine when the job has ended.
    Upload,
    /// The address itself.
    Direct,
}

impl AssetType {
    /// Azure ML's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UriFile => "uri_file",
            Self::UriFolder => "uri_folder",
            Self::MlTable => "mltable",
            Self::CustomModel => "custom_model",
            Self::MlflowModel => "mlflow_model",
            Self::TritonModel => "triton_model",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        let all = [
            Self::UriFile,
            Self::UriFolder,
            Self::MlTable,
            Self::CustomModel,
            Self::MlflowModel,
            Self::TritonModel,
        ];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl InputType {
    /// Azure ML's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asset(kind) => kind.as_str(),
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        let literals = [Self::String, Self::Number, Self::Integer, Self::Boolean];
        let literal = literals.into_iter().find(|kind| kind.as_str() == text);
        literal.or_else(|| AssetType::of(text).map(Self::Asset))
    }

    /// Whether an input of this type can be given one of another: the same, or a whole number for a number.
    #[must_use]
    pub fn accepts(self, given: Self) -> bool {
        self == given || (self, given) == (Self::Number, Self::Integer)
    }
}

impl fmt::Display for AssetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<AssetType> for InputType {
    fn from(kind: AssetType) -> Self {
        Self::Asset(kind)
    }
}

impl Literal {
    /// The type of input that it is for.
    #[must_use]
    pub fn input_type(&self) -> InputType {
        match self {
            Self::String(_) => InputType::String,
            Self::Number(_) => InputType::Number,
            Self::Integer(_) => InputType::Integer,
            Self::Boolean(_) => InputType::Boolean,
        }
    }

    /// As it is sent: Python's spelling, as the SDK's.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::String(text) => text.clone(),
            Self::Number(number) => format!("{number:?}"),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(true) => "True".to_owned(),
            Self::Boolean(false) => "False".to_owned(),
        }
    }

    /// A text with `${{` would be taken for a binding, behind the back of every check.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |value: String, rule| {
            Err(Error::InvalidArgument { what: "the value of an input", value, rule })
        };
        match self {
            Self::Number(number) if !number.is_finite() => {
                invalid(number.to_string(), "a finite number")
            }
            Self::String(text) if text.contains("${{") => invalid(
                format!("`{text}`"),
                "a text without `${{`; bind an input or output instead",
            ),
            _ => Ok(()),
        }
    }
}

macro_rules! literal_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Literal {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

literal_from! {
    &str => String, String => String, f64 => Number,
    i64 => Integer, i32 => Integer, u32 => Integer, bool => Boolean,
}

impl InputMode {
    /// As components spell it.
    pub(crate) fn snake_case(self) -> &'static str {
        match self {
            Self::ReadOnlyMount => "ro_mount",
            Self::ReadWriteMount => "rw_mount",
            Self::Download => "download",
            Self::Direct => "direct",
        }
    }

    /// As jobs spell it.
    pub(crate) fn pascal_case(self) -> &'static str {
        match self {
            Self::ReadOnlyMount => "ReadOnlyMount",
            Self::ReadWriteMount => "ReadWriteMount",
            Self::Download => "Download",
            Self::Direct => "Direct",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        let all = [Self::ReadOnlyMount, Self::ReadWriteMount, Self::Download, Self::Direct];
        all.into_iter().find(|mode| mode.snake_case() == text)
    }
}

impl OutputMode {
    /// As components spell it.
    pub(crate) fn snake_case(self) -> &'static str {
        match self {
            Self::ReadWriteMount => "rw_mount",
            Self::Upload => "upload",
            Self::Direct => "direct",
        }
    }

    /// As jobs spell it.
    pub(crate) fn pascal_case(self) -> &'static str {
        match self {
            Self::ReadWriteMount => "ReadWriteMount",
            Self::Upload => "Upload",
            Self::Direct => "Direct",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        let all = [Self::ReadWriteMount, Self::Upload, Self::Direct];
        all.into_iter().find(|mode| mode.snake_case() == text)
    }
}
