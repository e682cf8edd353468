//! The project's own client, by Azure's names, through the proxy.

use std::{fs, time::Duration};

use spinney_azureml::{
    BatchDeploymentSpec, BatchEndpointSpec, BatchInvocation, ComputeCluster, EnvironmentSpec,
    JobStatus, ModelSpec, TransferOptions,
};
use spinney_azureml_emulator::{Clock, Emulator};

use crate::{
    office::{SUMS, python},
    support::{ml_client::ml_client, traffic},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: cargo xtask test"]
async fn the_projects_client_deploys_invokes_and_fetches() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Emulator::builder(folder.path().join("state")).port(0).proxy_port(0);
    let builder = builder.python(python()).clock(Clock::scaled(100.0).unwrap());
    let emulator = traffic::recorded(builder).start().await.unwrap();
    let client = ml_client(&emulator, Duration::from_millis(50));
    let options = TransferOptions::default();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("factor.txt", "2");
    write("code/score.py", SUMS);
    write("in/a", "1\n2\n");
    write("in/b", "3\n");
    let model = ModelSpec::from_path("factor", folder.path().join("factor.txt"));
    let model = client.models().register(&model, &options).await.unwrap();
    let code = client.code().upload(folder.path().join("code"), &options).await.unwrap();
    let image = EnvironmentSpec::from_image("scoring", "example.azurecr.io/python:3");
    let environment = client.environments().create(&image, &options).await.unwrap();
    let cluster = ComputeCluster::new("Standard_DS3_v2", 1);
    client.computes().create_cluster("batch-cluster", &cluster).await.unwrap();
    let data = spinney_azureml::DataSpec::from_path("week", folder.path().join("in"));
    let data = client.data().create(&data, &options).await.unwrap();
    let endpoints = client.batch_endpoints();
    endpoints.create("sums", &BatchEndpointSpec::new()).await.unwrap();
    let spec = BatchDeploymentSpec::model(&model.id, "batch-cluster")
        .environment(&environment.id)
        .code(&code.id, "score.py")
        .mini_batch_size(1);
    let made = endpoints.create_deployment("sums", "blue", &spec).await.unwrap();
    assert_eq!(made.properties.provisioning_state.as_deref(), Some("Succeeded"));
    let spec = BatchEndpointSpec::new().default_deployment("blue");
    endpoints.create("sums", &spec).await.unwrap();
    let name = endpoints.invoke("sums", &BatchInvocation::folder(&data.id)).await.unwrap();
    let job = client.jobs().wait(&name).await.unwrap();
    assert_eq!(job.properties.status, JobStatus::Completed);
    let copy = folder.path().join("copy");
    client.jobs().download(&name, &copy, &options).await.unwrap();
    assert_eq!(fs::read_to_string(copy.join("score/predictions.csv")).unwrap(), "a 6\nb 6\n");
    assert_eq!(endpoints.deployments("sums").unwrap().collect().await.unwrap().len(), 1);
    endpoints.delete_deployment("sums", "blue").await.unwrap();
    endpoints.delete("sums").await.unwrap();
    assert_eq!(client.billable(&()).await.unwrap(), []);
    emulator.shutdown().await;
}
