use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{place::Place, run::MiniBatches};

/// What a job is to do, made out and checked when it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Plan {
    Command(Box<CommandPlan>),
    Pipeline(PipelinePlan),
}

/// A command: a job on its own, or a pipeline's step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandPlan {
    pub(crate) command: String,
    pub(crate) code: Option<Code>,
    pub(crate) environment: Option<String>,
    pub(crate) environment_variables: BTreeMap<String, String>,
    pub(crate) inputs: BTreeMap<String, Source>,
    pub(crate) outputs: BTreeMap<String, Output>,
    /// Of a managed identity that the job asks for itself.
    pub(crate) identity_client_id: Option<String>,
    pub(crate) timeout_seconds: Option<u64>,
    /// If it is a scoring script that is called for files, a few at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mini_batches: Option<MiniBatches>,
    pub(crate) reuse: Reuse,
}

/// Whether equal runs have equal outputs, so that one run is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reuse {
    /// The outputs of an earlier run are taken.
    Take,
    /// It runs, and its outputs may be taken later.
    Offer,
    Never,
}

/// A version of code, and where its files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Code {
    pub(crate) id: String,
    /// By its content, or by its id if nobody said what its content is.
    pub(crate) identity: String,
    pub(crate) place: Place,
}

/// What an input gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "camelCase")]
pub(crate) enum Source {
    Literal {
        value: String,
    },
    Data {
        place: Place,
        data: DataPort,
    },
    /// The output of another step, known when that has completed.
    Step {
        step: String,
        output: String,
        data: DataPort,
    },
    /// An optional input that was not given.
    Absent,
}

/// How a command sees data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataPort {
    /// `uri_file`, ..
    pub(crate) kind: String,
    /// `ReadOnlyMount`, ..
    pub(crate) mode: String,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    pub(crate) data: DataPort,
    pub(crate) place: Place,
    /// The model or data asset that it becomes.
    pub(crate) asset: Option<Asset>,
}

/// What an output is registered as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asset {
    pub(crate) name: String,
    /// The next, if none is said.
    pub(crate) version: Option<String>,
}

/// A pipeline, whose steps are runs of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PipelinePlan {
    pub(crate) continue_on_step_failure: bool,
    /// Its outputs, each that of a step.
    pub(crate) outputs: BTreeMap<String, StepOutput>,
}

/// An output of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepOutput {
    pub(crate) step: String,
    pub(crate) output: String,
}

impl CommandPlan {
    /// The steps whose outputs it needs.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        self.inputs.values().filter_map(|source| match source {
            Source::Step { step, .. } => Some(step.as_str()),
            _ => None,
        })
    }
}

impl DataPort {
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.kind.as_str(), "uri_folder" | "mltable" | "mlflow_model" | "triton_model")
    }

    pub(crate) fn is_model(&self) -> bool {
        self.kind.ends_with("_model")
    }
}
