//! Python peers in virtual environments, at pinned versions: those that tests compare with, clients that the server is tested with,
//! and those that are measured.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{root, run, target};

/// Tells tests where the peers' Python is.
pub(crate) const PYTHON: &str = "SPINNEY_PEERS_PYTHON";
/// Tells tests where the Python is that has clients of the server.
pub(crate) const CLIENTS_PYTHON: &str = "SPINNEY_CLIENTS_PYTHON";

/// Tells tests where the Python is that has an S3 server.
pub(crate) const MOTO_PYTHON: &str = "SPINNEY_MOTO_PYTHON";

/// Tells tests where the Python is that runs scoring scripts for the emulator.
pub(crate) const INFERENCE_PYTHON: &str = "SPINNEY_INFERENCE_PYTHON";

/// Where the versions stand that fixtures are made with and tests compare with.
const TESTED: &str = "fixtures/requirements.txt";
/// Where the versions of clients stand, apart from those that fixtures are made with: Azure's SDK brings fifty packages.
const CLIENTS: &str = "examples/serve-bundle/tests/clients/requirements.txt";
/// Where the versions of Azure ML's inference server stand, and of what it needs.
const INFERENCE: &str = "crates/azureml-emulator/tests/inference/requirements.txt";
/// Where the versions of an S3 server for tests stand.
const MOTO: &str = "examples/score-batch/tests/moto/requirements.txt";
/// Where the versions stand that are measured.
const MEASURED: &str = "benches/peers/requirements.txt";

/// Sets up what tests compare with and returns its Python.
pub(crate) fn set_up() -> Result<PathBuf> {
    install(TESTED, "peers")
}

/// Sets up clients of the server and returns their Python.
pub(crate) fn set_up_clients() -> Result<PathBuf> {
    install(CLIENTS, "clients")
}

/// Sets up Azure ML's inference server and returns its Python.
pub(crate) fn set_up_inference() -> Result<PathBuf> {
    install(INFERENCE, "inference")
}

/// Sets up an S3 server for tests and returns its Python.
pub(crate) fn set_up_moto() -> Result<PathBuf> {
    install(MOTO, "moto")
}

/// Sets up what is measured and returns its Python.
pub(crate) fn set_up_measured() -> Result<PathBuf> {
    install(MEASURED, "bench-peers")
}

/// Makes the virtual environment if it is not there, or not of these requirements, and returns its Python.
fn install(requirements: &str, venv: &str) -> Result<PathBuf> {
    let wanted = fs::read_to_string(root().join(requirements)).context(requirements.to_owned())?;
    let venv = std::path::absolute(target().join(venv))?;
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let stamp = venv.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!("setting up the peers in {}", venv.display());
    make_venv(&venv)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(root().join(requirements)))?;
    // Written last: a set-up that was interrupted begins anew.
    fs::write(stamp, wanted)?;
    Ok(python)
}

/// Where Python lacks `venv`'s own pip (Debian's does), the package virtualenv brings one.
fn make_venv(venv: &Path) -> Result<()> {
    let python = host_python()?;
    if venv.exists() {
        fs::remove_dir_all(venv)?;
    }
    run(Command::new(&python).args(["-m", "venv"]).arg(venv))
        .or_else(|_| run(Command::new(&python).args(["-m", "virtualenv"]).arg(venv)))
        .context("Python can make no virtual environment: install its venv module")
}

fn host_python() -> Result<String> {
    let asked = env::var("PYTHON").ok().into_iter();
    let usual = ["python3", "python"].map(str::to_owned);
    for python in asked.chain(usual) {
        let mut version = Command::new(&python);
        version.args(["-c", "import sys; print(sys.version_info >= (3, 11))"]);
        if version.output().is_ok_and(|output| output.stdout.starts_with(b"True")) {
            return Ok(python);
        }
    }
    bail!(
        "the tests compare with scikit-learn, which needs Python 3.11 or later: set PYTHON to one"
    )
}
