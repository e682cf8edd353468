//! Tools that checks need, at pinned versions, built once under `target/`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{cargo, root, run, target};

const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";
const FUZZ_TARGETS: &[&str] =
    &["bundle", "csv", "envelope", "python_json", "scikit_learn", "score", "transform_params"];

/// Checks `deny.toml`. Advisories are not among the checks: their database is not in the package registry.
pub(crate) fn deny() -> Result<()> {
    let deny = install("cargo-deny", CARGO_DENY)?;
    let mut check = Command::new(deny);
    check.current_dir(root()).args(["--locked", "check", "bans", "licenses", "sources"]);
    run(&mut check)
}

/// Runs each fuzz target, or those that are named, for a number of seconds, from the committed seeds.
pub(crate) fn fuzz(args: &[String]) -> Result<()> {
    let (seconds, targets) = args.split_first().context("cargo xtask fuzz SECONDS [TARGET..]")?;
    let seconds: u32 = seconds.parse().context("cargo xtask fuzz SECONDS [TARGET..]")?;
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let targets = if targets.is_empty() { FUZZ_TARGETS } else { &targets };
    let fuzz = install("cargo-fuzz", CARGO_FUZZ)?;
    for target in targets {
        let [found, seeds] = ["found", "corpus"].map(|folder| format!("fuzz/{folder}/{target}"));
        fs::create_dir_all(root().join(&found))?;
        let mut run_target = Command::new(&fuzz);
        run_target.current_dir(root()).args(["run", target, &found, &seeds, "--"]);
        run_target.arg(format!("-max_total_time={seconds}"));
        // The address sanitizer is a compiler flag that stable accepts only this way.
        run(run_target.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
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
