//! The emulator as a program of its own, which can be killed, and what it has started.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// The program, which ends with the test, and what it has started with it.
pub(crate) struct Program(Child);

impl Program {
    /// Starts it at ports that are free, and does not wait.
    pub(crate) fn spawn(state: &Path, time_scale: u32) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spinney-azureml-emulator"));
        command.arg("--state").arg(state).args(["--port", "0", "--proxy-port", "0"]);
        command.arg("--time-scale").arg(time_scale.to_string());
        Self(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it can be worked with.
    pub(crate) fn start(state: &Path) -> Self {
        Self::start_by(state, 1)
    }

    /// Likewise, with a clock that is so much faster.
    pub(crate) fn start_by(state: &Path, time_scale: u32) -> Self {
        let mut program = Self::spawn(state, time_scale);
        let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        program
    }

    pub(crate) fn id(&self) -> String {
        self.0.id().to_string()
    }

    /// As by `kill -9`.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    /// Told to end, it ends what it has started; killed, it would leave that behind.
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = Command::new("kill").arg(self.id()).status();
            let start = Instant::now();
            while start.elapsed().as_secs() < 20 && matches!(self.0.try_wait(), Ok(None)) {
                sleep(Duration::from_millis(10));
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processes that run with a state's folder in their environment, as the emulator's programs do.
#[cfg(target_os = "linux")]
pub(crate) fn programs_of(state: &Path) -> Vec<String> {
    let mark = format!("SPINNEY_EMULATOR_STATE={}\0", state.canonicalize().unwrap().display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&mark)
        })
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}
