//! How endpoints are asked for jobs, and for what.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    office::{Office, SUMS, endpoint, folder_input},
    support::send,
};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_known_by_their_endpoint_and_deployment() {
    let office = Office::with(None).await;
    office.deploy("blue", SUMS, json!({})).await;
    office.deploy("green", SUMS, json!({})).await;
    office.made("/batchEndpoints/sums", &endpoint(json!({"deploymentName": "green"}))).await;
    let folder = office.numbers("in", &["a"]).await;
    let mut names = Vec::new();
    for deployment in [None, Some("blue"), Some("GREEN")] {
        let body = json!({"properties": folder_input(&folder)});
        let made = office.at_endpoint(Method::POST, "/jobs", deployment, &body).await.expect(201);
        let name = made.body["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with("batchjob-"), "{name}");
        assert_eq!(made.body["id"], office.local.id(&format!("/jobs/{name}")));
        assert_eq!(made.body["properties"]["status"], "Preparing");
        assert_eq!(made.body["properties"]["experimentName"], "sums");
        names.push(name);
    }
    let named = |list: &Value| -> Vec<String> {
        let jobs = list["value"].as_array().unwrap().iter();
        jobs.map(|job| job["name"].as_str().unwrap().to_owned()).collect()
    };
    let [first, second, third] = names.as_slice() else { unreachable!() };
    // At the endpoint's address, a page at a time, and at the service's as the SDK asks.
    let mut found = Vec::new();
    let mut page =
        office.at_endpoint(Method::GET, "/jobs?$top=2", None, &Value::Null).await.expect(200);
    found.extend(named(&page.body));
    let next = page.body["nextLink"].as_str().unwrap().to_owned();
    page = send(office.local.client.get(next).bearer_auth(&office.token)).await.expect(200);
    found.extend(named(&page.body));
    assert_eq!(found, [third.as_str(), second, first]);
    let service = format!("{}/mferp/managementfrontend", office.local.base());
    for (path, wanted) in [
        ("/batchEndpoints/sums/jobs", vec![third, second, first]),
        ("/batchEndpoints/sums/deployments/green/jobs", vec![third, first]),
        ("/batchEndpoints/sums/deployments/red/jobs", vec![]),
    ] {
        let url =
            format!("{service}{}?api-version=2020-09-01-dataplanepreview", office.local.id(path));
        let list = send(office.local.client.get(url).bearer_auth(&office.token)).await.expect(200);
        assert_eq!(named(&list.body).iter().collect::<Vec<_>>(), wanted, "{path}");
    }
    let one = office.at_endpoint(Method::GET, &format!("/jobs/{first}"), None, &Value::Null).await;
    assert_eq!(one.expect(200).body["name"], first.as_str());
    office.at_endpoint(Method::GET, "/jobs/other", None, &Value::Null).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_is_turned_away() {
    let office = Office::with(None).await;
    office.deploy("blue", SUMS, json!({})).await;
    let url = format!("{}/inference/westeurope/sums/jobs", office.local.base());
    let body = json!({"properties": folder_input("azureml:x:1")}).to_string();
    let post = || office.local.client.post(&url).body(body.clone());
    send(post()).await.expect(401);
    send(post().bearer_auth("guess")).await.expect(401);
    // A token for Azure Resource Manager is none for machine learning, and the other way round.
    send(post().bearer_auth(&office.local.token)).await.expect(401);
    let arm = office.local.id("/batchEndpoints/sums");
    let arm = format!("{}{arm}?api-version=2025-12-01", office.local.base());
    send(office.local.client.get(arm).bearer_auth(&office.token)).await.expect(401);
    let jobs = office.local.get(&office.local.id("/batchEndpoints/sums/jobs")).await.expect(404);
    assert!(jobs.message().contains("scoringUri"), "{}", jobs.message());
    // What else there is behind Azure Resource Manager is not reached around it.
    let service = format!("{}/mferp/managementfrontend", office.local.base());
    for path in ["/models/factor/versions/1", "/batchEndpoints/sums", "/jobs"] {
        let url = format!("{service}{}?api-version=1", office.local.id(path));
        let refused = send(office.local.client.get(url).bearer_auth(&office.token)).await;
        refused.expect(501);
    }
    office.at_endpoint(Method::DELETE, "/jobs", None, &Value::Null).await.expect(405);
    office.at_endpoint(Method::POST, "/score", None, &json!({})).await.expect(501);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused() {
    let office = Office::with(None).await;
    office.deploy("blue", SUMS, json!({})).await;
    let folder = office.numbers("in", &["a"]).await;
    let file = |kind: &str| json!({"jobInputType": kind, "uri": folder});
    for (status, properties, why) in [
        (400, json!({}), "takes one input"),
        (400, json!({"inputData": {"a": file("UriFolder"), "b": file("UriFile")}}), "gets 2"),
        (
            400,
            json!({"inputData": {"a": {"jobInputType": "Literal", "value": "x"}}}),
            "a folder or a file",
        ),
        (400, json!({"inputData": {"a": {"jobInputType": "UriFolder"}}}), "uri"),
        (400, folder_input("https://example.com/data"), "example.com"),
        (400, folder_input("azureml:none:1"), "none"),
        (501, json!({"inputData": {"a": file("MLTable")}}), "mltable"),
        (
            501,
            json!({"inputData": {"a": file("UriFolder")}, "compute": {"instanceCount": 3}}),
            "compute",
        ),
        (400, json!({"inputData": {"a": file("UriFolder")}, "miniBatchSize": 0}), "miniBatchSize"),
        (400, json!({"inputData": {"a": file("UriFolder")}, "name": "a b"}), "a b"),
        (
            400,
            json!({"inputData": {"a": file("UriFolder")}, "outputData": {"other": {"jobOutputType": "UriFile", "uri": "x"}}}),
            "other",
        ),
        (
            400,
            json!({"inputData": {"a": file("UriFolder")}, "outputData": {"score": {"jobOutputType": "UriFile", "uri": "azureml://x/"}}}),
            "must end with a file",
        ),
        (
            400,
            json!({"inputData": {"a": file("UriFolder")}, "outputData": {"score": {"jobOutputType": "MLTable"}}}),
            "mltable",
        ),
    ] {
        let reply = office.invoke("blue", properties).await.expect(status);
        assert!(reply.message().contains(why), "{why}: {}", reply.message());
    }
    let reply = office.invoke("red", folder_input(&folder)).await.expect(404);
    assert!(reply.message().contains("red"), "{}", reply.message());
    office.invoke("blue/jobs/x", folder_input(&folder)).await.expect(404);
    let body = json!({"properties": folder_input(&folder)});
    let reply = office.at_endpoint(Method::POST, "/jobs", None, &body).await.expect(400);
    assert!(reply.message().contains("no default deployment"), "{}", reply.message());
    // Nothing came of any of them.
    let jobs = office.at_endpoint(Method::GET, "/jobs", None, &Value::Null).await.expect(200);
    assert_eq!(jobs.body["value"], json!([]));
}
