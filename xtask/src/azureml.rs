//! The tests of spinney-azureml with everything written down: what they print and log, for the test that looks for secrets in it, and
//! what their servers were asked and answered, for the check against Azure's specification.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Deserializer, Value};

use crate::{cargo, npm, root, run, target, without_scale};

/// Tells a test where the output of all tests is.
pub(crate) const OUTPUT: &str = "SPINNEY_AZUREML_OUTPUT";
/// Tells tests where to write down what their servers are asked and answer.
const TRAFFIC: &str = "SPINNEY_AZUREML_TRAFFIC";
/// Tells where Azure's public specifications are. They are Microsoft's, and not part of this project.
const SPECIFICATIONS: &str = "SPINNEY_AZURE_SPECS";

const PACKAGE: &str = "crates/azureml";
/// The check against the specification, and the packages it needs.
const CHECK: &str = "crates/azureml/tests/specification";
/// What Microsoft's SDK said and accepted.
const TRACES: &str = "fixtures/azureml/traces";

/// What the tests said.
pub(crate) struct Said {
    /// Everything that was printed and logged.
    pub(crate) output: PathBuf,
    traffic: PathBuf,
}

/// Runs the tests, logging as much as there is.
pub(crate) fn run_tests() -> Result<Said> {
    let folder = std::path::absolute(target().join("azureml-said"))?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let said = Said { output: folder.join("output.txt"), traffic: folder.join("traffic") };
    let output = File::create(&said.output)?;
    let package = root().join(PACKAGE);
    for program in build_tests()? {
        let mut test = Command::new(program);
        // Where cargo runs a test, and what it tells it: what is inherited tells of this program.
        test.arg("--nocapture").current_dir(&package).env("CARGO_MANIFEST_DIR", &package);
        test.env("RUST_LOG", "trace").env(TRAFFIC, &said.traffic);
        test.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        let status = test.status().with_context(|| format!("could not start {test:?}"))?;
        if !status.success() {
            print_without_log(&fs::read(&said.output)?);
            bail!("{test:?} failed: {status}; all that was logged is in {}", said.output.display());
        }
    }
    Ok(said)
}

/// Builds the tests of the whole workspace, and returns the programs that are this package's. Built alone, its dependencies would have
/// other features, and be built once more for the run of all tests.
fn build_tests() -> Result<Vec<PathBuf>> {
    let mut build = cargo("test");
    build.args(["--workspace", "--locked", "--no-run"]).args(without_scale());
    build.args(["--message-format", "json-render-diagnostics"]);
    let output = build.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("could not start {build:?}"))?;
    ensure!(output.status.success(), "{build:?} failed: {}", output.status);
    let manifest = Path::new(PACKAGE).join("Cargo.toml");
    let mut programs = Vec::new();
    for message in Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let message = message.context("what cargo has built")?;
        let is_own =
            message["manifest_path"].as_str().is_some_and(|of| Path::new(of).ends_with(&manifest));
        if is_own && message["profile"]["test"] == true {
            programs.extend(message["executable"].as_str().map(PathBuf::from));
        }
    }
    ensure!(!programs.is_empty(), "{build:?} has built no tests of {PACKAGE}");
    // They come in the order in which they were ready.
    programs.sort();
    Ok(programs)
}

/// Prints what tests printed, without the lines of the log, which begin with a time.
fn print_without_log(output: &[u8]) {
    let output = String::from_utf8_lossy(output);
    let is_logged = |line: &&str| line.starts_with("20") && line.get(10..11) == Some("T");
    output.lines().filter(|line| !is_logged(line)).for_each(|line| println!("{line}"));
}

/// Checks what tests say or have said, if there are specifications to check it against.
pub(crate) fn check_specification(said: impl FnOnce() -> Result<Said>) -> Result<()> {
    let Some(specifications) = specifications()? else { return Ok(()) };
    let said = said()?;
    run_check(CHECK, &[&specifications, &said.traffic, &root().join(TRACES)])
}

/// The folder with the specifications, or a word that there is none.
pub(crate) fn specifications() -> Result<Option<PathBuf>> {
    let Some(folder) = env::var_os(SPECIFICATIONS).filter(|folder| !folder.is_empty()) else {
        println!(
            "azure specification: SKIPPED, as {SPECIFICATIONS} is not set: it is to name a copy of Azure's public specifications, with \
             specification/machinelearningservices/resource-manager/.. in it"
        );
        return Ok(None);
    };
    Ok(Some(std::path::absolute(folder)?))
}

/// Runs the script of a check, which is told where the specifications are and what is held against them.
pub(crate) fn run_check(of: &str, folders: &[&Path]) -> Result<()> {
    let modules = npm::install(CHECK, "azure-specification")?;
    let mut check = Command::new("node");
    check.arg(root().join(of).join("check.js")).args(folders);
    run(check.env("NODE_PATH", modules))
}
