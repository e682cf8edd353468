//! Datastores, models, data, environments and code: the client's requests beside those of Microsoft's SDK, as recorded in
//! `fixtures/azureml/traces`. What differs is listed here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::{fs, path::PathBuf};

use loopback::{Answer, Exchange, Seen, Server, WORKSPACE, compare, compare_blob, without_ids};
use serde_json::{Value, json};
use spinney_azureml::{
    DataSpec, DatastoreSecrets, EnvironmentSpec, ListView, ModelSpec, TransferOptions,
};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// The marks of a complete upload, as sent.
fn metadata(seen: &Seen) -> [&str; 3] {
    ["upload_status", "name", "version"]
        .map(|name| seen.headers[&format!("x-ms-meta-{name}")].as_str())
}

#[tokio::test]
async fn datastores() {
    let (server, recorded) = Server::replaying("datastore_list").await;
    let datastores = server.client().datastores().list().collect().await.unwrap();
    assert_eq!(
        datastores.iter().map(|store| store.name.as_str()).collect::<Vec<_>>(),
        ["workspaceblobstore", "workspaceartifactstore"]
    );
    compare(&server, 0, &recorded, &[]);

    let (server, recorded) = Server::replaying("datastore_default").await;
    let default = server.client().datastores().default().await.unwrap();
    assert!(default.properties.is_default);
    compare(&server, 0, &recorded, &[]);
    assert_eq!(server.seen()[0].query("isDefault"), Some("true"));

    let (server, recorded) = Server::replaying("datastore_get").await;
    let client = server.client();
    let store = client.datastores().get("workspaceblobstore").await.unwrap();
    assert_eq!(store.properties.account_name.as_deref(), Some("storageaccount"));
    assert_eq!(store.properties.credentials_type(), Some("Sas"));
    let secrets = client.datastores().secrets("workspaceblobstore").await.unwrap();
    let DatastoreSecrets::Sas { token } = &secrets else { panic!("{secrets:?}") };
    assert!(token.secret().contains("sig=SAS-SIGNATURE-PLACEHOLDER"));
    assert!(!format!("{secrets:?}").contains("SIGNATURE"));
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn data() {
    // The file of the recording is not the one that is here, so the hash is another.
    const RECORDED: &str = "a06700c74f5ee25bd0ae0a87129d31ec8f6116d0a011c268a6ae191fbcac7736";
    let hash = spinney_azureml::asset_hash(fixture("AmesHousing.csv")).unwrap();
    let server = Server::start().await;
    let mut recorded = loopback::step("data_create");
    for exchange in &mut recorded {
        exchange.path = exchange.path.replace(RECORDED, &hash);
        if let Some(Value::String(uri)) = exchange.body.pointer_mut("/properties/dataUri") {
            *uri = uri.replace(RECORDED, &hash);
        }
        server.replay(exchange);
    }
    let data = DataSpec::from_path("ames-housing-raw", fixture("AmesHousing.csv"))
        .description("Raw CSV of Ames Housing dataset");
    let data = server.client().data().create(&data, &TransferOptions::default()).await.unwrap();
    assert_eq!(data.name, "1");
    server.check();
    // The next version is looked up first, so that it stands in the blob's metadata, where the SDK writes `None`.
    let order = [5, 0, 1, 2, 3, 4, 6].map(|index| &recorded[index]);
    compare(&server, 0, order, &[]);
    assert_eq!(server.seen()[4].body, fs::read(fixture("AmesHousing.csv")).unwrap());
    assert_eq!(metadata(&server.seen()[5]), ["completed", "ames-housing-raw", "1"]);

    let (server, recorded) = Server::replaying("data_get").await;
    let data = server.client().data().latest("ames-housing-raw").await.unwrap();
    assert_eq!((data.name.as_str(), data.properties.data_type.as_str()), ("1", "uri_file"));
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn models() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.pkl");
    fs::write(&file, [b'm'; 1000]).unwrap();
    // The SDK looks at the newest version too, to see whether it is an evaluator of its prompt flows.
    let recorded = loopback::step("model_register").split_off(1);
    let server = Server::start().await;
    recorded.iter().for_each(|exchange| server.replay(exchange));
    let model = ModelSpec::from_path("minimal-model", &file).description("d");
    let client = server.client();
    let model = client.models().register(&model, &TransferOptions::default()).await.unwrap();
    assert_eq!((model.name.as_str(), model.segment("models")), ("1", Some("minimal-model")));
    server.check();
    compare(&server, 0, &recorded, &[]);
    assert_eq!(metadata(&server.seen()[5]), ["completed", "minimal-model", "1"]);

    let (server, recorded) = Server::replaying("model_latest").await;
    server.client().models().latest("minimal-model").await.unwrap();
    compare(&server, 0, &recorded, &[]);
    assert_eq!(server.seen()[0].query("$orderBy"), Some("createdtime desc"));
    assert_eq!(server.seen()[0].query("$top"), Some("1"));

    let (server, mut recorded) = Server::replaying("model_tag").await;
    let client = server.client();
    let mut model = client.models().latest("minimal-model").await.unwrap();
    model.properties.tags.insert("r2".to_owned(), "0.9".to_owned());
    let model = client.models().update(&model).await.unwrap();
    assert_eq!(model.properties.tags["r2"], "0.9");
    // The SDK drops the flavors of a model that it tags; what is there stays.
    recorded[1].body["properties"]["flavors"] = json!({});
    compare(&server, 0, &recorded, &[]);

    let (server, recorded) = Server::replaying("model_list").await;
    let versions = server.client().models().versions("minimal-model", ListView::ActiveOnly);
    assert_eq!(versions.collect().await.unwrap().len(), 1);
    compare(&server, 0, &recorded, &[]);
    assert_eq!(server.seen()[0].query("listViewType"), Some("ActiveOnly"));

    let (server, recorded) = Server::replaying("model_archive").await;
    server.client().models().archive("minimal-model", "1").await.unwrap();
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn environments() {
    let (server, recorded) = Server::replaying("env_create").await;
    let image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04";
    let environment = EnvironmentSpec::from_image("myenv", image)
        .conda_file("dependencies:\n- python=3.10\nname: x\n");
    let client = server.client();
    let made =
        client.environments().create(&environment, &TransferOptions::default()).await.unwrap();
    assert_eq!(made.properties.image.as_deref(), Some(image));
    compare(&server, 0, &recorded, &[]);

    let (server, recorded) = Server::replaying("env_latest").await;
    server.client().environments().latest("myenv").await.unwrap();
    compare(&server, 0, &recorded, &[]);
}

/// The files of the recorded pipeline are the workshop's and not here: other content, and so other hashes and names.
#[tokio::test]
async fn code() {
    let folder = tempfile::tempdir().unwrap();
    let stages = folder.path().join("stages");
    fs::create_dir(&stages).unwrap();
    fs::write(stages.join("deploy.py"), "print()\n").unwrap();
    let recorded: Vec<Exchange> = loopback::step("pipeline_submit").drain(2..8).collect();
    let server = Server::start().await;
    for exchange in &recorded {
        // The trace has the upload of one of the files, which is another.
        let mut exchange = exchange.clone();
        exchange.path = exchange.path.replace("evaluate.py", "deploy.py");
        server.replay(&exchange);
    }
    let code = server.client().code().upload(&stages, &TransferOptions::default()).await.unwrap();
    assert_eq!(code.name, "1");
    server.check();
    let seen = server.seen();
    let short: Vec<String> = server.seen_short().iter().map(|text| without_ids(text)).collect();
    let expected: Vec<String> = recorded
        .iter()
        .map(|exchange| without_ids(&exchange.short().replace("evaluate.py", "deploy.py")))
        .collect();
    assert_eq!(short, expected);
    let hash = spinney_azureml::code_hash(&stages).unwrap();
    assert_eq!(
        (seen[0].query("hash"), seen[0].query("hashVersion")),
        (Some(hash.as_str()), Some("202208"))
    );
    assert_eq!(seen[1].json(), recorded[1].body);
    seen[2..5].iter().for_each(compare_blob);
    let name = seen[0].path.split('/').rev().nth(1).unwrap();
    assert_eq!(metadata(&seen[4]), ["completed", name, "1"]);
    let mut body = recorded[5].body.clone();
    body["properties"]["codeUri"] = json!(format!("{}/storageaccount/GUID-058/stages", server.url));
    // Azure's specification has a map of texts; the SDK sends a number.
    body["properties"]["properties"] = json!({"hash_sha256": hash, "hash_version": "202208"});
    assert_eq!(seen[5].json(), body);

    // What was uploaded before, by whomever, is taken again.
    let server = Server::start().await;
    let there = json!({"value": [{"id": "/x/codes/c/versions/1", "name": "1", "properties": {"properties": {"hash_version": 202_208}}}]});
    server.enqueue("GET", &seen[0].path, Answer::json(200, there));
    let code = server.client().code().upload(&stages, &TransferOptions::default()).await.unwrap();
    assert_eq!(code.id, "/x/codes/c/versions/1");
    assert_eq!(server.seen().len(), 1);
}

/// The recorded file had 70 MiB, which the SDK sends in 18 blocks.
#[tokio::test]
async fn large_files_go_in_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("big.bin");
    let content: Vec<u8> = (0..10_000_u32).map(|i| (i % 251) as u8).collect();
    fs::write(&file, &content).unwrap();
    let hash = spinney_azureml::asset_hash(&file).unwrap();
    let blob = format!("/storageaccount/azureml-blobstore-0000/LocalUpload/{hash}/big.bin");
    let recorded = loopback::step("big_upload");
    let server = Server::start().await;
    for exchange in recorded[1..4].iter().chain(&recorded[8..]) {
        server.replay(exchange);
    }
    server.enqueue("HEAD", &blob, Answer::new(404));
    server.enqueue("GET", &blob, Answer::new(404));
    for status in [201, 201, 201, 201, 200] {
        server.enqueue("PUT", &blob, Answer::new(status));
    }
    let model = ModelSpec::from_path("big", &file);
    let options = TransferOptions::default().block_size(4000);
    server.client().models().register(&model, &options).await.unwrap();
    server.check();
    let mut blocks: Vec<(String, Vec<u8>)> = Vec::new();
    let mut list = String::new();
    for seen in server.seen().iter().filter(|seen| seen.path == blob) {
        match (seen.method.as_str(), seen.query("comp")) {
            ("PUT", Some("block")) => {
                blocks.push((seen.query("blockid").unwrap().to_owned(), seen.body.clone()));
            }
            ("PUT", Some("blocklist")) => {
                assert_eq!(seen.headers["if-none-match"], "*");
                list = String::from_utf8(seen.body.clone()).unwrap();
            }
            ("PUT", Some("metadata")) => assert_eq!(metadata(seen), ["completed", "big", "1"]),
            ("HEAD", None) => {}
            // The SDK begins anew each time, and does not ask what is there.
            ("GET", Some("blocklist")) => {
                assert_eq!(seen.query("blocklisttype"), Some("uncommitted"))
            }
            other => panic!("{other:?}"),
        }
    }
    blocks.sort_by_key(|(id, _)| list.find(&format!("<Latest>{id}</Latest>")).unwrap());
    assert_eq!(blocks.iter().map(|(_, block)| block.len()).collect::<Vec<_>>(), [4000, 4000, 2000]);
    assert_eq!(blocks.iter().flat_map(|(_, block)| block.clone()).collect::<Vec<_>>(), content);
    // The SDK's ids have 64 characters too: all ids of a blob must have one length.
    assert!(blocks.iter().all(|(id, _)| id.len() == 64));
}

#[tokio::test]
async fn references_become_ids() {
    let server = Server::start().await;
    let client = server.client();
    for (reference, id) in [
        ("azureml:minimal-model:3", format!("{WORKSPACE}/models/minimal-model/versions/3")),
        ("minimal-model:2024.1", format!("{WORKSPACE}/models/minimal-model/versions/2024.1")),
        ("azureml:/subscriptions/s/x", "/subscriptions/s/x".to_owned()),
        ("/subscriptions/s/x", "/subscriptions/s/x".to_owned()),
        (
            "azureml://registries/azureml/models/m/versions/1",
            "azureml://registries/azureml/models/m/versions/1".to_owned(),
        ),
    ] {
        assert_eq!(client.models().resolve(reference).await.unwrap(), id);
    }
    for reference in ["", "minimal-model", "azureml:", "a:b:c", "../x:1", "azureml:@latest"] {
        assert!(client.models().resolve(reference).await.is_err(), "{reference}");
    }
    assert_eq!(server.seen().len(), 0);

    // The SDK asks for a model that is called `azureml:minimal-model`.
    let (server, recorded) = Server::replaying("model_latest").await;
    let id = server.client().models().resolve("azureml:minimal-model@latest").await.unwrap();
    assert_eq!(id, format!("{WORKSPACE}/models/minimal-model/versions/1"));
    compare(&server, 0, &recorded, &[]);

    let registry = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
    assert_eq!(client.environments().resolve(registry).await.unwrap(), registry);
}

#[tokio::test]
async fn what_is_the_same_is_not_made_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.pkl");
    fs::write(&file, "content").unwrap();
    let hash = spinney_azureml::asset_hash(&file).unwrap();
    // As Azure writes it back: the long form, in a case of its own.
    let uri = format!(
        "azureml://subscriptions/{}/resourceGroups/rg/workspaces/mlops-ws/datastores/workspaceblobstore/paths/LocalUpload/{hash}/model.pkl",
        loopback::SUBSCRIPTION
    );
    let there = json!({
        "id": format!("{WORKSPACE}/models/ames/versions/3"), "name": "3",
        "properties": {"modelUri": uri, "modelType": "custom_model", "flavors": {"python": {"data": {"v": "1"}}}, "stage": null,
            "tags": {"a": "1"}, "provisioningState": "Succeeded"},
    });
    let blob = format!("/storageaccount/azureml-blobstore-0000/LocalUpload/{hash}/model.pkl");
    let container = json!({"id": "/x/models/ames", "name": "ames", "properties": {"latestVersion": "3", "nextVersion": "4"}});
    let server = Server::start().await;
    let stores = loopback::step("datastore_get");
    for _ in 0..2 {
        stores.iter().for_each(|exchange| server.replay(exchange));
        server.on("GET", "/models/ames", Answer::json(200, container.clone()));
        server.on("GET", "/models/ames/versions/3", Answer::json(200, there.clone()));
        server.enqueue(
            "HEAD",
            &blob,
            Answer::new(200).header("x-ms-meta-upload_status", "completed"),
        );
    }
    let client = server.client();
    let same = ModelSpec::from_path("ames", &file).tag("a", "1");
    let model = client.models().register(&same, &TransferOptions::default()).await.unwrap();
    assert_eq!(model.name, "3");
    assert!(server.seen().iter().all(|seen| seen.method != "PUT"));

    // What is new of it is added, and the rest stays.
    let tagged = ModelSpec::from_path("ames", &file).tag("b", "2").description("d");
    server.on("PUT", "/models/ames/versions/3", Answer::json(200, there.clone()));
    client.models().register(&tagged, &TransferOptions::default()).await.unwrap();
    server.check();
    let put: Value = server.seen().last().unwrap().json();
    let mut expected = there["properties"].clone();
    expected["tags"] = json!({"a": "1", "b": "2"});
    expected["description"] = json!("d");
    let fields = expected.as_object_mut().unwrap();
    fields.remove("stage");
    fields.remove("provisioningState");
    fields.extend(
        [("isAnonymous", json!(false)), ("isArchived", json!(false)), ("properties", json!({}))]
            .map(|(name, value)| (name.to_owned(), value)),
    );
    assert_eq!(put, json!({"properties": expected}));
}

#[tokio::test]
async fn a_version_that_another_client_took_is_not_overwritten() {
    let server = Server::start().await;
    let container =
        |next: &str| Answer::json(200, json!({"name": "m", "properties": {"nextVersion": next}}));
    server.on("GET", "/models/m", container("7")).on("GET", "/models/m", container("8"));
    let refused = Answer::error(400, "UserError", "Asset paths cannot be updated.");
    server.on("PUT", "/models/m/versions/7", refused.clone());
    let made = json!({"id": "/x/models/m/versions/8", "name": "8", "properties": {"flavors": {}}});
    server.on("PUT", "/models/m/versions/8", Answer::json(201, made));
    let uri = "azureml://jobs/j/outputs/model/paths/";
    let client = server.client();
    let model = ModelSpec::from_uri("m", uri);
    let model = client.models().register(&model, &TransferOptions::default()).await.unwrap();
    assert_eq!(model.name, "8");
    server.check();

    // A version that was asked for is not replaced by another.
    server.on("PUT", "/models/m/versions/7", refused);
    let model = ModelSpec::from_uri("m", uri).version("7");
    let error = client.models().register(&model, &TransferOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("Asset paths cannot be updated"), "{error}");
    server.check();
}
