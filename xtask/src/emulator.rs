//! The tests of spinney-azureml-emulator that need more than cargo: its peers, and the check of what it answers against Azure's
//! specification.

use std::{fs, path::PathBuf};

use anyhow::Result;

use crate::{azureml, azurite, browser, cargo, peers, run, target};

/// Tells tests where emulators are to write down what they are asked and answer.
pub(crate) const TRAFFIC: &str = "SPINNEY_EMULATOR_TRAFFIC";

const CHECK: &str = "crates/azureml-emulator/tests/specification";

/// An empty folder for what emulators write down.
pub(crate) fn new_recordings() -> Result<PathBuf> {
    let folder = std::path::absolute(target().join("emulator-recordings"))?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs the tests, and returns the folder with what was asked and answered in them.
pub(crate) fn run_tests() -> Result<PathBuf> {
    let recordings = new_recordings()?;
    let mut test = cargo("test");
    test.env(TRAFFIC, &recordings);
    test.env(peers::PYTHON, peers::set_up()?);
    test.env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.env(azurite::PROGRAM, azurite::set_up()?);
    test.env(browser::MODULES, browser::set_up()?);
    test.args(["--locked", "--package", "spinney-azureml-emulator", "--tests"]);
    run(test.args(["--", "--include-ignored"]))?;
    Ok(recordings)
}

/// Checks what tests are answered or have been, if there are specifications to check it against.
pub(crate) fn check_specification(recordings: impl FnOnce() -> Result<PathBuf>) -> Result<()> {
    let Some(specifications) = azureml::specifications()? else { return Ok(()) };
    azureml::run_check(CHECK, &[&specifications, &recordings()?])
}
