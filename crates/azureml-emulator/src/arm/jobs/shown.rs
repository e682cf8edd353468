use serde_json::{Value, json};

use super::super::call::Call;
use crate::store::Resource;

/// A job as this client sees it: with the addresses by which it can be looked at.
pub(super) fn shown(call: &Call<'_>, job: &Resource) -> Value {
    let mut body = job.body.clone();
    let settings = &call.world.settings;
    let (workspace, _) = job.id().rsplit_once("/jobs/").unwrap_or((job.id(), ""));
    let api = call.door.api(&settings.location);
    let host = api.trim_start_matches("https://");
    let service = |kind: &str, endpoint: String| {
        json!({
            "jobServiceType": kind,
            "endpoint": endpoint,
            "port": null,
            "status": null,
            "errorMessage": null,
            "properties": null,
        })
    };
    let studio = format!(
        "https://ml.azure.com/runs/{}?wsid={workspace}&tid={}",
        job.name(),
        settings.tenant
    );
    let tracking = format!("azureml://{host}/mlflow/v1.0{workspace}?");
    body["properties"]["services"] =
        json!({"Tracking": service("Tracking", tracking), "Studio": service("Studio", studio)});
    body
}
