//! Jobs run: pipelines of shell commands.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod crash;
mod nodes;
mod pipelines;
mod refusals;
mod reuse;
mod road;
#[path = "../support/mod.rs"]
mod support;
mod work;

use std::{path::Path, process::Command};

/// The emulator as a program, which dies with the test.
struct Program(std::process::Child);

impl Program {
    /// Waits until it can be worked with.
    fn start(state: &Path) -> Self {
        use std::io::BufRead;

        let mut command = Command::new(env!("CARGO_BIN_EXE_spinney-azureml-emulator"));
        command.arg("--state").arg(state).args(["--port", "0", "--proxy-port", "0"]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        Self(child)
    }

    /// As by `kill -9`.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
