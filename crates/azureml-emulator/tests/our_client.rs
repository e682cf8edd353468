//! The project's own client takes the emulator for Azure: the public cloud's names, through the proxy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{fs, time::Duration};

use spinney_azureml::{
    CleanUp, ComputeCluster, ComputeInstance, DataSpec, EnvironmentSpec, KeyKind, ListView,
    MlClient, ModelSpec, OnlineDeploymentSpec, OnlineEndpointSpec, Preflight, Traffic,
    TransferOptions,
};
use spinney_azureml_emulator::{Clock, Emulator};
use support::{ml_client::ml_client, traffic};

async fn start(folder: &std::path::Path) -> (Emulator, MlClient) {
    let clock = Clock::scaled(100.0).unwrap();
    let builder = Emulator::builder(folder).port(0).proxy_port(0).clock(clock);
    let runtime = env!("CARGO_BIN_EXE_spinney-azureml-emulator");
    let builder = builder.scoring_program(runtime, ["serve"]);
    let emulator = traffic::recorded(builder).start().await.unwrap();
    let client = ml_client(&emulator, Duration::from_millis(50));
    (emulator, client)
}

#[tokio::test]
async fn assets_are_uploaded_registered_and_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, client) = start(&folder.path().join("state")).await;
    let options = TransferOptions::default().block_size(1 << 20);
    let file = folder.path().join("ames.bundle");
    let content: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    fs::write(&file, &content).unwrap();
    let spec = ModelSpec::from_path("ames", &file).tag("r2", "0.91");
    let model = client.models().register(&spec, &options).await.unwrap();
    assert_eq!(model.name, "1");
    // The same again is the same version.
    assert_eq!(client.models().register(&spec, &options).await.unwrap().name, "1");
    let copy = folder.path().join("copy");
    client.models().download("ames", "1", &copy, &options).await.unwrap();
    assert_eq!(fs::read(copy.join("ames.bundle")).unwrap(), content);
    client.models().tag("ames", "1", [("stage", "test")]).await.unwrap();
    assert_eq!(client.models().latest("ames").await.unwrap().properties.tags.len(), 2);
    client.models().archive("ames", "1").await.unwrap();
    assert_eq!(
        client.models().versions("ames", ListView::ActiveOnly).collect().await.unwrap().len(),
        0
    );

    let data = folder.path().join("data.csv");
    fs::write(&data, "Id\n1\n").unwrap();
    client.data().create(&DataSpec::from_path("raw", &data), &options).await.unwrap();
    assert_eq!(client.data().latest("raw").await.unwrap().name, "1");
    let image = EnvironmentSpec::from_image("serving", "example.azurecr.io/spinney:1");
    client.environments().create(&image, &options).await.unwrap();
    let stages = folder.path().join("stages");
    fs::create_dir(&stages).unwrap();
    fs::write(stages.join("train.py"), "print()").unwrap();
    let code = client.code().upload(&stages, &options).await.unwrap();
    assert_eq!(client.code().upload(&stages, &options).await.unwrap().id, code.id);
    emulator.shutdown().await;
}

#[tokio::test]
async fn computes_and_endpoints_come_and_go_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (emulator, client) = start(folder.path()).await;
    let plan = Preflight::new().online_endpoint().computes().machines("Standard_DS3_v2", 1);
    assert_eq!(client.preflight(&plan).await.unwrap(), []);
    let computes = client.computes();
    let instance =
        ComputeInstance::new("Standard_DS11_v2").idle_shutdown(Duration::from_secs(3600));
    computes.create_instance("ci1", &instance).await.unwrap();
    computes
        .create_cluster("mlops-cluster", &ComputeCluster::new("Standard_DS3_v2", 1))
        .await
        .unwrap();
    let billable = client.billable(&()).await.unwrap();
    assert_eq!(billable.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["ci1"]);
    computes.stop("ci1").await.unwrap();
    assert_eq!(client.billable(&()).await.unwrap(), []);

    let endpoints = client.online_endpoints();
    let made = endpoints.create_or_update("prices", &OnlineEndpointSpec::new()).await.unwrap();
    assert!(made.properties.scoring_uri.is_some());
    endpoints.rotate_key("prices", KeyKind::Primary).await.unwrap();
    let options = TransferOptions::default();
    let bundles =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bundles/v1");
    let model = ModelSpec::from_path("prices", bundles.join("prices.bundle"));
    let model = client.models().register(&model, &options).await.unwrap();
    let image = EnvironmentSpec::from_image("serving", "example.azurecr.io/spinney-scoring:1");
    let image = client.environments().create(&image, &options).await.unwrap();
    let spec = OnlineDeploymentSpec::new("Standard_D2as_v4", 1);
    let spec = spec.model(&model.id).environment(&image.id);
    let deployments = client.online_deployments("prices");
    let made = deployments.create_or_update("blue", &spec).await.unwrap();
    assert_eq!(made.properties.provisioning_state.as_deref(), Some("Succeeded"));
    // A model that the runtime cannot serve: the error has the end of its log.
    let other = folder.path().join("other.txt");
    fs::write(&other, "no bundle").unwrap();
    let other = ModelSpec::from_path("other", &other);
    let other = client.models().register(&other, &options).await.unwrap();
    let spec = OnlineDeploymentSpec::new("Standard_D2as_v4", 1).model(&other.id);
    let spec = spec.environment(&image.id);
    let error = deployments.create_or_update("red", &spec).await.unwrap_err();
    assert!(error.to_string().contains("User container has crashed"), "{error}");
    endpoints.set_traffic("prices", &Traffic::to("blue").unwrap()).await.unwrap();
    let expected = fs::read(bundles.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let of_file = |one: &&serde_json::Value| one["file"] == "prices.bundle";
    let expected = expected.as_array().unwrap().iter().find(of_file).unwrap();
    let rows = &expected["rows"].as_array().unwrap()[..2];
    let scorer = endpoints.client("prices");
    let scored = scorer.score(rows).await.unwrap();
    assert_eq!(scored.deployment(), Some("blue"));
    let answer: serde_json::Value = scored.json().unwrap();
    assert_eq!(
        answer["predictions"].as_array().unwrap(),
        &expected["predictions"].as_array().unwrap()[..2]
    );
    let report = client.clean_up(CleanUp::EndpointsAndComputes).await.unwrap();
    assert!(report.is_clean() && report.deleted.len() == 3, "{report}");
    assert!(client.clean_up(CleanUp::ResourceGroup).await.unwrap().is_clean());
    emulator.shutdown().await;
}
