use reqwest::Method;
use serde_json::json;

use crate::support::{Local, local, send};

#[tokio::test]
async fn versions_are_counted_listed_tagged_archived_and_never_moved() {
    let (_folder, local) = local().await;
    local.get(&local.id("/models/m")).await.expect(404);
    local.get(&local.id("/models/m/versions?$orderBy=createdtime desc&$top=1")).await.expect(404);
    for version in ["1", "2", "10", "beta"] {
        let uri = format!("azureml://datastores/d/paths/{version}");
        let made = local.register("m", version, &uri).await;
        assert_eq!(made.expect(201).body["properties"]["flavors"], json!({}));
    }
    let container = local.get(&local.id("/models/m")).await.expect(200).body;
    assert_eq!(container["properties"]["nextVersion"], "11");
    assert_eq!(container["properties"]["latestVersion"], "beta");

    let names = async |query: &str| -> Vec<String> {
        let mut names = Vec::new();
        let mut reply =
            local.get(&local.id(&format!("/models/m/versions{query}"))).await.expect(200);
        loop {
            let page = reply.body["value"].as_array().unwrap().clone();
            names.extend(page.iter().map(|version| version["name"].as_str().unwrap().to_owned()));
            let Some(next) = reply.body["nextLink"].as_str() else { return names };
            reply = local.follow(next).await.expect(200);
        }
    };
    assert_eq!(names("").await, ["beta", "10", "2", "1"]);
    assert_eq!(names("?$orderBy=createdtime%20asc&$top=1").await, ["1", "2", "10", "beta"]);

    // Where it is, said long, is where it is.
    let id = local.id("/models/m/versions/2");
    let long = "azureml://subscriptions/s/resourcegroups/rg/workspaces/w/datastores/d/paths/2";
    let body = json!({"properties": {"modelUri": long, "tags": {"r2": "0.9"}, "isArchived": true}});
    local.put(&id, &body).await.expect(200);
    let moved = local.register("m", "2", "azureml://datastores/d/paths/other").await.expect(400);
    assert_eq!(moved.message(), "Asset paths cannot be updated.");
    assert_eq!(names("").await, ["beta", "10", "1"]);
    assert_eq!(names("?listViewType=ArchivedOnly").await, ["2"]);
    assert_eq!(names("?listViewType=All&tags=r2=0.9").await, ["2"]);
    assert_eq!(
        names("?listViewType=All&$orderBy=updatedtime%20desc").await,
        ["2", "beta", "10", "1"]
    );
    local.get(&local.id("/models/m/versions?$orderBy=size")).await.expect(400);
    local.get(&local.id("/models/m/versions?$top=x")).await.expect(400);

    local.delete(&local.id("/models/m/versions/10")).await.expect(200);
    local.delete(&local.id("/models/m/versions/10")).await.expect(204);
    assert_eq!(names("?listViewType=All").await, ["beta", "2", "1"]);
}

#[tokio::test]
async fn a_write_that_is_based_on_what_was_is_refused() {
    let (_folder, local) = local().await;
    let id = local.id("/models/m/versions/1");
    let body =
        |tag: &str| json!({"properties": {"modelUri": "u", "tags": {"by": tag}}}).to_string();
    let put = |header: &'static str, value: String, tag: &str| {
        send(local.request(Method::PUT, &id).header(header, value).body(body(tag)))
    };
    let first = put("if-none-match", "*".to_owned(), "a").await.expect(201);
    put("if-none-match", "*".to_owned(), "b").await.expect(412);
    let etag = first.header("etag").to_owned();
    let second = put("if-match", etag.clone(), "c").await.expect(200);
    assert_ne!(second.header("etag"), etag);
    let reply = put("if-match", etag, "d").await.expect(412);
    assert_eq!(reply.code(), "PreconditionFailed");
    let now = local.get(&id).await.expect(200);
    assert_eq!(now.body["properties"]["tags"]["by"], "c");
    assert_eq!(now.header("etag"), second.header("etag"));
}

/// Fifty clients that all want the next version: each number is taken once, and nothing that was registered is lost.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_race_lose_nothing() {
    let (_folder, local) = local().await;
    let local: &Local = &local;
    let races = (0..50).map(|client| async move {
        loop {
            let container = local.get(&local.id("/models/m")).await;
            let next = match container.status {
                200 => container.body["properties"]["nextVersion"].as_str().unwrap().to_owned(),
                _ => "1".to_owned(),
            };
            let uri = format!("azureml://datastores/d/paths/{client}");
            match local.register("m", &next, &uri).await {
                reply if reply.status == 201 => return,
                // Somebody else was faster: the number means their model, for good.
                reply => assert_eq!(reply.expect(400).message(), "Asset paths cannot be updated."),
            }
        }
    });
    futures_util::future::join_all(races).await;
    let all = local.get(&local.id("/models/m/versions")).await.expect(200).body;
    let mut uris: Vec<String> = all["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["properties"]["modelUri"].to_string())
        .collect();
    uris.sort();
    uris.dedup();
    assert_eq!(uris.len(), 50);
    let container = local.get(&local.id("/models/m")).await.expect(200).body;
    assert_eq!(container["properties"]["nextVersion"], "51");
}

#[tokio::test]
async fn code_is_found_by_its_content() {
    let (_folder, local) = local().await;
    let by_hash =
        |hash: &str| local.id(&format!("/codes/any/versions?hash={hash}&hashVersion=202208"));
    assert_eq!(local.get(&by_hash("aa")).await.expect(200).body, json!({"value": []}));
    for (name, version) in
        [("one", json!(202_208)), ("two", json!("202208")), ("three", json!("1"))]
    {
        let body = json!({"properties": {"codeUri": "https://x/y", "properties": {"hash_sha256": "aa", "hash_version": version}}});
        local.put(&local.id(&format!("/codes/{name}/versions/1")), &body).await.expect(201);
    }
    let found = local.get(&by_hash("aa")).await.expect(200).body;
    let ids: Vec<&str> = found["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0].ends_with("/codes/one/versions/1") && ids[1].ends_with("/codes/two/versions/1"));
}
