//! What a component says of its inputs and outputs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::reply::{Answer, Refusal},
    references,
};
use crate::store::Resources;

/// A command component that a step runs.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) id: String,
    pub(super) command: String,
    pub(super) code: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) inputs: BTreeMap<String, Port>,
    pub(super) outputs: BTreeMap<String, Port>,
    pub(super) is_deterministic: bool,
}

/// An input or an output of a component.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) kind: String,
    pub(super) is_optional: bool,
    pub(super) default: Option<String>,
    pub(super) mode: Option<String>,
    /// The values that it may have, if not all.
    pub(super) values: Option<Vec<String>>,
}

const LITERALS: [&str; 4] = ["string", "number", "integer", "boolean"];

/// The types of data.
pub(super) const DATA: [&str; 6] =
    ["uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"];

impl Port {
    pub(super) fn read(value: &Value, what: &str) -> Result<Self, Refusal> {
        let kind = value["type"].as_str().unwrap_or_default().to_lowercase();
        if !LITERALS.contains(&kind.as_str()) && !DATA.contains(&kind.as_str()) {
            return Err(Refusal::not_implemented(format!("{what} of type {:?}", value["type"])));
        }
        let values = value["enum"].as_array();
        Ok(Self {
            kind,
            is_optional: value["optional"] == true,
            default: literal(&value["default"]),
            mode: value["mode"].as_str().map(str::to_owned),
            values: values.map(|values| values.iter().filter_map(literal).collect()),
        })
    }

    pub(super) fn is_literal(&self) -> bool {
        LITERALS.contains(&self.kind.as_str())
    }

    /// Whether a text is a value of this type; what it must be, if not.
    pub(super) fn check(&self, value: &str) -> Result<(), String> {
        let is_one = match self.kind.as_str() {
            "number" => value.trim().parse::<f64>().is_ok(),
            "integer" => value.trim().parse::<i64>().is_ok(),
            "boolean" => ["true", "false"].contains(&value.trim().to_lowercase().as_str()),
            _ => true,
        };
        if !is_one {
            return Err(format!("{value:?} is no {}", self.kind));
        }
        match &self.values {
            Some(values) if !values.iter().any(|own| own == value) => {
                Err(format!("{value:?} is none of {}", values.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

/// A text, or what is written without quotes.
pub(super) fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // As Python writes them, for programs that were written for Azure.
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        _ => None,
    }
}

/// Reads the component that a step names.
pub(super) fn read(
    resources: Resources<'_>,
    workspace: &str,
    reference: &str,
) -> Answer<Component> {
    let id = references::version(resources, workspace, "components", reference)?;
    let found = resources.get(&id)?.ok_or_else(|| references::missing("component", reference))?;
    let spec = &found.body["properties"]["componentSpec"];
    let kind = spec["type"].as_str().unwrap_or("command");
    if !kind.eq_ignore_ascii_case("command") {
        return Err(Refusal::not_implemented(format!("components of type {kind}")).into());
    }
    let text = |name: &str| spec[name].as_str().map(str::to_owned);
    let Some(command) = text("command").filter(|command| !command.trim().is_empty()) else {
        return Err(Refusal::user_error(format!("the component {reference} has no command")).into());
    };
    for name in ["distribution", "resources"] {
        references::check_single_machine(name, &spec[name])?;
    }
    let ports = |name: &str| {
        let ports = spec[name].as_object().into_iter().flatten();
        let read = |(port, value): (&String, &Value)| {
            let what = format!("{name}.{port} of the component {reference}");
            Ok((port.clone(), Port::read(value, &what)?))
        };
        ports.map(read).collect::<Result<BTreeMap<_, _>, Refusal>>()
    };
    Ok(Component {
        command,
        code: text("code"),
        environment: text("environment"),
        inputs: ports("inputs")?,
        outputs: ports("outputs")?,
        is_deterministic: spec["is_deterministic"] != false,
        id: found.id().to_owned(),
    })
}
