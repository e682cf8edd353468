//! The program as a batch deployment of Azure ML: deployed and invoked by the client, run by the emulator.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../../crates/scale/tests/houses/mod.rs"]
mod houses;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use houses::{Houses, bundle, read_output};
use spinney_azureml::{
    BatchDeploymentSpec, BatchEndpointSpec, BatchInvocation, ComputeCluster,
    ComputeIdentityCredential, DataSpec, EnvironmentSpec, MlClient, ModelSpec, TransferOptions,
    WorkspaceId,
};
use spinney_azureml_emulator::{Clock, Emulator, Way};

const PROGRAM: &str = env!("CARGO_BIN_EXE_score-batch");

/// A client that knows what the emulator says for the environment, and nothing else.
fn client(emulator: &Emulator) -> MlClient {
    let variables = emulator.environment().variables(Way::Proxy);
    let named =
        |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let certificate =
        reqwest::Certificate::from_pem(&fs::read(emulator.ca_path()).unwrap()).unwrap();
    let proxy = reqwest::Proxy::https(named("HTTPS_PROXY").unwrap()).unwrap();
    let http = reqwest::Client::builder().add_root_certificate(certificate).proxy(proxy);
    let credential = ComputeIdentityCredential::new(
        &named("MSI_ENDPOINT").unwrap(),
        named("MSI_SECRET").unwrap(),
        None,
        reqwest::Client::builder().no_proxy().build().unwrap(),
    );
    MlClient::builder(WorkspaceId::from_environment(named).unwrap().unwrap())
        .credential(Arc::new(credential.unwrap()))
        .http_client(http.build().unwrap())
        .poll_interval(Duration::from_millis(50))
        .build()
        .unwrap()
}

/// A workspace where the bundle is deployed as `houses/blue`.
struct Deployed {
    folder: tempfile::TempDir,
    emulator: Emulator,
    client: MlClient,
    bundle: spinney_artifact::ModelBundle,
}

impl Deployed {
    async fn new() -> Self {
        let python = env::var_os("SPINNEY_CLIENTS_PYTHON");
        let python = python.unwrap_or_else(|| panic!("cargo xtask scale sets it"));
        let folder = tempfile::tempdir().unwrap();
        let emulator = Emulator::builder(folder.path().join("state")).port(0).proxy_port(0);
        let emulator = emulator.python(python).clock(Clock::scaled(100.0).unwrap());
        let emulator = emulator.start().await.unwrap();
        let client = client(&emulator);
        let bundle = bundle(10, 5);
        let deployed = Self { folder, emulator, client, bundle };
        deployed.deploy().await;
        deployed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The recipe: a model, code of two files, an environment that has Python, a cluster, an endpoint and its deployment.
    async fn deploy(&self) {
        let (client, options) = (&self.client, TransferOptions::default());
        self.bundle.save(self.path("houses.bundle")).unwrap();
        let model = ModelSpec::from_path("houses", self.path("houses.bundle"));
        let model = client.models().register(&model, &options).await.unwrap();
        let code = self.path("code");
        fs::create_dir(&code).unwrap();
        let entry = Path::new(env!("CARGO_MANIFEST_DIR")).join("azureml/score.py");
        fs::copy(entry, code.join("score.py")).unwrap();
        fs::copy(PROGRAM, code.join("score-batch")).unwrap();
        let code = client.code().upload(&code, &options).await.unwrap();
        let image = EnvironmentSpec::from_image("python", "mcr.microsoft.com/azureml/minimal:1");
        let environment = client.environments().create(&image, &options).await.unwrap();
        let cluster = ComputeCluster::new("Standard_DS3_v2", 1);
        client.computes().create_cluster("batch-cluster", &cluster).await.unwrap();
        let endpoints = client.batch_endpoints();
        endpoints.create("houses", &BatchEndpointSpec::new()).await.unwrap();
        let spec = BatchDeploymentSpec::model(&model.id, "batch-cluster")
            .environment(&environment.id)
            .code(&code.id, "score.py")
            .mini_batch_size(2)
            .max_concurrency_per_instance(2)
            .retries(1, Duration::from_secs(300))
            .error_threshold(0)
            .output_file_name("files.txt");
        endpoints.create_deployment("houses", "blue", &spec).await.unwrap();
        let spec = BatchEndpointSpec::new().default_deployment("blue");
        endpoints.create("houses", &spec).await.unwrap();
    }

    /// Scores a folder of this machine. Returns the job, or why it has failed.
    async fn score(&self, folder: &str) -> Result<String, spinney_azureml::Error> {
        let options = TransferOptions::default();
        let data = DataSpec::from_path(folder, self.path(folder));
        let data = self.client.data().create(&data, &options).await.unwrap();
        let invocation = BatchInvocation::folder(&data.id);
        let job = self.client.batch_endpoints().invoke("houses", &invocation).await.unwrap();
        self.client.jobs().wait(&job).await.map(|_| job)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask scale"]
async fn a_batch_endpoint_gives_the_bundles_own_numbers() {
    let deployed = Deployed::new().await;
    let input = deployed.path("in");
    fs::create_dir_all(input.join("more")).unwrap();
    let parts: Vec<Houses> =
        (0..5_i64).map(|part| Houses::draw(part * 1000, 500, 20 + part as u64)).collect();
    for (number, part) in parts.iter().enumerate() {
        let folder = if number % 2 == 0 { input.clone() } else { input.join("more") };
        if number == 4 {
            fs::write(folder.join("part-4.csv"), part.csv()).unwrap();
        } else {
            part.write_parquet(&folder.join(format!("part-{number}.parquet")));
        }
    }
    let job = deployed.score("in").await.unwrap();
    let copy = deployed.path("copy");
    let options = TransferOptions::default();
    deployed.client.jobs().download(&job, &copy, &options).await.unwrap();
    let scored = copy.join("score");
    for (number, part) in parts.iter().enumerate() {
        let found = read_output(&scored.join(format!("part-{number}.parquet")));
        let expected: Vec<(i64, u64)> =
            part.ids.iter().copied().zip(part.predictions(&deployed.bundle)).collect();
        assert!(found == expected, "part {number}");
    }
    // Which files there are, in the order of the inputs.
    let files = fs::read_to_string(scored.join("files.txt")).unwrap();
    let order = ["part-1", "part-3", "part-0", "part-2", "part-4"];
    let expected: String = order.iter().map(|name| format!("{name}.parquet 500\n")).collect();
    assert_eq!(files, expected);
    deployed.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask scale"]
async fn what_cannot_be_scored_fails_the_job_and_says_why() {
    let deployed = Deployed::new().await;
    let houses = Houses::draw(0, 10, 1);
    // One name in several folders, in different mini-batches; and columns that the bundle does not know.
    for name in ["a/x", "b/y", "c/x"] {
        let path = deployed.path("twice").join(name).with_extension("csv");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, houses.csv().replace("flat", name)).unwrap();
    }
    fs::create_dir(deployed.path("wrong")).unwrap();
    fs::write(deployed.path("wrong/rows.csv"), "a,b\n1,2\n").unwrap();
    for (folder, why) in [("twice", "would both become x.parquet"), ("wrong", "score-batch: ")] {
        let error = deployed.score(folder).await.unwrap_err();
        assert!(format!("{error:?}").contains(why), "{folder}: {error:?}");
    }
    deployed.emulator.shutdown().await;
}
