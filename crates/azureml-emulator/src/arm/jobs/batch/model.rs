//! Jobs of a model's deployment: a pipeline with one step, which calls the scoring script for all files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            batch_deployment_rules as rules,
            call::Call,
            field,
            reply::{Answer, Refusal},
        },
        given::{self, Casing, Given},
        pipeline::Pipeline,
        references, settings,
        step::Step,
        submission::new_run,
    },
    Request,
};
use crate::{
    jobs::{CommandPlan, DataPort, Output, PipelinePlan, Reuse, Source, StepOutput},
    run::{COMMAND, INPUT, MODEL, OUTPUT},
};

/// How Azure ML calls the step.
const STEP: &str = "batchscoring";

pub(super) fn pipeline(
    call: &Call<'_>,
    workspace: &str,
    deployment: &Value,
    request: &Request,
) -> Answer<Pipeline> {
    let mut properties = deployment.clone();
    for (name, value) in &request.overrides {
        properties[name] = value.clone();
    }
    let run = new_run();
    let output = output(call, workspace, &run, request, &mut properties)?;
    let resources = call.resources();
    let model = field::text(&properties, "/model/assetId")?;
    let model = Source::Data {
        place: references::data(call, workspace, &as_asset(model), &port("custom_model"))?,
        data: port("custom_model"),
    };
    let code = field::text(&properties, "/codeConfiguration/codeId")?;
    let environment = field::text(&properties, "/environmentId")?;
    let compute = field::text(&properties, "/compute")?;
    let variables = &properties["environmentVariables"];
    let plan = CommandPlan {
        command: COMMAND.to_owned(),
        code: Some(references::code(call, workspace, code)?),
        environment: Some(references::environment(resources, workspace, environment)?),
        environment_variables: settings::words(variables, "environmentVariables")?,
        inputs: BTreeMap::from([
            (INPUT.to_owned(), input(call, workspace, request)?),
            (MODEL.to_owned(), model),
        ]),
        outputs: BTreeMap::from([(OUTPUT.to_owned(), output)]),
        identity_client_id: None,
        timeout_seconds: None,
        mini_batches: Some(rules::mini_batches(&properties)?),
        reuse: Reuse::Never,
    };
    let step = Step {
        name: STEP.to_owned(),
        display_name: STEP.to_owned(),
        run,
        component: None,
        compute: references::compute(resources, workspace, compute)?,
        plan,
    };
    let score = StepOutput { step: STEP.to_owned(), output: OUTPUT.to_owned() };
    let outputs = BTreeMap::from([(OUTPUT.to_owned(), score)]);
    let plan = PipelinePlan { continue_on_step_failure: false, outputs };
    Ok(Pipeline { plan, steps: vec![step] })
}

fn port(kind: &str) -> DataPort {
    DataPort { kind: kind.to_owned(), mode: "ReadOnlyMount".to_owned() }
}

/// A reference to a model by its id or name, as jobs write it.
fn as_asset(reference: &str) -> String {
    if reference.starts_with('/') || reference.starts_with("azureml:") {
        reference.to_owned()
    } else {
        format!("azureml:{reference}")
    }
}

/// The one input of a model: files.
fn input(call: &Call<'_>, workspace: &str, request: &Request) -> Answer<Source> {
    let mut all = request.inputs.iter();
    let (Some((name, value)), None) = (all.next(), all.next()) else {
        let message = format!(
            "the deployment of a model takes one input, a folder or a file, and gets {}",
            request.inputs.len()
        );
        return Err(Refusal::user_error(message).into());
    };
    let path = format!("inputData.{name}");
    match given::input(value, Casing::Camel, &path)? {
        Some(Given::Data { kind, uri, .. }) if kind == "uri_file" || kind == "uri_folder" => {
            let data = port(&kind);
            let place = references::data(call, workspace, &uri, &data)?;
            Ok(Source::Data { place, data })
        }
        Some(Given::Data { kind, .. }) if kind == "mltable" => {
            Err(Refusal::not_implemented(format!("{path}: mini-batches of an mltable")).into())
        }
        _ => {
            let message = format!("{path} must be a folder or a file: uri_folder or uri_file");
            Err(Refusal::user_error(message).into())
        }
    }
}

/// Where the folder `score` goes. As in Azure, it may be said by the address of the file with the rows in it.
fn output(
    call: &Call<'_>,
    workspace: &str,
    run: &str,
    request: &Request,
    properties: &mut Value,
) -> Answer<Output> {
    if let Some(name) = request.outputs.keys().find(|name| *name != OUTPUT) {
        let message = format!("the deployment of a model has the output {OUTPUT}, and no {name}");
        return Err(Refusal::user_error(message).into());
    }
    let mut value = request.outputs.get(OUTPUT).cloned().unwrap_or(Value::Null);
    if value["jobOutputType"] == "uri_file" {
        let uri = field::text(&value, "/uri")?;
        let Some((folder, file)) = uri.rsplit_once('/').filter(|(_, file)| !file.is_empty()) else {
            let message = format!("outputData.{OUTPUT}.uri is {uri:?}, and must end with a file");
            return Err(Refusal::user_error(message).into());
        };
        properties["outputFileName"] = json!(file);
        value["uri"] = json!(folder);
        value["jobOutputType"] = json!("uri_folder");
    }
    let path = format!("outputData.{OUTPUT}");
    let given = given::output(&value, Casing::Camel, &path)?;
    let kind = given.kind.clone().unwrap_or_else(|| "uri_folder".to_owned());
    if kind != "uri_folder" {
        let message = format!("{path} must be a uri_folder or a uri_file, and is a {kind}");
        return Err(Refusal::user_error(message).into());
    }
    given.placed(call, workspace, run, OUTPUT, &kind, Some("ReadWriteMount"))
}
