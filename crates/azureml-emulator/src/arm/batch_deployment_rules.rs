//! What a batch deployment must say, and what it is taken to say.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    deployment_rules::fill,
    deployment_spec, field, iso_duration,
    reply::{Answer, Refusal},
};
use crate::run::MiniBatches;

/// What a deployment makes jobs of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A model, whose scoring script is called for files.
    Model,
    PipelineComponent,
}

/// The longest time that a call for a mini-batch may take.
const MAX_TIMEOUT: Duration = Duration::from_secs(3 * 24 * 3600);

/// The most processes that stand for those of all instances: there is one machine.
const MAX_PROCESSES: u64 = 16;

const LEVELS: [&str; 3] = ["Info", "Warning", "Debug"];
const ACTIONS: [&str; 2] = ["AppendRow", "SummaryOnly"];

/// The largest number of most fields.
const MAX: u64 = i32::MAX as u64;

/// The parts of a body that are what they have to be, whatever they name.
pub(super) fn check(body: &Value) -> Answer<Kind> {
    field::is_object(body, "/properties")?;
    field::optional_words(body, "/tags")?;
    field::optional_words(body, "/properties/properties")?;
    field::optional_words(body, "/properties/environmentVariables")?;
    field::optional_text(body, "/properties/description")?;
    field::optional_object(body, "/properties/deploymentConfiguration")?;
    let kind = kind(&body["properties"])?;
    match kind {
        Kind::Model => {
            let types = ["Id", "DataPath", "OutputPath"];
            let reference = field::one_of(body, "/properties/model/referenceType", &types)?;
            if reference != "Id" {
                let what = format!("models by a reference of type {reference}");
                return Err(Refusal::not_implemented(what).into());
            }
            if !body["properties"]["codeConfiguration"].is_null() {
                mini_batches(&body["properties"])?;
            }
        }
        Kind::PipelineComponent => {
            let given = ["model", "codeConfiguration"];
            let given = given.iter().find(|name| !body["properties"][**name].is_null());
            if let Some(name) = given {
                let message = format!("a deployment of a component has no {name}");
                return Err(Refusal::user_error(message).into());
            }
        }
    }
    Ok(kind)
}

/// What a deployment with these properties is of.
pub(super) fn kind(properties: &Value) -> Result<Kind, Refusal> {
    let configuration = &properties["deploymentConfiguration"];
    if configuration.is_null() {
        return Ok(Kind::Model);
    }
    let types = ["Model", "PipelineComponent"];
    Ok(match field::one_of(configuration, "/deploymentConfigurationType", &types)? {
        "Model" => Kind::Model,
        _ => Kind::PipelineComponent,
    })
}

/// Adds what the service says of a deployment, and what it assumes.
pub(super) fn complete(body: &mut Value, kind: Kind) {
    if body["tags"].is_null() {
        body["tags"] = json!({});
    }
    let properties = &mut body["properties"];
    let assumed = match kind {
        Kind::Model => json!({
            "properties": {},
            "environmentVariables": {},
            "errorThreshold": -1,
            "miniBatchSize": 10,
            "maxConcurrencyPerInstance": 1,
            "loggingLevel": "Info",
            "outputAction": "AppendRow",
            "outputFileName": "predictions.csv",
            "retrySettings": {"maxRetries": 3, "timeout": "PT30S"},
            "resources": {"instanceCount": 1},
        }),
        Kind::PipelineComponent => json!({"deploymentConfiguration": {"settings": {}}}),
    };
    fill(properties, assumed);
    // In the service's letters, whichever the client's were.
    for (name, words) in [("loggingLevel", &LEVELS[..]), ("outputAction", &ACTIONS)] {
        let known = words.iter().find(|word| {
            let given = properties.get(name).and_then(Value::as_str);
            given.is_some_and(|given| given.eq_ignore_ascii_case(word))
        });
        if let Some(known) = known {
            properties[name] = json!(known);
        }
    }
    // All settings are texts; the SDK sends others.
    let settings = properties.pointer_mut("/deploymentConfiguration/settings");
    for (_, value) in settings.and_then(Value::as_object_mut).into_iter().flatten() {
        if value.is_boolean() || value.is_number() {
            *value = json!(value.to_string());
        }
    }
}

fn number(properties: &Value, pointer: &str, least: u64, assumed: u64) -> Result<u64, Refusal> {
    let number = field::optional_whole(properties, pointer)?.unwrap_or(assumed);
    if (least..=MAX).contains(&number) {
        return Ok(number);
    }
    let name = pointer.rsplit('/').next().unwrap_or_default();
    Err(Refusal::user_error(format!("{name} is {number}, and must be from {least} to {MAX}")))
}

fn word(
    properties: &Value,
    pointer: &str,
    words: &[&'static str],
    assumed: &'static str,
) -> Result<String, Refusal> {
    let is_given = properties.pointer(pointer).is_some_and(|value| !value.is_null());
    let word = if is_given { field::one_of(properties, pointer, words)? } else { assumed };
    Ok(word.to_owned())
}

/// How the scoring script of a deployment with these properties is called.
pub(super) fn mini_batches(properties: &Value) -> Result<MiniBatches, Refusal> {
    let body = json!({"properties": {"codeConfiguration": properties["codeConfiguration"]}});
    let (_, script) = deployment_spec::code_configuration(&body)?;
    for name in ["/retrySettings", "/resources"] {
        field::optional_object(properties, name)?;
    }
    let threshold = match &properties["errorThreshold"] {
        Value::Null => -1,
        value => {
            match value.as_i64().filter(|threshold| (-1..=MAX.cast_signed()).contains(threshold)) {
                Some(threshold) => threshold,
                None => {
                    let message = format!(
                        "errorThreshold is {value}, and must be a whole number from -1 to {MAX}"
                    );
                    return Err(Refusal::user_error(message));
                }
            }
        }
    };
    let timeout = field::optional_text(properties, "/retrySettings/timeout")?.unwrap_or("PT30S");
    let timeout = iso_duration::parse(timeout)
        .filter(|timeout| !timeout.is_zero() && *timeout <= MAX_TIMEOUT)
        .ok_or_else(|| {
            Refusal::user_error(format!(
                "retrySettings.timeout is {timeout:?}, and must be a duration such as PT30S, of three days at most"
            ))
        })?;
    let name = field::optional_text(properties, "/outputFileName")?.unwrap_or("predictions.csv");
    let is_name = !matches!(name, "" | "." | "..")
        && name.len() <= 255
        && !name.contains(['/', '\\', ':'])
        && !name.contains(char::is_control);
    if !is_name {
        let message = format!("outputFileName is {name:?}, and must be the name of a file");
        return Err(Refusal::user_error(message));
    }
    let instances = number(properties, "/resources/instanceCount", 1, 1)?;
    let each = number(properties, "/maxConcurrencyPerInstance", 1, 1)?;
    Ok(MiniBatches {
        scoring_script: script.to_owned(),
        mini_batch_size: number(properties, "/miniBatchSize", 1, 10)?,
        processes: (instances * each).min(MAX_PROCESSES),
        error_threshold: threshold,
        max_retries: number(properties, "/retrySettings/maxRetries", 0, 3)?,
        timeout_milliseconds: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(1),
        output_action: word(properties, "/outputAction", &ACTIONS, "AppendRow")?,
        output_file_name: name.to_owned(),
        logging_level: word(properties, "/loggingLevel", &LEVELS, "Info")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn with(name: &str, value: Value) -> Value {
        let mut properties =
            json!({"codeConfiguration": {"codeId": "c", "scoringScript": "score.py"}});
        properties[name] = value;
        properties
    }

    #[test]
    fn what_is_not_said_is_what_the_specification_assumes() {
        let mut body = json!({"properties": with("description", json!("d"))});
        let before = mini_batches(&body["properties"]).unwrap();
        complete(&mut body, Kind::Model);
        assert_eq!(mini_batches(&body["properties"]).unwrap(), before);
        assert_eq!((before.error_threshold, before.max_retries, before.processes), (-1, 3, 1));
        let many = with("resources", json!({"instanceCount": 1_000_000}));
        assert_eq!(mini_batches(&many).unwrap().processes, MAX_PROCESSES);
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_its_name() {
        for (name, value) in [
            ("miniBatchSize", json!(0)),
            ("miniBatchSize", json!("ten")),
            ("miniBatchSize", json!(1_u64 << 31)),
            ("maxConcurrencyPerInstance", json!(0)),
            ("errorThreshold", json!(-2)),
            ("errorThreshold", json!(0.5)),
            ("retrySettings", json!({"maxRetries": -1})),
            ("retrySettings", json!({"timeout": "30"})),
            ("retrySettings", json!({"timeout": "PT0S"})),
            ("retrySettings", json!({"timeout": "P4D"})),
            ("retrySettings", json!([])),
            ("outputAction", json!("Append")),
            ("outputFileName", json!("../rows.csv")),
            ("outputFileName", json!("..")),
            ("loggingLevel", json!("Loud")),
        ] {
            let refusal = mini_batches(&with(name, value.clone())).unwrap_err();
            assert!(refusal.message().contains(name), "{name} {value}: {}", refusal.message());
        }
        let nobody = with("resources", json!({"instanceCount": 0}));
        assert!(mini_batches(&nobody).unwrap_err().message().contains("instanceCount"));
        let outside = json!({"codeConfiguration": {"codeId": "c", "scoringScript": "../score.py"}});
        assert!(mini_batches(&outside).unwrap_err().message().contains("scoringScript"));
    }
}
