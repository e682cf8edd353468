//! The program as processes: a run, a scheduler, executors. All of them end with the test.
#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::houses::{Houses, bundle, read_output};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_score-batch");

/// No test waits longer than this for anything. It only keeps what hangs from hanging for ever.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Ports that nobody listens on.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Whether the process has a file open in a folder.
    pub(crate) fn has_open(&self, folder: &Path) -> bool {
        let files = fs::read_dir(format!("/proc/{}/fd", self.0.id()));
        files
            .into_iter()
            .flatten()
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target.starts_with(folder)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A scheduler and two executors of one core each.
pub(crate) struct Cluster {
    pub(crate) port: u16,
    pub(crate) scheduler: Option<Process>,
    pub(crate) executors: Vec<Process>,
    environment: Vec<(&'static str, String)>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// One whose processes have more in their environment.
    pub(crate) fn start_with(environment: Vec<(&'static str, String)>) -> Self {
        let [port] = free_ports();
        let mut cluster = Self { port, scheduler: None, executors: Vec::new(), environment };
        cluster.start_scheduler();
        cluster.start_executor();
        cluster.start_executor();
        cluster
    }

    pub(crate) fn start_scheduler(&mut self) {
        let mut command = Command::new(PROGRAM);
        command.args(["scheduler", "--executor-timeout", "4", "--port", &self.port.to_string()]);
        self.scheduler = Some(Process::start(command.envs(self.environment.clone())));
        wait_until("the scheduler", || is_open(self.port));
    }

    pub(crate) fn start_executor(&mut self) {
        let [port, control] = free_ports();
        let mut command = Command::new(PROGRAM);
        command.args(["executor", "--cores", "1", "--heartbeat", "1", "--scheduler", &self.url()]);
        command.args(["--port", &port.to_string(), "--control-port", &control.to_string()]);
        self.executors.push(Process::start(command.envs(self.environment.clone())));
        wait_until("the executor", || is_open(port));
    }

    pub(crate) fn url(&self) -> String {
        format!("df://127.0.0.1:{}", self.port)
    }
}

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A folder with a bundle, inputs, and what the bundle predicts of them.
pub(crate) struct Work {
    folder: TempDir,
    n_files: usize,
    expected: Vec<(i64, u64)>,
}

impl Work {
    pub(crate) fn new(n_files: usize, rows: usize, n_trees: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = bundle(n_trees, 1);
        bundle.save(folder.path().join("houses.bundle")).unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let mut expected = Vec::new();
        for number in 0..n_files {
            let houses = Houses::draw((number * rows) as i64, rows, number as u64 + 10);
            houses.write_parquet(&folder.path().join(format!("in/part-{number}.parquet")));
            expected.extend(houses.ids.iter().copied().zip(houses.predictions(&bundle)));
        }
        Self { folder, n_files, expected }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg(self.path("houses.bundle")).arg(self.path("in"));
        command.arg("--output").arg(self.path("out"));
        command
    }

    /// Outputs that are there under their names.
    pub(crate) fn n_done(&self) -> usize {
        let names = fs::read_dir(self.path("out")).into_iter().flatten().flatten();
        let is_output = |name: &str| name.starts_with("part-") && name.ends_with(".parquet");
        names.filter(|entry| entry.file_name().to_str().is_some_and(is_output)).count()
    }

    /// Every row once, each with the bundle's own number: compared by id, bit for bit.
    pub(crate) fn check(&self) {
        let mut found = Vec::new();
        for number in 0..self.n_files {
            found.extend(read_output(&self.path(&format!("out/part-{number}.parquet"))));
        }
        found.sort_unstable();
        assert_eq!(found.len(), self.expected.len());
        let wrong = found.iter().zip(&self.expected).find(|(found, expected)| found != expected);
        assert_eq!(wrong, None, "found and expected");
        assert_eq!(self.n_done(), self.n_files);
        assert!(self.path("out/_manifest.json").exists());
    }
}

/// Rows of a file: few, unless the environment asks for the size of the figures.
pub(crate) fn rows_of_a_file() -> usize {
    env::var("SPINNEY_SCALE_ROWS").map_or(20_000, |rows| rows.parse().unwrap())
}

pub(crate) fn succeeded(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
