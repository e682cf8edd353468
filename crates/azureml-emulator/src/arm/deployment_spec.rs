//! From what a deployment says to what is run: everything that it names is looked up.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    asset_reference::{find, name_and_version},
    call::Call,
    deployment_rules, field,
    reply::{Answer, Refusal},
    workspaces::Workspace,
};
use crate::{
    place::Place,
    serving::{Container, Model, Routes, Spec},
};

/// Where Azure ML puts models into containers.
const MODELS: &str = "/var/azureml-app/azureml-models";

pub(super) fn resolve(call: &Call<'_>, workspace: &Workspace, body: &Value) -> Answer<Spec> {
    let (timeout, concurrency) = deployment_rules::request_settings(body)?;
    let (container, routes) = container(call, workspace, body)?;
    Ok(Spec {
        model: model(call, workspace, body)?,
        container,
        routes,
        variables: variables(body)?,
        capacity: deployment_rules::capacity(body)?,
        concurrency,
        timeout,
        liveness: deployment_rules::probe(body, "livenessProbe")?,
        readiness: deployment_rules::probe(body, "readinessProbe")?,
    })
}

fn place(call: &Call<'_>, workspace: &Workspace, uri: &Value) -> Answer<Place> {
    let uri = uri.as_str().unwrap_or_default();
    Place::of_uri(call.world, call.connection, &workspace.id, uri)
}

fn model(call: &Call<'_>, workspace: &Workspace, body: &Value) -> Answer<Option<Model>> {
    let mount = field::optional_text(body, "/properties/modelMountPath")?;
    if mount.is_some_and(|mount| !mount.starts_with('/') || mount.contains('\0')) {
        return Err(Refusal::user_error("modelMountPath must be an absolute path").into());
    }
    let Some(reference) = field::optional_text(body, "/properties/model")? else {
        return Ok(None);
    };
    let Some(version) = find(call, workspace, "models", reference)? else {
        return Err(Refusal::not_implemented("models of a registry").into());
    };
    let (name, number) = name_and_version(&version);
    Ok(Some(Model {
        name: name.to_owned(),
        version: number.to_owned(),
        place: place(call, workspace, &version.body["properties"]["modelUri"])?,
        mount: mount.unwrap_or(MODELS).to_owned(),
    }))
}

fn container(call: &Call<'_>, workspace: &Workspace, body: &Value) -> Answer<(Container, Routes)> {
    let Some(reference) = field::optional_text(body, "/properties/environmentId")? else {
        let message = "environmentId is required: deployments without one, of MLflow models, are not part of the emulator";
        return Err(Refusal::not_implemented(message).into());
    };
    let environment = find(call, workspace, "environments", reference)?;
    let none = Value::Null;
    let properties = environment.as_ref().map_or(&none, |found| &found.body["properties"]);
    // What a registry has is known by its name alone.
    let image = properties["image"].as_str().unwrap_or(reference);
    let script = script(call, workspace, body)?;
    let has_routes = properties["inferenceConfig"].is_object();
    let container = if properties["build"].is_object() {
        if script.is_some() {
            let what = "a scoring script in an image that has yet to be built";
            return Err(Refusal::not_implemented(what).into());
        }
        if !has_routes {
            let message = "the environment needs an inferenceConfig: Azure ML would not know where its container answers";
            return Err(Refusal::user_error(message).into());
        }
        let dockerfile = properties["build"]["dockerfilePath"].as_str().unwrap_or("Dockerfile");
        Container::Build {
            context: place(call, workspace, &properties["build"]["contextUri"])?,
            dockerfile: dockerfile.to_owned(),
        }
    } else {
        match script {
            Some((code, script)) if !is_runtime(image) => Container::Script { code, script },
            _ => Container::Runtime { image: image.to_owned() },
        }
    };
    Ok((container, routes(&properties["inferenceConfig"])?))
}

/// Whether an image is of Spinney's scoring runtime, which serves without a script.
fn is_runtime(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split([':', '@']).next().is_some_and(|name| name.starts_with("spinney-scoring"))
}

fn script(call: &Call<'_>, workspace: &Workspace, body: &Value) -> Answer<Option<(Place, String)>> {
    field::optional_object(body, "/properties/codeConfiguration")?;
    if body["properties"]["codeConfiguration"].is_null() {
        return Ok(None);
    }
    let (code, script) = code_configuration(body)?;
    let Some(version) = find(call, workspace, "codes", code)? else {
        return Err(Refusal::not_implemented("code of a registry").into());
    };
    let place = place(call, workspace, &version.body["properties"]["codeUri"])?;
    Ok(Some((place, script.to_owned())))
}

/// The id of the code, and the path of the script in it.
pub(super) fn code_configuration(body: &Value) -> Result<(&str, &str), Refusal> {
    let script = field::text(body, "/properties/codeConfiguration/scoringScript")?;
    let is_inside = !script.starts_with('/')
        && !script.contains(['\\', '\0'])
        && script.split('/').all(|part| part != "..");
    if !is_inside {
        let message = format!("scoringScript is {script:?}, and must be a path within the code");
        return Err(Refusal::user_error(message));
    }
    Ok((field::text(body, "/properties/codeConfiguration/codeId")?, script))
}

/// The routes of an environment, or those of Azure ML's inference server.
fn routes(config: &Value) -> Result<Routes, Refusal> {
    let route = |name: &str, assumed: &str| -> Result<(String, Option<u16>), Refusal> {
        let route = &config[name];
        if route.is_null() {
            return Ok((assumed.to_owned(), None));
        }
        let path = field::text(route, "/path")?;
        let is_path = path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic());
        let port = field::whole(route, "/port")?;
        match u16::try_from(port) {
            Ok(port) if port > 0 && is_path => Ok((path.to_owned(), Some(port))),
            _ => Err(Refusal::user_error(format!(
                "{name} must have a path from / on, and a port from 1 to 65535"
            ))),
        }
    };
    let (scoring, port) = route("scoringRoute", "/score")?;
    let (liveness, one) = route("livenessRoute", "/")?;
    let (readiness, other) = route("readinessRoute", "/")?;
    if [one, other].iter().flatten().any(|probed| Some(*probed) != port) {
        return Err(Refusal::not_implemented("containers that answer at several ports"));
    }
    Ok(Routes { scoring, liveness, readiness, port })
}

pub(super) fn variables(body: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let mut variables = BTreeMap::new();
    for (name, value) in
        body["properties"]["environmentVariables"].as_object().into_iter().flatten()
    {
        let value = match value {
            Value::Null => continue,
            Value::String(value) => value.clone(),
            other => other.to_string(),
        };
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Refusal::user_error(format!("{name:?} cannot be set as a variable")));
        }
        if value.starts_with("${{") || value.starts_with("keyvaultref:") {
            return Err(Refusal::not_implemented(format!("{name}: a secret of another service")));
        }
        variables.insert(name.clone(), value);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_of_the_runtime_is_known_by_its_name() {
        for image in
            ["x.azurecr.io/spinney-scoring:1", "spinney-scoring", "a/spinney-scoring-x@sha256:1"]
        {
            assert!(is_runtime(image), "{image}");
        }
        for image in ["spinney-scoring/other", "x/sklearn:spinney-scoring", ""] {
            assert!(!is_runtime(image), "{image}");
        }
    }

    #[test]
    fn routes_have_one_port_and_paths() {
        let route = |path: &str, port: u64| json!({"path": path, "port": port});
        let read = routes(&json!({
            "scoringRoute": route("/s", 5001),
            "livenessRoute": route("/l", 5001),
            "readinessRoute": null,
        }));
        let wanted = Routes {
            scoring: "/s".to_owned(),
            liveness: "/l".to_owned(),
            readiness: "/".to_owned(),
            port: Some(5001),
        };
        assert_eq!(read.unwrap(), wanted);
        assert_eq!(routes(&Value::Null).unwrap().scoring, "/score");
        for wrong in [
            route("s", 1),
            route("/s", 0),
            route("/s", 65536),
            route("/a b", 1),
            json!({"path": "/s"}),
        ] {
            assert!(routes(&json!({"scoringRoute": wrong})).is_err(), "{wrong}");
        }
        let several = json!({"scoringRoute": route("/", 1), "livenessRoute": route("/", 2)});
        assert!(routes(&several).is_err());
    }
}
