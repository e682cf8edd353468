use serde_json::{Map, Value, json};

use super::super::super::{field, reply::Refusal};

/// What a batch endpoint is asked for. Clients write names of fields in either case: `inputData`, `InputData`.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) experiment: Option<String>,
    pub(super) tags: Value,
    pub(super) properties: Value,
    /// By name, in the words of jobs.
    pub(super) inputs: Map<String, Value>,
    pub(super) outputs: Map<String, Value>,
    /// What goes in the place of what the deployment says.
    pub(super) overrides: Map<String, Value>,
}

/// The fields of an invocation, and what becomes of each.
const TAKEN: [&str; 7] =
    ["name", "displayName", "description", "tags", "properties", "inputData", "outputData"];
const OVERRIDES: [&str; 4] = ["miniBatchSize", "errorThreshold", "outputFileName", "retrySettings"];
const OF_DATA: [&str; 6] = ["jobInputType", "jobOutputType", "uri", "mode", "value", "description"];

/// The types of inputs and outputs, as a client may write them.
const KINDS: [(&str, &str); 7] = [
    ("literal", "literal"),
    ("urifile", "uri_file"),
    ("urifolder", "uri_folder"),
    ("mltable", "mltable"),
    ("custommodel", "custom_model"),
    ("mlflowmodel", "mlflow_model"),
    ("tritonmodel", "triton_model"),
];

impl Request {
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        let body = respelled(body, &["properties"], "the body")?;
        field::is_object(&body, "/properties")?;
        let known: Vec<&str> = TAKEN.iter().chain(&OVERRIDES).copied().collect();
        let given = respelled(&body["properties"], &known, "properties")?;
        field::optional_words(&given, "/tags")?;
        field::optional_words(&given, "/properties")?;
        for name in ["inputData", "outputData"] {
            field::optional_object(&given, &format!("/{name}"))?;
        }
        let text = |name: &str| -> Result<Option<String>, Refusal> {
            let text = field::optional_text(&given, &format!("/{name}"))?;
            Ok(text.filter(|text| !text.is_empty()).map(str::to_owned))
        };
        let mut properties = object(&given["properties"]);
        let experiment = properties.as_object_mut().and_then(|all| all.remove("experimentName"));
        let overrides = OVERRIDES.iter().filter(|name| !given[**name].is_null());
        let overrides = overrides.map(|name| ((*name).to_owned(), given[*name].clone()));
        Ok(Self {
            name: text("name")?,
            description: text("description")?,
            experiment: experiment
                .and_then(|name| name.as_str().map(str::to_owned))
                .filter(|name| !name.is_empty()),
            tags: object(&given["tags"]),
            properties,
            inputs: data(&given["inputData"], "inputData")?,
            outputs: data(&given["outputData"], "outputData")?,
            overrides: overrides.collect(),
        })
    }
}

fn object(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { json!({}) }
}

/// The same fields in the letters that are known. Others are refused: who writes them expects them to do something.
fn respelled(value: &Value, known: &[&str], what: &str) -> Result<Value, Refusal> {
    let Some(fields) = value.as_object() else {
        return Err(Refusal::user_error(format!("{what} must be an object, and is {value}")));
    };
    let mut respelled = Map::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let Some(known) = known.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            return Err(Refusal::not_implemented(format!("{what} of an invocation: {name}")));
        };
        respelled.insert((*known).to_owned(), value.clone());
    }
    Ok(Value::Object(respelled))
}

/// Inputs or outputs by their names, which keep their letters.
fn data(all: &Value, what: &str) -> Result<Map<String, Value>, Refusal> {
    let mut data = Map::new();
    for (name, value) in all.as_object().into_iter().flatten() {
        let what = format!("{what}.{name}");
        let mut value = respelled(value, &OF_DATA, &what)?;
        for field in ["jobInputType", "jobOutputType"] {
            if let Some(kind) = field::optional_text(&value, &format!("/{field}"))? {
                let plain = kind.replace('_', "").to_lowercase();
                let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == plain) else {
                    let message = format!("{what}.{field} is {kind:?}, which is no type of data");
                    return Err(Refusal::user_error(message));
                };
                value[field] = json!(kind);
            }
        }
        data.insert(name.clone(), value);
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_read_in_either_case_and_those_of_inputs_stay() {
        let body = json!({"Properties": {
            "InputData": {"MyInput": {"JobInputType": "UriFolder", "Uri": "azureml:x:1"}},
            "outputData": {"score": {"jobOutputType": "uri_file", "uri": "u"}},
            "MiniBatchSize": 3,
            "properties": {"experimentName": "e", "other": "o"},
            "name": "",
        }});
        let request = Request::read(&body).unwrap();
        let input = json!({"jobInputType": "uri_folder", "uri": "azureml:x:1"});
        assert_eq!(Value::Object(request.inputs), json!({"MyInput": input}));
        assert_eq!(request.outputs["score"]["jobOutputType"], "uri_file");
        assert_eq!(Value::Object(request.overrides), json!({"miniBatchSize": 3}));
        assert_eq!((request.experiment.as_deref(), request.name), (Some("e"), None));
        assert_eq!(request.properties, json!({"other": "o"}));
    }

    #[test]
    fn what_would_do_nothing_is_refused() {
        for (properties, why) in [
            (json!({"compute": {"instanceCount": 2}}), "compute"),
            (json!({"dataset": "x"}), "dataset"),
            (
                json!({"inputData": {"a": {"jobInputType": "UriFolder", "pathOnCompute": "x"}}}),
                "pathOnCompute",
            ),
            (json!({"inputData": {"a": {"jobInputType": "Tabular"}}}), "Tabular"),
            (json!({"inputData": {"a": "x"}}), "inputData.a"),
            (json!({"inputData": []}), "inputData"),
            (json!("x"), "properties"),
        ] {
            let refusal = Request::read(&json!({"properties": properties})).unwrap_err();
            assert!(refusal.message().contains(why), "{why}: {}", refusal.message());
        }
        assert!(Request::read(&Value::Null).is_err());
    }
}
