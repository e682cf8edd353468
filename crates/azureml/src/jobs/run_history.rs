use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::JobStatus;
use crate::{
    AssetType, Error, MlClient, NameRule, Result, ServiceError,
    http::{Call, Scope},
    resource::null_is_default,
};

/// A job as run history knows it: one of the steps of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Run {
    /// The job's name.
    pub run_id: String,
    /// The name of the job that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_run_id: Option<String>,
    /// How it is called where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// How it gets on.
    pub status: JobStatus,
    /// When it began (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_utc: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time_utc: Option<String>,
    /// What Azure ML notes about it: `azureml.moduleName`, `azureml.isreused`, ...
    #[serde(deserialize_with = "null_is_default")]
    pub properties: Map<String, Value>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What run history tells of one job. The addresses of logs have signatures: this has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunDetails {
    pub(super) status: JobStatus,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) log_files: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    warnings: Vec<Warning>,
    error: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Warning {
    message: Option<String>,
}

impl RunDetails {
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.iter().filter_map(|warning| warning.message.clone()).collect()
    }

    /// Why the job did not end well; `None` if it did, or has not ended.
    pub(super) fn failure(&self, job: &str) -> Option<ServiceError> {
        (self.status.is_terminal() && self.status != JobStatus::Completed)
            .then(|| failure(job, &self.status, &self.error))
    }
}

/// What is known of a job that did not end well.
pub(super) fn failure(job: &str, status: &JobStatus, error: &Value) -> ServiceError {
    let target = format!("job {job}");
    let mut failure = ServiceError { target, attempts: 1, ..ServiceError::default() };
    if !error.is_null() {
        failure.read(error.to_string().as_bytes());
    }
    if failure.code.is_empty() {
        status.as_str().clone_into(&mut failure.code);
    }
    if failure.message.is_empty() {
        "no reason is given; its logs may tell".clone_into(&mut failure.message);
    }
    failure
}

/// A request to one of Azure ML's services.
fn call(url: Url) -> Call {
    Call::get(url).scope(Scope::MachineLearning)
}

/// The address of a job in run history.
pub(super) async fn run_url(client: &MlClient, job: &str, what: &str) -> Result<Url> {
    NameRule::Job.check(job)?;
    let mut url = client.service_url(&["history", "v1.0"], &["runs", job, what]).await?;
    url.query_pairs_mut().append_pair("api-version", "v1.0");
    Ok(url)
}

pub(super) async fn details(client: &MlClient, job: &str) -> Result<RunDetails> {
    let url = run_url(client, job, "details").await?;
    client.send(call(url)).await?.json()
}

/// `{"assetId": .., "type": ..}`: an output as run history has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct TypedAsset {
    asset_id: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RunData {
    run_metadata: RunMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RunMetadata {
    #[serde(deserialize_with = "null_is_default")]
    outputs: BTreeMap<String, TypedAsset>,
}

/// Where assets are, by their ids.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Resolved {
    #[serde(deserialize_with = "null_is_default")]
    values: BTreeMap<String, Place>,
}

/// Data have a `uri`, models a `path`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    uri: Option<String>,
    path: Option<String>,
}

/// The addresses of the outputs that run history has noted for a job.
pub(super) async fn output_uris(client: &MlClient, job: &str) -> Result<BTreeMap<String, String>> {
    let url = client.service_url(&["history", "v1.0"], &["rundata"]).await?;
    let body = json!({"runId": job, "selectRunMetadata": true});
    let data: RunData = ask(client, url, &body).await?.unwrap_or_default();
    let (data, models): (Vec<_>, Vec<_>) = data
        .run_metadata
        .outputs
        .into_iter()
        .filter(|(_, asset)| !asset.asset_id.is_empty())
        .partition(|(_, asset)| !is_model(&asset.kind));
    let mut uris = BTreeMap::new();
    for (service, assets, outputs) in
        [("data", "dataversion", data), ("modelregistry", "models", models)]
    {
        if outputs.is_empty() {
            continue;
        }
        let url = client.service_url(&[service, "v1.0"], &[assets, "batchGetResolvedUris"]).await?;
        let ids: Vec<&str> = outputs.iter().map(|(_, asset)| &*asset.asset_id).collect();
        let resolved: Resolved =
            ask(client, url, &json!({"values": ids})).await?.unwrap_or_default();
        for (name, asset) in &outputs {
            let place = resolved.values.get(&asset.asset_id);
            if let Some(uri) = place.and_then(|place| place.uri.as_ref().or(place.path.as_ref())) {
                uris.insert(name.clone(), uri.clone());
            }
        }
    }
    Ok(uris)
}

/// A POST that only reads. `None` if there is nothing.
async fn ask<T: serde::de::DeserializeOwned>(
    client: &MlClient,
    url: Url,
    body: &Value,
) -> Result<Option<T>> {
    let call = Call::post(url).scope(Scope::MachineLearning).body(body).repeatable();
    match client.send(call).await {
        Ok(reply) => reply.json().map(Some),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Run history writes `CustomModel` where others write `custom_model`.
fn is_model(kind: &str) -> bool {
    let kind = kind.replace('_', "").to_lowercase();
    [AssetType::CustomModel, AssetType::MlflowModel, AssetType::TritonModel]
        .iter()
        .any(|model| model.as_str().replace('_', "") == kind)
}

/// [`Error::Service`] of a failure.
pub(super) fn failed(failure: ServiceError) -> Error {
    Error::Service(Box::new(failure))
}
