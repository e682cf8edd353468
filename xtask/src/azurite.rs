//! Azurite, Microsoft's storage emulator: the real peer of uploads and downloads, at a pinned version.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{cargo, peers, root, run, target};

/// Tells tests where Azurite's program is, which they start and end themselves.
pub(crate) const PROGRAM: &str = "SPINNEY_AZURITE";

/// Where the version stands, with those of all that it needs.
const PINNED: &str = "crates/azureml/tests/azurite";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs Azurite if it is not there, or not of this version, and returns its program, which node runs.
pub(crate) fn set_up() -> Result<PathBuf> {
    let folder = std::path::absolute(target().join("azurite"))?;
    let program = folder.join("node_modules/azurite/dist/src/blob/main.js");
    let stamp = folder.join("installed.json");
    let wanted = fs::read_to_string(root().join(PINNED).join(FILES[1])).context(PINNED)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    println!("setting up Azurite in {}", folder.display());
    fs::create_dir_all(&folder)?;
    for file in FILES {
        fs::copy(root().join(PINNED).join(file), folder.join(file))?;
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut install = Command::new(npm);
    // No package of these needs to run anything when it is installed.
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    run(install.current_dir(&folder)).context("Azurite needs Node.js 20 or later with npm")?;
    // Written last: a set-up that was interrupted begins anew.
    fs::write(stamp, wanted)?;
    Ok(program)
}

/// Runs the tests that need it, and shows the figures that they print.
pub(crate) fn test() -> Result<()> {
    let mut test = cargo("test");
    test.env(PROGRAM, set_up()?);
    test.env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.args(["--locked", "--package", "spinney-azureml", "--test", "azurite"]);
    test.args(["--test", "azurite_memory", "--", "--include-ignored", "--nocapture"]);
    run(&mut test)
}
