//! Assets beside what the recorded traffic has of them: what is refused, and what is written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;
mod storage;

use std::{fs, path::Path, sync::Arc, time::Duration};

use loopback::{Answer, Server};
use serde_json::json;
use spinney_azureml::{
    DataSpec, EnvironmentSpec, Error, InferenceConfig, ModelSpec, Route, TransferOptions,
};
use storage::{CONTAINER, SIGNATURE, keeps_secrets, sample, server};

#[tokio::test]
async fn nothing_is_sent_for_what_cannot_be() {
    let server = server().await;
    let client = server.client();
    let stores = client.datastores();
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join(".amlignore"), "*\n").unwrap();
    let file = sample(b"content");
    let ok = TransferOptions::default();
    let none = Path::new("/there/is/nothing/here");
    assert!(matches!(
        stores.upload(None, empty.path(), &ok).await,
        Err(Error::InvalidArgument { .. })
    ));
    assert!(matches!(stores.upload(None, none, &ok).await, Err(Error::Io { .. })));
    for options in [ok.clone().parallel(0), ok.clone().block_size(1)] {
        let refused = stores.upload(None, &file.file, &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
        let refused = stores.download("workspaceblobstore", "a", empty.path(), &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
        let refused = client.code().upload(&file.file, &options).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }
    for name in ["", "../secrets", "a/b", "a b"] {
        assert!(matches!(
            stores.upload(Some(name), &file.file, &ok).await,
            Err(Error::InvalidName { .. })
        ));
        assert!(matches!(stores.secrets(name).await, Err(Error::InvalidName { .. })));
        let model = ModelSpec::from_path(name, &file.file);
        assert!(matches!(
            client.models().register(&model, &ok).await,
            Err(Error::InvalidName { .. })
        ));
        let model = ModelSpec::from_path("m", &file.file).version(format!("{name}/"));
        assert!(matches!(
            client.models().register(&model, &ok).await,
            Err(Error::InvalidName { .. })
        ));
        assert!(client.data().get(name, "1").await.is_err());
        assert!(client.environments().latest(name).await.is_err());
        assert!(client.code().get("c", name).await.is_err());
    }
    let environment = EnvironmentSpec::from_build_context("e", &file.file);
    assert!(client.environments().create(&environment, &ok).await.is_err(), "no folder");
    for environment in [
        EnvironmentSpec::from_build_context("e", empty.path()).conda_file("name: x"),
        EnvironmentSpec::from_image("e", "i").dockerfile_path("x"),
        EnvironmentSpec::from_image("e", "i").os_type("Plan9"),
    ] {
        let refused = client.environments().create(&environment, &ok).await;
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }
    assert!(stores.download_uri("https://elsewhere/x", empty.path(), &ok).await.is_err());
    assert_eq!(server.seen_short(), [""; 0]);
}

#[tokio::test]
async fn code_goes_to_no_address_without_tls_or_signature() {
    let file = sample(b"content");
    let options = TransferOptions::default();
    for uri in [
        format!("http://evil.example/c?sig={SIGNATURE}"),
        "https://account.blob.core.windows.net/c".to_owned(),
        format!("data:text/plain,{SIGNATURE}"),
        SIGNATURE.to_owned(),
    ] {
        let server = Server::start().await;
        let id = "GUID-1";
        server.on("GET", &format!("/codes/{id}/versions"), Answer::json(200, json!({"value": []})));
        let reply = json!({"blobReferenceForConsumption": {"blobUri": "https://x/c", "credential": {"sasUri": uri}}});
        server.on(
            "POST",
            &format!("/codes/{id}/versions/1/startPendingUpload"),
            Answer::json(200, reply),
        );
        let error = server.client().code().upload(&file.file, &options).await.unwrap_err();
        assert!(
            matches!(error, Error::Reply { .. } | Error::UntrustedUrl { .. }),
            "{uri}: {error:?}"
        );
        keeps_secrets(&error);
        server.check();
    }
}

#[tokio::test]
async fn folders_are_data_and_build_contexts() {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("docker");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
    let hash = spinney_azureml::asset_hash(&context).unwrap();
    let blob = format!("{CONTAINER}/LocalUpload/{hash}/docker/Dockerfile");
    let server = server().await;
    for kind in ["data", "environments"] {
        server.on("GET", &format!("/{kind}/x"), Answer::error(404, "UserError", "none"));
        let made = json!({"id": format!("/y/{kind}/x/versions/1"), "name": "1", "properties": {}});
        server.on("PUT", &format!("/{kind}/x/versions/1"), Answer::json(201, made));
        server.enqueue(
            "HEAD",
            &blob,
            Answer::new(200).header("x-ms-meta-upload_status", "completed"),
        );
    }
    let client = server.client();
    let options = TransferOptions::default();
    client.data().create(&DataSpec::from_path("x", &context), &options).await.unwrap();
    let data = server.seen().last().unwrap().json();
    assert_eq!(data["properties"]["dataType"], "uri_folder");
    let uri = format!("azureml://datastores/workspaceblobstore/paths/LocalUpload/{hash}/docker");
    assert_eq!(data["properties"]["dataUri"], uri.as_str());

    let route = |path| Route::new(path, 5001);
    let environment = EnvironmentSpec::from_build_context("x", &context)
        .inference_config(InferenceConfig::new(route("/live"), route("/ready"), route("/score")))
        .os_type("Linux")
        .tag("a", "b");
    client.environments().create(&environment, &options).await.unwrap();
    server.check();
    let put = server.seen().last().unwrap().json();
    let route = |path: &str| json!({"path": path, "port": 5001});
    assert_eq!(
        put,
        json!({"properties": {
            "isAnonymous": false, "isArchived": false, "osType": "Linux", "tags": {"a": "b"},
            "build": {"contextUri": format!("{}{CONTAINER}/LocalUpload/{hash}/docker/", server.url), "dockerfilePath": "Dockerfile"},
            "inferenceConfig": {"livenessRoute": route("/live"), "readinessRoute": route("/ready"), "scoringRoute": route("/score")},
        }})
    );

    // The same again is the same version.
    let there =
        json!({"id": "/y/environments/x/versions/1", "name": "1", "properties": put["properties"]});
    let names = json!({"name": "x", "properties": {"latestVersion": "1", "nextVersion": "2"}});
    server.on("GET", "/environments/x", Answer::json(200, names));
    server.on("GET", "/environments/x/versions/1", Answer::json(200, there));
    server.enqueue("HEAD", &blob, Answer::new(200).header("x-ms-meta-upload_status", "completed"));
    let again = client.environments().create(&environment, &options).await.unwrap();
    assert_eq!(again.name, "1");
    server.check();
}

#[tokio::test]
async fn tags_are_added_and_versions_archived_and_restored() {
    let server = Server::start().await;
    let model = |archived: bool| {
        let properties = json!({"modelUri": "u", "tags": {"a": "1"}, "isArchived": archived, "flavors": {"f": {"data": {"x": "1"}}}, "unknown": [1]});
        Answer::json(
            200,
            json!({"id": "/x/models/m/versions/1", "name": "1", "properties": properties}),
        )
    };
    for archived in [false, true] {
        server.on("GET", "/models/m/versions/1", model(archived));
        server.on("PUT", "/models/m/versions/1", model(!archived));
    }
    let client = server.client();
    client.models().tag("m", "1", [("b", "2")]).await.unwrap();
    let put = server.seen().last().unwrap().json();
    assert_eq!(put["properties"]["tags"], json!({"a": "1", "b": "2"}));
    assert_eq!(put["properties"]["flavors"], json!({"f": {"data": {"x": "1"}}}));
    assert_eq!(put["properties"]["unknown"], json!([1]));
    client.models().restore("m", "1").await.unwrap();
    assert_eq!(server.seen().last().unwrap().json()["properties"]["isArchived"], false);
    server.check();
}

/// What transfers return can be awaited on any thread.
#[test]
fn transfers_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let client = spinney_azureml::MlClient::builder(
        spinney_azureml::WorkspaceId::new(loopback::SUBSCRIPTION, "rg", "mlops-ws").unwrap(),
    )
    .credential(Arc::new(loopback::StaticToken::default()))
    .timeout(Duration::from_secs(1))
    .build()
    .unwrap();
    let options = TransferOptions::default();
    is_send(&client.datastores().upload(None, "x", &options));
    is_send(&client.datastores().download("s", "x", "y", &options));
    let model = ModelSpec::from_path("m", "x");
    is_send(&client.models().register(&model, &options));
    is_send(&client.models().tag("m", "1", [("a", "b")]));
    is_send(&client.data().create(&DataSpec::from_path("m", "x"), &options));
    is_send(&client.environments().create(&EnvironmentSpec::from_image("m", "x"), &options));
    is_send(&client.code().upload("x", &options));
}
