//! Taking a job in: it is checked, and its runs are there from then on.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{
        asset_rules::check_common,
        call::Call,
        field, name_rules, plane,
        reply::{Answer, Failure, Refusal, Reply},
        workspaces::Workspace,
    },
    BATCH_DEPLOYMENT, BATCH_ENDPOINT, PIPELINE, TYPE, command, complete,
    pipeline::{self, Pipeline},
    shown::shown,
    step::Step,
    update,
};
use crate::{
    jobs::{CommandPlan, Output, Plan, Source},
    store::{Resource, Run, RunStatus, Runs},
};

/// What only the service notes about a job.
const NOTED: [&str; 6] = [
    PIPELINE,
    BATCH_ENDPOINT,
    BATCH_DEPLOYMENT,
    "azureml.rootpipelinerunid",
    "azureml.isreused",
    "azureml.reusedrunid",
];

/// Submits a job, or changes what may be changed of one that is there: a name is taken for good.
pub(super) fn put(call: &Call<'_>, workspace: &Workspace) -> Answer {
    let name = call.segment(9);
    name_rules::check_job(name)?;
    field::is_object(call.body, "/properties")?;
    check_common(call.body)?;
    field::optional_text(call.body, "/properties/displayName")?;
    field::optional_text(call.body, "/properties/experimentName")?;
    let kind = field::text(call.body, "/properties/jobType")?;
    let is_pipeline = match kind.to_lowercase().as_str() {
        "pipeline" => true,
        "command" => false,
        _ => return Err(Refusal::not_implemented(format!("jobs of type {kind}")).into()),
    };
    check_token(call, is_pipeline)?;
    let id = format!("{}/jobs/{name}", workspace.id);
    if let Some(existing) = call.resources().get(&id)? {
        return update(call, existing);
    }
    call.check_etag(None)?;
    let mut body = call.resource(&id, TYPE, None);
    complete(&mut body["properties"], name);
    if let Some(noted) = body["properties"]["properties"].as_object_mut() {
        NOTED.iter().for_each(|name| drop(noted.remove(*name)));
    }
    let experiment = body["properties"]["experimentName"].as_str().unwrap_or_default().to_owned();
    let submission = Submission { call, workspace: &workspace.id, name, experiment };
    let job = if is_pipeline { submission.pipeline(body)? } else { submission.command(body)? };
    Ok(Reply::created(shown(call, &job)).etag(&job))
}

/// A pipeline acts for whoever submits it, by a token for Azure ML itself.
fn check_token(call: &Call<'_>, is_required: bool) -> Result<(), Refusal> {
    let Some(token) = call.headers.get("x-azureml-token").and_then(|token| token.to_str().ok())
    else {
        if !is_required {
            return Ok(());
        }
        let message = "the header x-azureml-token is missing: a token for https://ml.azure.com";
        return Err(Refusal::user_error(message));
    };
    let audiences = plane::learning_audiences(call.door);
    match call.world.tokens.check(token, call.now) {
        Some(claims) if audiences.contains(&claims.aud.as_str()) => Ok(()),
        Some(claims) => Err(Refusal::new(
            401,
            "InvalidAuthenticationTokenAudience",
            format!("the token in x-azureml-token is for {:?}, not for Azure ML", claims.aud),
        )),
        None => Err(Refusal::new(
            401,
            "InvalidAuthenticationToken",
            "the token in x-azureml-token is invalid: this emulator did not issue it, or it has expired",
        )),
    }
}

/// The name of a step's run.
pub(super) fn new_run() -> String {
    Uuid::new_v4().to_string()
}

/// A job that is taken in.
pub(super) struct Submission<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) workspace: &'a str,
    pub(super) name: &'a str,
    pub(super) experiment: String,
}

impl Submission<'_> {
    fn command(&self, mut body: Value) -> Answer<Resource> {
        let call = self.call;
        let (plan, compute) = command::read(call, self.workspace, self.name)?;
        let status = RunStatus::Starting;
        body["properties"]["status"] = json!(status.as_str());
        body["properties"]["jobType"] = json!("Command");
        let plan = stored(&Plan::Command(Box::new(plan)))?;
        let mut run = Run::new(self.workspace, self.name, &self.experiment, status, call.now, plan);
        run.compute = compute.map(|compute| compute.to_lowercase());
        Runs(call.connection).insert(&run)?;
        Ok(call.resources().put("jobs", body)?)
    }

    fn pipeline(&self, body: Value) -> Answer<Resource> {
        let call = self.call;
        let pipeline = pipeline::read(call, self.workspace, &body["properties"], new_run)?;
        self.insert(body, &pipeline)
    }

    /// Takes in a pipeline that can be run.
    pub(super) fn insert(&self, mut body: Value, pipeline: &Pipeline) -> Answer<Resource> {
        let call = self.call;
        let status = RunStatus::Preparing;
        body["properties"]["status"] = json!(status.as_str());
        body["properties"]["jobType"] = json!("Pipeline");
        let plan = stored(&Plan::Pipeline(pipeline.plan.clone()))?;
        let run = Run::new(self.workspace, self.name, &self.experiment, status, call.now, plan);
        let runs = Runs(call.connection);
        runs.insert(&run)?;
        let job = call.resources().put("jobs", body)?;
        for step in &pipeline.steps {
            let child = self.child(step);
            let plan = stored(&Plan::Command(Box::new(step.plan.clone())))?;
            let status = RunStatus::NotStarted;
            let mut row =
                Run::new(self.workspace, &step.run, &self.experiment, status, call.now, plan);
            row.parent = Some(run.key.clone());
            row.step = Some(step.name.clone());
            row.compute = step.compute.as_ref().map(|compute| compute.to_lowercase());
            runs.insert(&row)?;
            call.resources().put("jobs", child)?;
        }
        Ok(job)
    }

    /// A step as a job of its own.
    fn child(&self, step: &Step) -> Value {
        let plan = &step.plan;
        let mut properties = json!({
            "jobType": "Command",
            "status": RunStatus::NotStarted.as_str(),
            "displayName": step.display_name,
            "experimentName": self.experiment,
            "componentId": step.component,
            "computeId": step.compute,
            "codeId": plan.code.as_ref().map(|code| &code.id),
            "environmentId": plan.environment,
            "command": plan.command,
            "environmentVariables": plan.environment_variables,
            "resources": {"instanceCount": 1},
            "inputs": shown_inputs(plan),
            "outputs": shown_outputs(plan),
            "properties": {
                PIPELINE: self.name,
                "azureml.rootpipelinerunid": self.name,
                "azureml.isreused": "false",
            },
        });
        complete(&mut properties, &step.run);
        json!({
            "id": format!("{}/jobs/{}", self.workspace, step.run),
            "name": step.run,
            "type": TYPE,
            "systemData": self.call.system_data(None),
            "properties": properties,
        })
    }
}

/// Literals; where data is, is shown when it is known.
fn shown_inputs(plan: &CommandPlan) -> Map<String, Value> {
    let inputs = plan.inputs.iter().filter_map(|(name, source)| match source {
        Source::Literal { value } => {
            Some((name.clone(), json!({"jobInputType": "literal", "value": value})))
        }
        _ => None,
    });
    inputs.collect()
}

fn shown_outputs(plan: &CommandPlan) -> Map<String, Value> {
    let shown = |output: &Output| {
        let asset = output.asset.as_ref();
        json!({
            "jobOutputType": output.data.kind,
            "mode": output.data.mode,
            "assetName": asset.map(|asset| &asset.name),
            "assetVersion": asset.and_then(|asset| asset.version.as_ref()),
        })
    };
    plan.outputs.iter().map(|(name, output)| (name.clone(), shown(output))).collect()
}

fn stored(plan: &Plan) -> Answer<Value> {
    serde_json::to_value(plan).map_err(|error| Failure::Broken(error.into()))
}
