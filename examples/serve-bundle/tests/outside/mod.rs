//! Programs that others wrote.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test binary uses its share, and a test may fail by panicking"
)]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The Python that has the clients.
pub(crate) fn python() -> Command {
    let python = env::var_os("SPINNEY_CLIENTS_PYTHON");
    let python = python.expect("cargo xtask test sets the clients up and says where they are");
    let mut command = Command::new(python);
    // Whatever proxy there is, it does not lead to this machine.
    command.env("NO_PROXY", "*");
    command
}

/// A script that such a Python runs.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// What a program that succeeded wrote.
pub(crate) fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}
