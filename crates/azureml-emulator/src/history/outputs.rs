use serde_json::{Map, Value, json};

use super::{Call, run::Known};
use crate::{
    arm::{Answer, Failure, Refusal},
    store::Resources,
};

/// The service that knows where an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registry {
    Data,
    Models,
}

impl Registry {
    /// By the type of an output, with the name that run history has for it.
    fn of_kind(kind: &str) -> (Self, &str) {
        match kind {
            "custom_model" => (Self::Models, "CustomModel"),
            "mlflow_model" => (Self::Models, "MLFlowModel"),
            "triton_model" => (Self::Models, "TritonModel"),
            kind => (Self::Data, kind),
        }
    }

    fn collection(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Models => "models",
        }
    }

    /// The fields by which an asset, and an answer, says where it is.
    fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::Data => ("dataUri", "uri"),
            Self::Models => ("modelUri", "path"),
        }
    }
}

/// The outputs of a run: each an asset of its own, named after both.
pub(super) fn of_run(known: &Known<'_>) -> Value {
    let mut assets = Map::new();
    if known.has_completed() {
        for (name, kind, _) in outputs(known) {
            let (registry, kind) = Registry::of_kind(kind);
            let location = &known.call.world.settings.location;
            let workspace = known.call.workspace.body["properties"]["workspaceId"].as_str();
            let id = format!(
                "azureml://locations/{location}/workspaces/{}/{}/{}/versions/1",
                workspace.unwrap_or_default(),
                registry.collection(),
                asset_name(&known.run.name, name)
            );
            assets.insert(name.clone(), json!({"assetId": id, "type": kind}));
        }
    }
    Value::Object(assets)
}

/// The names, types and addresses of a job's outputs; logs are none.
fn outputs<'a>(known: &'a Known<'_>) -> impl Iterator<Item = (&'a String, &'a str, &'a str)> {
    let outputs = known.properties()["outputs"].as_object().into_iter().flatten();
    outputs.filter(|(name, _)| name.as_str() != "default").filter_map(|(name, output)| {
        let kind = output["jobOutputType"].as_str().or(output["job_output_type"].as_str())?;
        Some((name, kind, output["uri"].as_str()?))
    })
}

const BETWEEN: &str = "_output_data_";

fn asset_name(run: &str, output: &str) -> String {
    format!("azureml_{run}{BETWEEN}{output}")
}

/// Says where assets are that are named by their ids. What is not known is left out.
pub(super) fn resolve(call: &Call<'_>, registry: Registry) -> Answer<Value> {
    let ids = call.body["values"].as_array();
    let ids = ids.ok_or_else(|| Refusal::user_error("the body has no list values"))?;
    let (_, field) = registry.fields();
    let mut values = Map::new();
    for id in ids.iter().filter_map(Value::as_str) {
        if let Some((uri, kind)) = find(call, registry, id)? {
            values.insert(id.to_owned(), json!({field: uri, "type": kind}));
        }
    }
    Ok(json!({"values": values}))
}

/// The address and the type of an asset: an output's, or a registered one's.
fn find(call: &Call<'_>, registry: Registry, id: &str) -> Answer<Option<(String, String)>> {
    let parts: Vec<&str> = id.split('/').collect();
    let [.., collection, name, "versions", version] = parts.as_slice() else { return Ok(None) };
    if *collection != registry.collection() {
        return Ok(None);
    }
    // Both names may have the word between them, too.
    let output = name.strip_prefix("azureml_").unwrap_or_default();
    for (at, between) in output.match_indices(BETWEEN) {
        let (run, rest) = output.split_at(at);
        let wanted = rest.get(between.len()..).unwrap_or_default();
        let known = match call.find(run) {
            Err(Failure::Refused(_)) => continue,
            known => known?,
        };
        let found = outputs(&known).find(|(name, ..)| *name == wanted);
        if let Some((_, kind, uri)) = found {
            return Ok(Some((uri.to_owned(), kind.to_owned())));
        }
    }
    let id = format!("{}/{collection}/{name}/versions/{version}", call.workspace.id());
    let asset = Resources(call.connection).get(&id)?;
    let (place, _) = registry.fields();
    Ok(asset.and_then(|asset| {
        let properties = &asset.body["properties"];
        let kind = properties["dataType"].as_str().or(properties["modelType"].as_str());
        Some((properties[place].as_str()?.to_owned(), kind.unwrap_or_default().to_owned()))
    }))
}
