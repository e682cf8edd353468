//! Tools that checks need, at pinned versions, built once under `target/`.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{cargo, root, run, target};

const CARGO_DENY: &str = "0.20.2";

/// Checks `deny.toml`. Advisories are not among the checks: their database is not in the package registry.
pub(crate) fn deny() -> Result<()> {
    let deny = install("cargo-deny", CARGO_DENY)?;
    let mut check = Command::new(deny);
    check.current_dir(root()).args(["--locked", "check", "bans", "licenses", "sources"]);
    run(&mut check)
}

fn install(package: &str, version: &str) -> Result<PathBuf> {
    let folder = std::path::absolute(target().join("tools").join(format!("{package}-{version}")))?;
    let binary = folder.join("bin").join(package).with_extension(std::env::consts::EXE_EXTENSION);
    if !binary.exists() {
        let mut install = cargo("install");
        // A check runs for seconds and is built on every new machine: an unoptimised build is the shorter wait.
        install.args(["--locked", "--debug", "--version", version, package, "--root"]);
        run(install.arg(&folder))?;
    }
    Ok(binary)
}
