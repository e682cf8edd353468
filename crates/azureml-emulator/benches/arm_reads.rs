//! How many reads of Azure Resource Manager an emulator answers on one core, and what each costs: `cargo bench -p spinney-azureml-emulator`.
//!
//! The emulator has a core of its own, its clients another. On a system other than Linux nothing is pinned or counted, and nothing printed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measurement")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use spinney_azureml_emulator::{Environment, Way};

/// What ARM requests of 50 clients need.
const CONNECTIONS: usize = 16;

/// How long each kind of request is asked for.
const TAKES: Duration = Duration::from_secs(10);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(state: &Path) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "1", env!("CARGO_BIN_EXE_spinney-azureml-emulator"), "--state"]);
        command.arg(state).args(["--port", "0", "--proxy-port", "0"]).stdout(Stdio::piped());
        let mut server = Self(command.spawn().unwrap());
        let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"), "the emulator does not start");
        server
    }

    /// The CPU time of all its threads so far, the kernel's share in it too.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = |place: usize| fields.split(' ').nth(place).unwrap().parse::<u64>().unwrap();
        // A hundredth of a second each, on every Linux that there is.
        Duration::from_millis(10 * (ticks(11) + ticks(12)))
    }
}

async fn sign_in(client: &Client, base: &str, environment: &Environment) -> String {
    let variables = environment.variables(Way::Proxy);
    let variable = |name: &str| &variables.iter().find(|(own, _)| *own == name).unwrap().1;
    let url = format!("{base}/{}/oauth2/v2.0/token", variable("AZURE_TENANT_ID"));
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https://management.azure.com/.default",
        variable("AZURE_CLIENT_ID"),
        variable("AZURE_CLIENT_SECRET")
    );
    let response = client.post(url).body(form).send().await.unwrap().error_for_status().unwrap();
    let token: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    token["access_token"].as_str().unwrap().to_owned()
}

async fn measure(server: &Server, client: &Client, token: &str, name: &str, url: &str) {
    let ask = async || {
        let response = client.get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200, "{url}");
        response.bytes().await.unwrap().len()
    };
    join_all((0..CONNECTIONS).map(|_| ask())).await;
    let (begun, cpu) = (Instant::now(), server.cpu());
    let counts = join_all((0..CONNECTIONS).map(|_| async {
        let (mut n_asked, mut size) = (0_u32, 0);
        while begun.elapsed() < TAKES {
            size = ask().await;
            n_asked += 1;
        }
        (n_asked, size)
    }));
    let counts = counts.await;
    let (took, cpu) = (begun.elapsed(), server.cpu() - cpu);
    let n_asked: u32 = counts.iter().map(|(n_asked, _)| n_asked).sum();
    println!(
        "{name:<32} {:>7.0} requests/s  {:>6.0} us CPU each  {:>7} bytes  ({:.0} % of a core)",
        f64::from(n_asked) / took.as_secs_f64(),
        1e6 * cpu.as_secs_f64() / f64::from(n_asked),
        counts[0].1,
        100.0 * cpu.as_secs_f64() / took.as_secs_f64(),
    );
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let environment = Environment::read(folder.path()).unwrap();
    let variables = environment.variables(Way::CloudMetadata);
    let variable = |name: &str| &variables.iter().find(|(own, _)| *own == name).unwrap().1;
    let base = variable("ARM_CLOUD_METADATA_URL").split("/metadata").next().unwrap().to_owned();
    let ca = Certificate::from_pem(&fs::read(environment.ca_path()).unwrap()).unwrap();
    let client = Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let token = sign_in(&client, &base, &environment).await;
    let workspace = format!(
        "{base}/subscriptions/{}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws",
        variable("AZUREML_ARM_SUBSCRIPTION")
    );
    let version = "api-version=2025-12-01";
    // A workspace in which somebody has worked for some time.
    for n in 0..500 {
        let url = format!("{workspace}/models/model-{}/versions/{}?{version}", n % 50, n / 50 + 1);
        let body = json!({"properties": {
            "modelUri": format!("azureml://datastores/workspaceblobstore/paths/models/{n}"),
            "tags": {"r2": "0.91", "rmse": "23456.7", "stage": "test"},
        }});
        let put = client.put(url).bearer_auth(&token).body(body.to_string());
        put.send().await.unwrap().error_for_status().unwrap();
    }
    for (name, path) in [
        ("a version of a model", "/models/model-7/versions/3"),
        ("a workspace", ""),
        ("the versions of a model (10)", "/models/model-7/versions"),
        ("the models of a workspace (30)", "/models"),
    ] {
        measure(&server, &client, &token, name, &format!("{workspace}{path}?{version}")).await;
    }
}

fn main() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let own = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["-acp", "0", &own]).stdout(Stdio::null()).status();
    assert!(pinned.unwrap().success(), "this needs taskset, and two cores");
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run());
}
