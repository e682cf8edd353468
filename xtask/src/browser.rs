//! Headless Chromium, for the test of the emulator's page, at a pinned version: it is part of a package of Node.js.

use std::path::PathBuf;

use anyhow::Result;

use crate::{cargo, npm, run};

/// Tells tests where the packages are.
pub(crate) const MODULES: &str = "SPINNEY_BROWSER";

/// Where the version stands, with those of all that it needs.
const PINNED: &str = "crates/azureml-emulator/tests/browser";

/// Installs it if it is not there, or not of this version, and returns the folder with its packages.
pub(crate) fn set_up() -> Result<PathBuf> {
    npm::install(PINNED, "browser")
}

/// Runs the test that needs it.
pub(crate) fn test() -> Result<()> {
    let mut test = cargo("test");
    test.env(MODULES, set_up()?);
    test.args(["--locked", "--package", "spinney-azureml-emulator", "--test", "page_in_browser"]);
    run(test.args(["--", "--include-ignored"]))
}
