//! What a job says of its inputs and outputs.

use serde_json::{Map, Value};

use super::{
    super::{
        call::Call,
        name_rules,
        reply::{Answer, Refusal},
    },
    component::{DATA, literal},
    expression::{Binding, binding_of},
};
use crate::{
    jobs::{Asset, DataPort, Output},
    place::Place,
};

/// Within a pipeline's `jobs` keys are in snake case, everywhere else in camel case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Casing {
    Camel,
    Snake,
}

impl Casing {
    fn input_type(self) -> &'static str {
        match self {
            Self::Camel => "jobInputType",
            Self::Snake => "job_input_type",
        }
    }

    fn output_type(self) -> &'static str {
        match self {
            Self::Camel => "jobOutputType",
            Self::Snake => "job_output_type",
        }
    }
}

/// An input as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Literal { value: String, mode: Option<String> },
    Data { kind: String, uri: String, mode: Option<String> },
}

/// Names and values of an object that may be missing.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// An object, or nothing.
pub(super) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Value, Refusal> {
    if value.is_object() || value.is_null() {
        return Ok(value);
    }
    Err(Refusal::user_error(format!("{path} must be an object, and is {value}")))
}

fn required(path: &str, field: &str) -> Refusal {
    let message = format!("The field {path}.{field} is required.");
    Refusal::user_error(message).detail("RequiredField", &format!("{path}.{field} is required"))
}

fn text(fields: &Map<String, Value>, path: &str, field: &str) -> Result<Option<String>, Refusal> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => {
            Err(Refusal::user_error(format!("{path}.{field} must be a string, and is {other}")))
        }
    }
}

/// Reads an input. Nothing, or a literal without a value, is one that is not given.
pub(super) fn input(value: &Value, casing: Casing, path: &str) -> Result<Option<Given>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let Some(fields) = value.as_object() else {
        return Err(Refusal::user_error(format!("{path} must be an object, and is {value}")));
    };
    let mode = text(fields, path, "mode")?.map(|mode| input_mode(&mode, path)).transpose()?;
    let kind = text(fields, path, casing.input_type())?;
    let kind = kind.ok_or_else(|| required(path, casing.input_type()))?.to_lowercase();
    if kind == "literal" {
        let value = &value["value"];
        if !value.is_null() && literal(value).is_none() {
            let message = format!("{path}.value must be a string, and is {value}");
            return Err(Refusal::user_error(message));
        }
        return Ok(literal(value).map(|value| Given::Literal { value, mode }));
    }
    if !DATA.contains(&kind.as_str()) {
        let message = format!(
            "{path}.{} is {kind:?}, and must be literal or one of {}",
            casing.input_type(),
            DATA.join(", ")
        );
        return Err(Refusal::user_error(message));
    }
    let uri = text(fields, path, "uri")?.filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| required(path, "uri"))?;
    Ok(Some(Given::Data { kind, uri, mode }))
}

/// A mode of an input, as the API writes it; components have other words for it.
pub(super) fn input_mode(mode: &str, path: &str) -> Result<String, Refusal> {
    let known = match mode.to_lowercase().as_str() {
        "readonlymount" | "ro_mount" | "mount" => "ReadOnlyMount",
        "readwritemount" | "rw_mount" => "ReadWriteMount",
        "download" => "Download",
        "direct" => "Direct",
        "evalmount" | "eval_mount" | "evaldownload" | "eval_download" => {
            let what = format!("{path}: the input mode {mode}");
            return Err(Refusal::not_implemented(what));
        }
        _ => {
            let message = format!(
                "{path}.mode is {mode:?}, and must be ReadOnlyMount, ReadWriteMount, Download or Direct"
            );
            return Err(Refusal::user_error(message));
        }
    };
    Ok(known.to_owned())
}

fn output_mode(mode: &str, path: &str) -> Result<String, Refusal> {
    let known = match mode.to_lowercase().as_str() {
        "readwritemount" | "rw_mount" | "mount" => "ReadWriteMount",
        "upload" => "Upload",
        "direct" => "Direct",
        _ => {
            let message =
                format!("{path}.mode is {mode:?}, and must be ReadWriteMount, Upload or Direct");
            return Err(Refusal::user_error(message));
        }
    };
    Ok(known.to_owned())
}

/// What an output of a job says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GivenOutput {
    pub(super) kind: Option<String>,
    pub(super) mode: Option<String>,
    uri: Option<String>,
    asset: Option<Asset>,
    /// The pipeline's output that this one of a step is.
    pub(super) promoted: Option<String>,
}

/// Reads an output.
pub(super) fn output(value: &Value, casing: Casing, path: &str) -> Result<GivenOutput, Refusal> {
    if value.is_null() {
        return Ok(GivenOutput::default());
    }
    let Some(fields) = value.as_object() else {
        return Err(Refusal::user_error(format!("{path} must be an object, and is {value}")));
    };
    let mode = text(fields, path, "mode")?.map(|mode| output_mode(&mode, path)).transpose()?;
    let kind = text(fields, path, casing.output_type())?;
    let is_literal = |kind: &str| kind.eq_ignore_ascii_case("literal");
    // The SDK writes `type` for an output that is the pipeline's.
    let kind = kind.or(text(fields, path, "type")?.filter(|kind| is_literal(kind)));
    if kind.as_deref().is_some_and(is_literal) {
        let value = text(fields, path, "value")?.unwrap_or_default();
        let Some(Binding::Output(name)) = binding_of(&value) else {
            let message =
                format!("{path}.value is {value:?}, and must be ${{{{parent.outputs.NAME}}}}");
            return Err(Refusal::user_error(message));
        };
        return Ok(GivenOutput { mode, promoted: Some(name), ..GivenOutput::default() });
    }
    let kind = kind.map(|kind| kind.to_lowercase());
    if let Some(kind) = kind.as_deref().filter(|kind| !DATA.contains(kind)) {
        let field = casing.output_type();
        let message = format!("{path}.{field} is {kind:?}, and must be one of {}", DATA.join(", "));
        return Err(Refusal::user_error(message));
    }
    if kind.is_none() && casing == Casing::Camel {
        return Err(required(path, casing.output_type()));
    }
    let name = text(fields, path, "assetName")?.or(text(fields, path, "name")?);
    let version = text(fields, path, "assetVersion")?.or(text(fields, path, "version")?);
    for name in name.iter().chain(&version) {
        name_rules::check_asset(name)?;
    }
    if name.is_none() && version.is_some() {
        let message = format!("{path} has a version, and no name to be registered as");
        return Err(Refusal::user_error(message));
    }
    let asset = name.map(|name| Asset { name, version });
    Ok(GivenOutput { kind, mode, uri: text(fields, path, "uri")?, asset, promoted: None })
}

impl GivenOutput {
    /// Where the output of a run goes: where the job says, or where Azure ML puts outputs.
    pub(super) fn placed(
        &self,
        call: &Call<'_>,
        workspace: &str,
        run: &str,
        name: &str,
        kind: &str,
        mode: Option<&str>,
    ) -> Answer<Output> {
        let place = match self.uri.as_deref().filter(|uri| !uri.is_empty()) {
            Some(uri) => {
                let uri = uri
                    .replace("${{name}}", run)
                    .replace("${{output_name}}", name)
                    .replace("${{default_datastore}}", "workspaceblobstore");
                if !uri.starts_with("azureml://") || uri.contains("${{") {
                    let message = format!(
                        "the output {name} cannot be written to {uri:?}: it must be azureml://datastores/NAME/paths/PATH"
                    );
                    return Err(Refusal::user_error(message).into());
                }
                let place = Place::of_uri(call.world, call.connection, workspace, &uri)?;
                if place.path.is_empty() {
                    let message = format!("the output {name} has no path in its datastore");
                    return Err(Refusal::user_error(message).into());
                }
                place
            }
            None => {
                let path = format!("azureml/{run}/{name}");
                let place = Place::in_default_datastore(call.connection, workspace, &path)?;
                place
                    .ok_or_else(|| Refusal::user_error("the workspace has no default datastore"))?
            }
        };
        let mode = self.mode.as_deref().or(mode).unwrap_or("ReadWriteMount").to_owned();
        let data = DataPort { kind: kind.to_owned(), mode };
        Ok(Output { data, place, asset: self.asset.clone() })
    }
}
