//! Azurite, Microsoft's storage emulator: the real peer of uploads and downloads, at a pinned version.

use std::path::PathBuf;

use anyhow::Result;

use crate::{cargo, npm, peers, run};

/// Tells tests where Azurite's program is, which they start and end themselves.
pub(crate) const PROGRAM: &str = "SPINNEY_AZURITE";

/// Where the version stands, with those of all that it needs.
const PINNED: &str = "crates/azureml/tests/azurite";

/// Installs Azurite if it is not there, or not of this version, and returns its program, which node runs.
pub(crate) fn set_up() -> Result<PathBuf> {
    Ok(npm::install(PINNED, "azurite")?.join("azurite/dist/src/blob/main.js"))
}

/// Runs the tests that need it, and shows the figures that they print.
pub(crate) fn test() -> Result<()> {
    let mut test = cargo("test");
    test.env(PROGRAM, set_up()?);
    test.env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.args(["--locked", "--package", "spinney-azureml", "--test", "azurite"]);
    test.args(["--test", "azurite_memory", "--", "--include-ignored", "--nocapture"]);
    run(&mut test)?;
    let mut test = cargo("test");
    test.env(PROGRAM, set_up()?).env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.args(["--locked", "--package", "spinney-azureml-emulator", "--tests"]);
    run(test.args(["--", "--include-ignored", "azurite"]))
}
