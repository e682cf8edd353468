//! The tests of spinney-azureml-emulator that need more than cargo: its peers, and the check of what it answers against Azure's
//! specification.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{azureml, azurite, browser, cargo, npm, peers, root, run, target};

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

/// Runs the emulator's tests, and checks what was answered in them.
pub(crate) fn check_specification() -> Result<()> {
    if azureml::specifications()?.is_none() {
        return Ok(());
    }
    let recordings = new_recordings()?;
    let mut test = cargo("test");
    test.env(TRAFFIC, &recordings);
    test.env(peers::PYTHON, peers::set_up()?);
    test.env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.env(azurite::PROGRAM, azurite::set_up()?);
    test.env(browser::MODULES, browser::set_up()?);
    test.args(["--locked", "--package", "spinney-azureml-emulator", "--tests"]);
    run(test.args(["--", "--include-ignored"]))?;
    check_specification_of(&recordings)
}

/// Checks what was answered in tests that have run already.
pub(crate) fn check_specification_of(recordings: &Path) -> Result<()> {
    let Some(specifications) = azureml::specifications()? else { return Ok(()) };
    let modules = npm::install(azureml::CHECK, "azure-specification")?;
    let mut check = Command::new("node");
    check.arg(root().join(CHECK).join("check.js")).arg(specifications).arg(recordings);
    run(check.env("NODE_PATH", modules))
}
