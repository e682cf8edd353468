use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Call, outputs};
use crate::{
    arm::Answer,
    blob,
    run::artifacts,
    store::{Resource, Resources, Run, RunLogs, RunStatus, Runs},
};

/// How long the addresses of logs can be read.
const READABLE: Duration = Duration::from_secs(2 * 3600);

/// All that there is about a run.
pub(super) struct Known<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) run: Run,
    pub(super) job: Resource,
}

impl Known<'_> {
    /// What the job's resource says.
    pub(super) fn properties(&self) -> &Value {
        &self.job.body["properties"]
    }

    /// The run as run history has it.
    pub(super) fn shown(&self) -> Value {
        let (run, properties) = (&self.run, self.properties());
        let made = &self.job.body["systemData"];
        let by = |name: &str| json!({"userObjectId": made[name], "userName": made[name]});
        let mut shown = self.common();
        let own = json!({
            "runNumber": self.job.sequence,
            "createdUtc": run.created.to_string(),
            "createdBy": by("createdBy"),
            "lastModifiedUtc": made["lastModifiedAt"],
            "lastModifiedBy": by("lastModifiedBy"),
            "experimentId": run.experiment,
            "displayName": properties["displayName"].as_str().or(run.step.as_deref()).unwrap_or(&run.name),
            "name": run.step,
            "description": properties["description"],
            "hidden": properties["isArchived"] == true,
            "dataContainerId": format!("dcid.{}", run.name),
            "runType": self.kind(),
            "cancelUri": null,
        });
        merge(&mut shown, own);
        shown
    }

    /// With the addresses of its logs.
    pub(super) fn details(&self) -> Answer<Value> {
        let mut shown = self.common();
        let own = json!({
            "createdTimeUtc": self.run.created.to_string(),
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": null,
            "logFiles": self.log_files()?,
        });
        merge(&mut shown, own);
        Ok(shown)
    }

    fn kind(&self) -> &'static str {
        match (self.properties()["jobType"].as_str(), &self.run.parent) {
            (_, Some(_)) => "azureml.StepRun",
            (Some("Pipeline"), None) => "azureml.PipelineRun",
            _ => "azureml.scriptrun",
        }
    }

    fn common(&self) -> Value {
        let run = &self.run;
        let time = |moment: Option<crate::moment::Moment>| moment.map(|moment| moment.to_string());
        let compute = run.compute.as_deref().and_then(|id| id.rsplit('/').next());
        let duration = match (run.started, run.ended) {
            (Some(started), Some(ended)) => Some(timespan(ended.since(started))),
            _ => None,
        };
        let error = run.error.as_ref().map(|error| {
            json!({
                "error": error,
                "environment": self.call.world.settings.location,
                "location": self.call.world.settings.location,
                "time": time(run.ended),
            })
        });
        json!({
            "runId": run.name,
            "parentRunId": run.parent_name(),
            "rootRunId": run.parent_name().unwrap_or(&run.name),
            "status": run.status.as_str(),
            "startTimeUtc": time(run.started),
            "endTimeUtc": time(run.ended),
            "duration": duration,
            "error": error,
            "warnings": [],
            "tags": object(&self.properties()["tags"]),
            "properties": self.notes(),
            "services": {},
            "target": compute,
            "compute": compute.map(|target| json!({"target": target})),
            "inputs": {},
            "outputs": outputs::of_run(self),
        })
    }

    /// What Azure ML notes about a run.
    fn notes(&self) -> Value {
        let mut notes = object(&self.properties()["properties"]);
        let mut note = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                notes[name] = json!(value);
            }
        };
        note("azureml.runsource", Some(self.kind()));
        note("azureml.moduleName", self.run.step.as_deref());
        note("azureml.pipelinerunid", self.run.parent_name());
        if let Some(from) = self.reused() {
            note("azureml.isreused", Some("true"));
            note("azureml.reusedrunid", Some(&from.name));
            note("azureml.reusedpipelinerunid", from.parent_name());
        }
        notes
    }

    /// The run whose outputs were taken instead.
    fn reused(&self) -> Option<Run> {
        let key = self.run.reused_from.as_deref()?;
        // Without its row nothing is known of it.
        Runs(self.call.connection).get(key).ok().flatten()
    }

    /// Its logs by name; those of the run that was taken instead, if one was.
    fn log_files(&self) -> Answer<Value> {
        let Call { world, connection, door, now, .. } = *self.call;
        let reused = self.reused();
        let run = reused.as_ref().unwrap_or(&self.run);
        let folder = artifacts::place(world, connection, &run.workspace_id, &run.name)?;
        let mut files = Map::new();
        for file in RunLogs(connection).of(&run.key)? {
            let place = folder.join(&file);
            files.insert(file, json!(blob::sign_blob(world, door, &place, now.plus(READABLE))));
        }
        Ok(Value::Object(files))
    }

    /// The job's resource with a change, and when it was.
    pub(super) fn update(&self, job: &Value) -> Answer<()> {
        let mut job = job.clone();
        job["systemData"]["lastModifiedAt"] = json!(self.call.now.to_string());
        job["systemData"]["lastModifiedBy"] = json!(self.call.claims.oid);
        Resources(self.call.connection).update(&job)?;
        Ok(())
    }

    pub(super) fn has_completed(&self) -> bool {
        self.run.status == RunStatus::Completed
    }
}

fn object(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { json!({}) }
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// As .NET writes a duration: `00:01:05.2500000`.
fn timespan(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:07}", seconds % 60, duration.subsec_nanos() / 100)
}
