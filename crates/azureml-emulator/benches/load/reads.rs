//! How many reads of Azure Resource Manager an emulator answers on one core, and what each costs.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::server::{Server, answer};

/// What ARM requests of 50 clients need.
const CONNECTIONS: usize = 16;

/// How long each kind of request is asked for.
const TAKES: Duration = Duration::from_secs(5);

/// Of a workspace in which somebody has worked for some time: a hundred of these have ten versions, and one has a thousand.
const MODELS: usize = 1000;

async fn measure(server: &Server, name: &str, path: &str) {
    let ask = async || {
        let response = server.arm(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
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
        "{name:<42} {:>6.0} requests/s  {:>5.0} us CPU each  {:>6} bytes  ({:.0} % of a core)",
        f64::from(n_asked) / took.as_secs_f64(),
        1e6 * cpu.as_secs_f64() / f64::from(n_asked),
        counts[0].1,
        100.0 * cpu.as_secs_f64() / took.as_secs_f64(),
    );
}

async fn register(server: &Server, n: usize, version: usize) {
    let body = json!({"properties": {
        "modelUri": format!("azureml://datastores/workspaceblobstore/paths/models/{n}"),
        "tags": {"r2": "0.91", "rmse": "23456.7", "stage": "test"},
    }});
    let path = format!("/models/model-{n}/versions/{version}");
    answer(server.arm(Method::PUT, &path).body(body.to_string())).await;
}

pub(crate) async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    for n in 0..MODELS {
        let n_versions = match n {
            0 => 1000,
            1..=100 => 10,
            _ => 1,
        };
        for version in 1..=n_versions {
            register(&server, n, version).await;
        }
    }
    for (name, path) in [
        ("a workspace", ""),
        ("a version of a model", "/models/model-7/versions/3"),
        ("a model with 1,000 versions", "/models/model-0"),
        ("the versions of a model (10)", "/models/model-7/versions"),
        ("a page of 1,000 versions (100)", "/models/model-0/versions"),
        ("a page of 1,000 models (100)", "/models"),
    ] {
        measure(&server, name, path).await;
    }
}
