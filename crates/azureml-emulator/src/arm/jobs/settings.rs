//! What a job says of how it runs.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    super::{
        call::Call,
        iso_duration,
        reply::{Answer, Refusal},
    },
    given::{entries, object},
    references,
};

/// The settings of a pipeline.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The compute's id; nothing for machines as Azure ML finds them.
    pub(super) default_compute: Option<String>,
    pub(super) has_default_compute: bool,
    pub(super) continue_on_step_failure: bool,
    pub(super) force_rerun: bool,
}

impl Settings {
    pub(super) fn read(call: &Call<'_>, workspace: &str, value: &Value) -> Answer<Self> {
        let value = object(value, "properties.settings")?;
        // Written by clients in both forms.
        let field = |snake: &str, camel: &str| {
            value.get(snake).or_else(|| value.get(camel)).unwrap_or(&Value::Null)
        };
        let compute = match field("default_compute", "defaultCompute") {
            Value::Null => None,
            Value::String(compute) => Some(compute.as_str()),
            other => {
                let message =
                    format!("properties.settings.default_compute must be a string, and is {other}");
                return Err(Refusal::user_error(message).into());
            }
        };
        let is = |snake: &str, camel: &str| match field(snake, camel) {
            Value::Null => Ok(false),
            Value::Bool(is) => Ok(*is),
            other => Err(Refusal::user_error(format!(
                "properties.settings.{snake} must be true or false, and is {other}"
            ))),
        };
        let resources = call.resources();
        let default_compute =
            compute.map(|compute| references::compute(resources, workspace, compute));
        let on_init = field("on_init", "onInit");
        if !on_init.is_null() || !field("on_finalize", "onFinalize").is_null() {
            return Err(Refusal::not_implemented("settings.on_init and on_finalize").into());
        }
        Ok(Self {
            has_default_compute: compute.is_some_and(|compute| !compute.is_empty()),
            default_compute: default_compute.transpose()?.flatten(),
            continue_on_step_failure: is("continue_on_step_failure", "continueOnStepFailure")?,
            force_rerun: is("force_rerun", "forceRerun")?,
        })
    }
}

/// A map of texts; numbers and truth values are taken as they are written.
pub(super) fn words(value: &Value, path: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let value = object(value, path)?;
    let mut words = BTreeMap::new();
    for (name, value) in entries(value).filter(|(_, value)| !value.is_null()) {
        let is_variable = !name.is_empty() && !name.contains(['=', '\0']);
        match super::component::literal(value) {
            Some(text) if is_variable && !text.contains('\0') => {
                words.insert(name.clone(), text);
            }
            _ => {
                let message = format!("{path} has {name:?}: {value}, which is no variable");
                return Err(Refusal::user_error(message));
            }
        }
    }
    Ok(words)
}

/// After how many seconds a job is ended.
pub(super) fn timeout(limits: &Value, path: &str) -> Result<Option<u64>, Refusal> {
    let seconds = match &limits["timeout"] {
        Value::Null => return Ok(None),
        Value::Number(seconds) => seconds.as_u64(),
        Value::String(text) => iso_duration::parse(text).as_ref().map(Duration::as_secs),
        _ => None,
    };
    match seconds.filter(|seconds| *seconds > 0) {
        Some(seconds) => Ok(Some(seconds)),
        None => {
            let message = format!(
                "{path}.limits.timeout is {}, and must be a duration such as PT1H, of a second at least",
                limits["timeout"]
            );
            Err(Refusal::user_error(message))
        }
    }
}

/// The client id of a managed identity that a job asks for.
pub(super) fn identity_client(identity: &Value) -> Option<String> {
    let id = identity.get("clientId").or_else(|| identity.get("client_id"));
    id.and_then(Value::as_str).map(str::to_owned)
}
