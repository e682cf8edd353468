//! Scoring scripts, under Azure ML's own inference server.

use std::{collections::BTreeMap, ffi::OsString, path::Path, sync::Arc};

use super::{folders::Folder, prepare::Problem, prepared::Argument};
use crate::{process::Program, world::World};

/// What is to be installed where it is missing.
const PACKAGE: &str = "azureml-inference-server-http";

/// Says by its exit code whether the server is there, without loading it.
const LOOK: &str = "import importlib.util, sys
sys.exit(importlib.util.find_spec('azureml_inference_server_http') is None)";

/// Starts the server as its own program does, but for this machine alone: it would listen at every address.
const START: &str = "import azureml_inference_server_http.constants as constants
constants.DEFAULT_HOST = '127.0.0.1'
from azureml_inference_server_http.amlserver import run
run()";

/// The Python that has the server, or what is missing.
pub(super) async fn python<'a>(
    world: &'a Arc<World>,
    folder: &Folder,
    variables: &BTreeMap<String, String>,
) -> Result<&'a Path, Problem> {
    let Some(python) = &world.programs.python else {
        let why = format!(
            "a scoring script needs a Python with {PACKAGE}: start the emulator with --python PATH"
        );
        return Err(Problem::image(why));
    };
    let program = Program {
        program: python.clone(),
        args: ["-c", LOOK].map(OsString::from).into(),
        folder: folder.scratch(),
        environment: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        output: folder.initializer_log(),
    };
    let looked = async { program.start(world)?.wait().await };
    match looked.await {
        Ok(status) if status.success() => Ok(python),
        Ok(_) => Err(Problem::image(format!(
            "{} has no {PACKAGE}: install it there with `pip install {PACKAGE}`",
            python.display()
        ))),
        Err(error) => {
            Err(Problem::image(format!("{} cannot be started: {error}", python.display())))
        }
    }
}

pub(super) fn arguments(script: &Path) -> Vec<Argument> {
    let text = |text: &str| Argument::Text(text.into());
    vec![
        text("-c"),
        text(START),
        text("--entry_script"),
        Argument::Text(script.into()),
        text("--port"),
        Argument::Port,
    ]
}
