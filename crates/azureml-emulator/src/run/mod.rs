//! The execution of one command as a local process.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::watch;

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
    /// After how long by the emulator's clock it is ended.
    pub(crate) limits: Option<Duration>,
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

/// Runs a command to its end, or until `cancel` says true. Its status is `Running` before, and is made `Finalizing` while its outputs
/// are put away; the caller notes how it has ended.
pub(crate) async fn execute(
    _world: &Arc<World>,
    run: CommandRun,
    _cancel: watch::Receiver<bool>,
) -> Outcome {
    let message = format!("{}: this emulator cannot run commands yet", run.name);
    Outcome::Failed { error: json!({"code": "NotImplementedInEmulator", "message": message}) }
}

/// Keeps the text of a log, such as `logs/azureml/executionlogs.txt`, whole: it replaces what was there of that name.
pub(crate) async fn write_log(
    _world: &Arc<World>,
    _workspace_id: &str,
    _run_name: &str,
    _file_name: &str,
    _text: String,
) -> std::io::Result<()> {
    Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
}
