//! Jobs of a component's deployment: the pipeline that the component is, with inputs of its own.

use serde_json::{Map, Value, json};

use super::{
    super::{
        super::{
            call::Call,
            field,
            reply::{Answer, Refusal},
            workspaces::Workspace,
        },
        component::Port,
        given::{self, Casing, Given, entries, object},
        references,
        settings::Settings,
    },
    Request,
};

/// The settings that a deployment may have. The service's own writing has the words before the last dot.
const SETTINGS: [&str; 4] =
    ["default_compute", "default_datastore", "continue_on_step_failure", "force_rerun"];

/// Refuses a deployment whose component or compute is not there.
pub(in crate::arm) fn check(call: &Call<'_>, workspace: &Workspace, body: &Value) -> Answer<()> {
    let properties = &body["properties"];
    field::optional_words(properties, "/deploymentConfiguration/tags")?;
    field::optional_text(properties, "/deploymentConfiguration/description")?;
    spec(call, &workspace.id, properties)?;
    Settings::read(call, &workspace.id, &settings(properties)?)?;
    Ok(())
}

/// The specification of the component, which is a pipeline.
fn spec(call: &Call<'_>, workspace: &str, properties: &Value) -> Answer<Value> {
    let reference = field::text(properties, "/deploymentConfiguration/componentId/assetId")?;
    let resources = call.resources();
    let id = references::version(resources, workspace, "components", reference)?;
    let found = resources
        .get(&id)?
        .ok_or_else(|| Refusal::user_error(format!("the component {reference} was not found")))?;
    let spec = &found.body["properties"]["componentSpec"];
    match spec["type"].as_str() {
        Some(kind) if kind.eq_ignore_ascii_case("pipeline") => Ok(spec.clone()),
        _ => {
            let message = format!("the component {reference} must be one of type pipeline");
            Err(Refusal::user_error(message).into())
        }
    }
}

/// The settings of the pipeline. In a deployment all values are texts.
fn settings(properties: &Value) -> Result<Value, Refusal> {
    let given = &properties["deploymentConfiguration"]["settings"];
    let given = object(given, "deploymentConfiguration.settings")?;
    let mut settings = Map::new();
    for (name, value) in entries(given).filter(|(_, value)| !value.is_null()) {
        let last = name.rsplit('.').next().unwrap_or_default();
        if !SETTINGS.contains(&last) {
            let what = format!("deploymentConfiguration.settings.{name}");
            return Err(Refusal::not_implemented(what));
        }
        let value = match value.as_str().map(str::to_lowercase).as_deref() {
            Some("true") => json!(true),
            Some("false") => json!(false),
            _ => value.clone(),
        };
        settings.insert(last.to_owned(), value);
    }
    Ok(Value::Object(settings))
}

/// The properties of a job that does what the component does, with what is asked.
pub(super) fn job(
    call: &Call<'_>,
    workspace: &str,
    properties: &Value,
    request: &Request,
) -> Answer<Value> {
    if let Some((name, _)) = request.overrides.iter().next() {
        let message =
            format!("{name} is for deployments of models, and this one is of a component");
        return Err(Refusal::user_error(message).into());
    }
    let spec = spec(call, workspace, properties)?;
    let (given_inputs, given_outputs) = (&request.inputs, &request.outputs);
    for (what, given, known) in
        [("input", given_inputs, &spec["inputs"]), ("output", given_outputs, &spec["outputs"])]
    {
        if let Some(name) = given.keys().find(|name| known.get(*name).is_none()) {
            let known: Vec<&str> = entries(known).map(|(name, _)| name.as_str()).collect();
            let message =
                format!("the component has no {what} {name}; it has {}", known.join(", "));
            return Err(Refusal::user_error(message).into());
        }
    }
    let mut inputs = Map::new();
    for (name, port) in entries(&spec["inputs"]) {
        let port = Port::read(port, &format!("inputs.{name} of the component"))?;
        let value = given_inputs.get(name).unwrap_or(&Value::Null);
        inputs.insert(name.clone(), input(name, value, &port)?);
    }
    let mut outputs = Map::new();
    for (name, port) in entries(&spec["outputs"]) {
        let port = Port::read(port, &format!("outputs.{name} of the component"))?;
        let mut output = json!({"jobOutputType": port.kind, "mode": "ReadWriteMount"});
        for (field, value) in entries(given_outputs.get(name).unwrap_or(&Value::Null)) {
            output[field] = value.clone();
        }
        outputs.insert(name.clone(), output);
    }
    Ok(json!({
        "inputs": inputs,
        "outputs": outputs,
        "jobs": spec["jobs"],
        "settings": settings(properties)?,
    }))
}

/// An input of the job: what is given, or what the component assumes.
fn input(name: &str, value: &Value, port: &Port) -> Answer<Value> {
    let path = format!("inputData.{name}");
    match given::input(value, Casing::Camel, &path)? {
        Some(Given::Literal { value: text, .. }) if port.is_literal() => {
            port.check(&text).map_err(|why| Refusal::user_error(format!("{path}: {why}")))?;
            Ok(json!({"jobInputType": "literal", "value": text}))
        }
        Some(Given::Data { .. }) if !port.is_literal() => Ok(value.clone()),
        Some(_) => {
            let message = format!("{path} must be of type {}", port.kind);
            Err(Refusal::user_error(message).into())
        }
        None => match &port.default {
            Some(text) => Ok(json!({"jobInputType": "literal", "value": text})),
            None if port.is_optional => Ok(json!({"jobInputType": "literal"})),
            None => {
                let message = format!("the required input {path} is not given");
                Err(Refusal::user_error(message).into())
            }
        },
    }
}

/// Adds what the deployment says of its jobs where the caller says nothing.
pub(super) fn describe(properties: &Value, job: &mut Value) {
    let configuration = &properties["deploymentConfiguration"];
    if job["description"].is_null() {
        job["description"] = configuration["description"].clone();
    }
    for (name, value) in entries(&configuration["tags"]) {
        if job["tags"][name].is_null() {
            job["tags"][name] = value.clone();
        }
    }
}
