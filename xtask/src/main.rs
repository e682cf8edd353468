//! Set-up and checks of this workspace that need logic:
//! `cargo xtask test|scale|peers|clients|azurite|browser|azure-specification|golden|gates|deny|fuzz|bench`.
#![allow(clippy::print_stdout, reason = "a program talks")]

mod azureml;
mod azurite;
mod browser;
mod emulator;
mod gates;
mod npm;
mod peers;
mod tools;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

const USAGE: &str = "usage: cargo xtask COMMAND

  test [ARGS]  sets up peers, clients and Azurite and runs all tests, those that need them too; ARGS go to cargo test
  scale [ARGS] likewise for what is built by name only: scoring on DataFusion and Ballista
  peers        sets up the peers only: scikit-learn in a virtual environment under target/
  clients      sets up the clients of the server only: Azure's SDK and others, likewise
  azurite      sets up Azurite, the storage that the Azure ML client and the emulator are tested with, and runs those tests
  browser      sets up headless Chromium, and looks at the emulator's page with it
  azure-specification  checks what the Azure ML client sends, and what the emulator answers, against the folder SPINNEY_AZURE_SPECS
  golden       makes fixtures/ again from its scripts, with the peers' versions
  gates        checks who depends on whom
  deny         checks licences, sources and banned crates of all dependencies
  fuzz SECONDS [TARGET..]  runs each fuzz target that long, or those that are named
  bench TABLE  measures beside the peers and prints a table: training, prediction, bundle, serving, azureml or scale; more arguments go to the script";

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("test") => test(&args[1..]),
        Some("scale") => scale(&args[1..]),
        Some("peers") => peers::set_up().map(|python| println!("{}", python.display())),
        Some("clients") => peers::set_up_clients().map(|python| println!("{}", python.display())),
        Some("azurite") => azurite::test(),
        Some("browser") => browser::test(),
        Some("azure-specification") => azureml::check_specification(azureml::run_tests)
            .and_then(|()| emulator::check_specification(emulator::run_tests)),
        Some("golden") => golden(),
        Some("gates") => gates::check(),
        Some("deny") => tools::deny(),
        Some("fuzz") => tools::fuzz(&args[1..]),
        Some("bench") => bench(&args[1..]),
        _ => bail!(USAGE),
    }
}

/// Tests that need a peer are marked as ignored, so that `cargo test` works without any set-up. Here they run too.
fn test(args: &[String]) -> Result<()> {
    let mut test = cargo("test");
    test.args(["--workspace", "--locked"]).args(without_scale()).args(args);
    test.env(peers::PYTHON, peers::set_up()?);
    test.env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.env(peers::INFERENCE_PYTHON, peers::set_up_inference()?);
    test.env(azurite::PROGRAM, azurite::set_up()?);
    test.env(browser::MODULES, browser::set_up()?);
    let recordings = emulator::new_recordings()?;
    test.env(emulator::TRAFFIC, &recordings);
    let said = azureml::run_tests()?;
    test.env(azureml::OUTPUT, &said.output);
    if !args.iter().any(|arg| arg == "--") {
        test.arg("--");
    }
    run(test.arg("--include-ignored"))?;
    azureml::check_specification(|| Ok(said))?;
    emulator::check_specification(|| Ok(recordings))
}

/// Packages on DataFusion and Ballista, which take ten minutes to build and are no default members for that.
const SCALE: [&str; 2] = ["spinney-scale", "score-batch"];

pub(crate) fn without_scale() -> impl Iterator<Item = &'static str> {
    SCALE.into_iter().flat_map(|package| ["--exclude", package])
}

/// All tests of those packages, with Azurite and moto for those that need storage.
fn scale(args: &[String]) -> Result<()> {
    let mut test = cargo("test");
    test.args(SCALE.into_iter().flat_map(|package| ["--package", package]));
    test.arg("--locked").args(args).env(azurite::PROGRAM, azurite::set_up()?);
    test.env(peers::CLIENTS_PYTHON, peers::set_up_clients()?);
    test.env(peers::MOTO_PYTHON, peers::set_up_moto()?);
    if !args.iter().any(|arg| arg == "--") {
        test.arg("--");
    }
    run(test.arg("--include-ignored"))
}

fn golden() -> Result<()> {
    let python = peers::set_up()?;
    run(Command::new(python).arg(root().join("fixtures/make_all.py")))
}

/// Programs in Rust and in Python, one after the other, on the same data.
fn bench(args: &[String]) -> Result<()> {
    let [table, rest @ ..] = args else { bail!(USAGE) };
    let script = root().join("benches/peers").join(format!("{table}.py"));
    ensure!(
        script.is_file(),
        "there is no table {table}: ask for training, prediction, bundle, serving, azureml or scale"
    );
    let mut build = cargo("build");
    build.args(["--release", "--locked"]);
    let data = target().join("bench-data");
    if table == "azureml" {
        // Its peer is a client that tests have too.
        let python = peers::set_up_clients()?;
        run(build.args(["--package", "azureml"]))?;
        let mut measure = Command::new(python);
        measure.env(azurite::PROGRAM, azurite::set_up()?);
        return run(measure.arg(script).arg(data).arg(target().join("release")).args(rest));
    }
    let python = peers::set_up_measured()?;
    if table == "scale" {
        let mut build = cargo("build");
        build.args(["--profile", "figures", "--locked", "--package", "spinney-scale"]);
        run(build.args(["--example", "throughput"]))?;
        let program = target().join("figures/examples/throughput");
        return run(Command::new(python).arg(script).arg(data).arg(program).args(rest));
    }
    build.args(["--package", "benches"]);
    if table == "serving" {
        // What makes the bundle, and what serves it.
        build.args(["--package", "ames-pipeline", "--package", "serve-bundle"]);
    }
    run(&mut build)?;
    run(Command::new(python).arg(script).arg(data).arg(target().join("release")).args(rest))
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder for what is built, which is never part of the project.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(command).current_dir(root());
    // What cargo told this program about itself. Build scripts look at it, ring's among them: all above ring would be built anew.
    let told = |name: &str| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(told)) {
        cargo.env_remove(name);
    }
    cargo
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed: {status}");
    Ok(())
}
