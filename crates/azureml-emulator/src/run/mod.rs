//! Commands that jobs run: as processes of this machine, with files for their inputs and outputs, and Azure ML's environment.

pub(crate) mod artifacts;
mod execution;
mod failure;
mod folder;
mod interpreter;
mod log;
mod mini_batches;
mod mounts;
mod template;
#[cfg(all(test, unix))]
mod tests;
mod variables;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::watch;

pub(crate) use self::{
    artifacts::write_log,
    folder::clear,
    mini_batches::{COMMAND, INPUT, MODEL, MiniBatches, OUTPUT},
};
use crate::{place::Place, world::World};

/// A command that is to be run, with all that it gets.
#[derive(Debug, Clone)]
pub(crate) struct CommandRun {
    pub(crate) workspace_id: String,
    /// The job's name, which is the run's id.
    pub(crate) name: String,
    /// The name of the pipeline that it is a step of.
    pub(crate) parent: Option<String>,
    pub(crate) experiment: String,
    /// With `${{inputs.x}}`, `${{outputs.y}}` and `$[[ .. ]]`.
    pub(crate) command: String,
    pub(crate) code: Option<Place>,
    /// An environment's id, or a reference to a registry's.
    pub(crate) environment: Option<String>,
    pub(crate) environment_variables: BTreeMap<String, String>,
    pub(crate) inputs: BTreeMap<String, RunInput>,
    pub(crate) outputs: BTreeMap<String, RunOutput>,
    /// Of the compute's user-assigned identity: `DEFAULT_IDENTITY_CLIENT_ID`.
    pub(crate) identity_client_id: Option<String>,
    /// The name of the compute.
    pub(crate) compute: Option<String>,
    /// After how long it is canceled. By the machine's clock: commands run no faster on another.
    pub(crate) limits: Option<Duration>,
    /// If the command is to call a scoring script for files.
    pub(crate) mini_batches: Option<MiniBatches>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunInput {
    Literal(String),
    Data {
        place: Place,
        is_folder: bool,
        mode: String,
    },
    /// An optional one that was not given.
    Absent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunOutput {
    /// `uri_file`, `uri_folder`, `custom_model`, ..
    pub(crate) kind: String,
    pub(crate) mode: String,
    pub(crate) place: Place,
}

/// How a command has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Its outputs are where they belong.
    Completed,
    /// The error is one of Azure Resource Manager: `{code, message, ..}`.
    Failed {
        error: Value,
    },
    Canceled,
}

/// Runs a command to its end, or until `cancel` says true. What it printed and wrote is kept when this returns. Its status is `Running` before, and is made `Finalizing` while its outputs
/// are put away; the caller notes how it has ended.
pub(crate) async fn execute(
    world: &Arc<World>,
    run: CommandRun,
    cancel: watch::Receiver<bool>,
) -> Outcome {
    execution::execute(world, &run, cancel).await
}
