//! The tests of spinney-azureml with everything written down: what they print and log, for the test that looks for secrets in it, and
//! what their servers were asked and answered, for the check against Azure's specification.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{cargo, npm, root, run, target};

/// Tells a test where the output of all tests is.
pub(crate) const OUTPUT: &str = "SPINNEY_AZUREML_OUTPUT";
/// Tells tests where to write down what their servers are asked and answer.
const TRAFFIC: &str = "SPINNEY_AZUREML_TRAFFIC";
/// Tells where Azure's public specifications are. They are Microsoft's, and not part of this project.
const SPECIFICATIONS: &str = "SPINNEY_AZURE_SPECS";

/// The check against the specification, and the packages it needs.
pub(crate) const CHECK: &str = "crates/azureml/tests/specification";
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
    let mut test = cargo("test");
    test.args(["--locked", "--package", "spinney-azureml", "--tests", "--", "--nocapture"]);
    test.env("RUST_LOG", "trace").env(TRAFFIC, &said.traffic);
    test.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let status = test.status().with_context(|| format!("could not start {test:?}"))?;
    if !status.success() {
        print_without_log(&fs::read(&said.output)?);
        bail!("{test:?} failed: {status}; all that was logged is in {}", said.output.display());
    }
    Ok(said)
}

/// Prints what tests printed, without the lines of the log, which begin with a time.
fn print_without_log(output: &[u8]) {
    let output = String::from_utf8_lossy(output);
    let is_logged = |line: &&str| line.starts_with("20") && line.get(10..11) == Some("T");
    output.lines().filter(|line| !is_logged(line)).for_each(|line| println!("{line}"));
}

/// `cargo xtask azure-specification`.
pub(crate) fn check_specification() -> Result<()> {
    match specifications()? {
        Some(folder) => run_check(&folder, &run_tests()?),
        None => Ok(()),
    }
}

/// Checks what tests said that have run already.
pub(crate) fn check_specification_of(said: &Said) -> Result<()> {
    match specifications()? {
        Some(folder) => run_check(&folder, said),
        None => Ok(()),
    }
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

fn run_check(specifications: &Path, said: &Said) -> Result<()> {
    let modules = npm::install(CHECK, "azure-specification")?;
    let mut check = Command::new("node");
    check.arg(root().join(CHECK).join("check.js"));
    check.args([specifications, &said.traffic, &root().join(TRACES)]);
    run(check.env("NODE_PATH", modules))
}
