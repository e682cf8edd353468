//! The program as a process, with small bundles to serve.
#![allow(dead_code, reason = "each test binary uses its share")]

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use ndarray::ArrayView1;
use reqwest::blocking::Client;
use serde_json::Value;
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{InputSchema, Preprocessor, Table};

/// The running program; it ends with the test, whatever happens.
pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve-bundle"));
    command.args(["--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.contains("://127.0.0.1:"), "{line} {}", {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            error
        });
        Self { child, url }
    }

    pub(crate) fn serve(bundle: &Path, args: &[&str]) -> Self {
        let mut command = command();
        command.arg(bundle).args(args);
        Self::start(command)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The status, the headers and the JSON of an answer.
    pub(crate) fn score(
        &self,
        key: &str,
        body: &Value,
    ) -> (u16, reqwest::header::HeaderMap, Value) {
        let request = Client::new().post(format!("{}/score", self.url)).bearer_auth(key);
        let response = request.body(body.to_string()).send().unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, serde_json::from_str(&response.text().unwrap()).unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Tells the program to stop; its exit status, and what it wrote to standard error.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }

    /// Bytes of memory that are resident.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A model that predicts about the area times a factor.
pub(crate) fn bundle(factor: f64) -> ModelBundle {
    let schema = InputSchema::builder().numeric(["area"]).target("price").build().unwrap();
    let csv: String =
        (1..50).map(|area| format!("{area},{}\n", f64::from(area) * factor)).collect();
    let table = Table::from_csv_reader(format!("area,price\n{csv}").as_bytes(), &schema).unwrap();
    let plan = Preprocessor::builder(&schema).build().unwrap();
    let (transformer, x) = plan.fit_transform(&table).unwrap();
    let y = ArrayView1::from(table.target().unwrap());
    let forest = RandomForest::params().n_estimators(10).fit_arrays(x.view(), y).unwrap();
    let metadata = BundleMetadata::new("areas", factor.to_string());
    ModelBundle::new(transformer, forest, metadata).unwrap()
}
