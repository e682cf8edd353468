//! Requests for online endpoints and deployments beside those of Microsoft's SDK; see `traces.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use loopback::{Answer, Difference, Server, WORKSPACE, compare};
use serde_json::{Value, json};
use spinney_azureml::{
    AuthMode, ContainerKind, KeyKind, MlClient, OnlineDeploymentSpec, OnlineEndpointSpec, Traffic,
};

const ENDPOINT: &str = "sklearn-endpoint";

/// The place is known from the start, so that the workspace is not asked for.
fn client(server: &Server) -> MlClient {
    server.builder().location("westeurope").build().unwrap()
}

/// The recorded deployments.
fn deployment() -> OnlineDeploymentSpec {
    OnlineDeploymentSpec::new("Standard_D2as_v4", 1)
        .model(format!("{WORKSPACE}/models/minimal-model/versions/1"))
        .environment("azureml://registries/azureml/environments/sklearn-1.5/labels/latest")
        .code(format!("{WORKSPACE}/codes/GUID-055/versions/1"), "score.py")
}

#[tokio::test]
async fn an_endpoint_is_created() {
    let recorded = loopback::step("ep_create");
    let server = Server::start().await;
    // What exists keeps its traffic, so it is asked for first.
    server.on(
        "GET",
        "/onlineEndpoints/sklearn-endpoint",
        Answer::error(404, "ResourceNotFound", "none"),
    );
    recorded.iter().for_each(|exchange| server.replay(exchange));
    let endpoint = server
        .client()
        .online_endpoints()
        .create_or_update(ENDPOINT, &OnlineEndpointSpec::new())
        .await
        .unwrap();
    assert_eq!(endpoint.properties.auth_mode, AuthMode::Key);
    assert!(endpoint.properties.scoring_uri.unwrap().ends_with("/score"));
    let seen = server.seen_short();
    assert_eq!(seen[0], "GET /onlineEndpoints/sklearn-endpoint");
    compare(&server, 1, &recorded, &[]);
    server.check();
}

#[tokio::test]
async fn an_endpoint_that_exists_keeps_its_traffic() {
    let server = Server::start().await;
    let recorded = loopback::step("ep_traffic");
    // The endpoint as it is after its traffic was set.
    let after = loopback::step("ep_get");
    server.replay(&after[0]);
    recorded
        .iter()
        .filter(|exchange| exchange.method == "PUT" || exchange.path.contains("mfeOperations"))
        .for_each(|exchange| server.replay(exchange));
    server.replay(&after[0]);
    client(&server)
        .online_endpoints()
        .create_or_update(ENDPOINT, &OnlineEndpointSpec::new())
        .await
        .unwrap();
    let put = server.seen().into_iter().find(|seen| seen.method == "PUT").unwrap();
    assert_eq!(put.json()["properties"]["traffic"], json!({"blue": 100}));
}

#[tokio::test]
async fn an_endpoint_that_fails_says_why() {
    let (server, recorded) = Server::replaying("ep_fail").await;
    server.on("GET", "/onlineEndpoints/failep", Answer::error(404, "ResourceNotFound", "none"));
    let error = client(&server)
        .online_endpoints()
        .create_or_update("failep", &OnlineEndpointSpec::new())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("SubscriptionNotRegistered")
            && text.contains("register the resource providers"),
        "{text}"
    );
    compare(&server, 1, &recorded[1..], &[]);
}

#[tokio::test]
async fn traffic_is_read_changed_and_written() {
    // The SDK also lists deployments and reads the workspace.
    for (step, traffic) in
        [("ep_traffic", Traffic::to("blue").unwrap()), ("ep_traffic0", Traffic::none())]
    {
        let recorded = loopback::step(step);
        let wanted: Vec<_> = recorded
            .iter()
            .filter(|exchange| {
                !exchange.path.ends_with("/deployments") && exchange.path != WORKSPACE
            })
            .collect();
        let server = Server::start().await;
        wanted.iter().for_each(|exchange| server.replay(exchange));
        server.replay(wanted[0]);
        client(&server).online_endpoints().set_traffic(ENDPOINT, &traffic).await.unwrap();
        let all = wanted.iter().copied().chain([wanted[0]]);
        // Empty tags may as well be left out. The SDK writes among an endpoint's properties who made it, the first time; they stay.
        let no_tags: Difference = |body| {
            if let Some(body) = body.as_object_mut() {
                body.remove("tags");
            }
        };
        let no_creator: Difference = |body| {
            if body["properties"]["traffic"] == json!({"blue": 100}) {
                body["properties"]["properties"] = json!({});
            }
        };
        compare(&server, 0, all, &[no_tags, no_creator]);
        server.check();
    }
}

#[tokio::test]
async fn endpoints_are_read_listed_and_deleted() {
    let recorded = loopback::step("ep_get");
    let server = Server::start().await;
    server.replay(&recorded[0]);
    let endpoint = client(&server).online_endpoints().get(ENDPOINT).await.unwrap();
    assert_eq!(endpoint.properties.traffic, [("blue".to_owned(), 100)].into());
    compare(&server, 0, [&recorded[0]], &[]);

    let (server, recorded) = Server::replaying("ep_list").await;
    assert_eq!(client(&server).online_endpoints().list().collect().await.unwrap().len(), 2);
    compare(&server, 0, &recorded, &[]);

    let (server, _) = Server::replaying("ep_get_missing").await;
    assert!(client(&server).online_endpoints().get(ENDPOINT).await.unwrap_err().is_not_found());

    let (server, recorded) = Server::replaying("ep_delete").await;
    client(&server).online_endpoints().delete(ENDPOINT).await.unwrap();
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn keys_are_read_and_made_anew() {
    // The SDK reads the endpoint first, to know that it has keys.
    let (server, recorded) = Server::replaying("ep_keys").await;
    let keys = client(&server).online_endpoints().keys(ENDPOINT).await.unwrap();
    assert!(keys.primary_key != keys.secondary_key);
    compare(&server, 0, [&recorded[1]], &[]);

    let recorded = loopback::step("ep_regen");
    let wanted: Vec<_> = recorded.iter().skip(1).collect();
    let server = Server::start().await;
    wanted.iter().for_each(|exchange| server.replay(exchange));
    server.on(
        "POST",
        "/onlineEndpoints/sklearn-endpoint/listKeys",
        Answer::json(200, json!({"primaryKey": "p", "secondaryKey": "new"})),
    );
    let keys =
        client(&server).online_endpoints().rotate_key(ENDPOINT, KeyKind::Secondary).await.unwrap();
    assert_eq!(keys.secondary_key.secret(), "new");
    let regenerate =
        server.seen().into_iter().find(|seen| seen.path.ends_with("regenerateKeys")).unwrap();
    // The SDK sends the old key along, as the new one.
    assert_eq!(regenerate.json(), json!({"keyType": "Secondary"}));

    // A key that stays the same is an error, and a request of unknown effect is not sent again.
    let server = Server::start().await;
    let same = Answer::json(200, json!({"primaryKey": "p", "secondaryKey": "s"}));
    server.always("POST", "/onlineEndpoints/sklearn-endpoint/listKeys", same);
    server.on("POST", "/onlineEndpoints/sklearn-endpoint/regenerateKeys", Answer::new(200));
    let error = client(&server)
        .online_endpoints()
        .rotate_key(ENDPOINT, KeyKind::Primary)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the primary key is the same as before"), "{error}");
    server.on(
        "POST",
        "/onlineEndpoints/sklearn-endpoint/regenerateKeys",
        Answer::fault(loopback::Fault::Reset),
    );
    client(&server).online_endpoints().rotate_key(ENDPOINT, KeyKind::Primary).await.unwrap_err();
    server.check();
}

#[tokio::test]
async fn deployments_are_made_changed_and_deleted() {
    for step in ["dep_create", "dep_update"] {
        // The SDK reads the endpoint, the code and the workspace first.
        let recorded = loopback::step(step);
        let put = recorded.iter().position(|exchange| exchange.method == "PUT").unwrap();
        let wanted: Vec<_> = recorded[put..].iter().collect();
        let server = Server::start().await;
        wanted.iter().for_each(|exchange| server.replay(exchange));
        let blue = client(&server)
            .online_deployments(ENDPOINT)
            .create_or_update("blue", &deployment())
            .await
            .unwrap();
        assert_eq!(blue.sku.unwrap().capacity, Some(1));
        assert_eq!(blue.properties.instance_type.as_deref(), Some("Standard_D2as_v4"));
        compare(&server, 0, wanted, &[]);
        server.check();
    }
    let (server, recorded) = Server::replaying("dep_list").await;
    let names: Vec<_> =
        client(&server).online_deployments(ENDPOINT).list().collect().await.unwrap();
    assert!(names.iter().any(|deployment| deployment.name == "blue"));
    compare(&server, 0, &recorded, &[]);

    let (server, _) = Server::replaying("dep_delete_with_traffic").await;
    let error = client(&server).online_deployments(ENDPOINT).delete("blue").await.unwrap_err();
    assert_eq!(error.status(), Some(400));

    let (server, recorded) = Server::replaying("dep_delete").await;
    client(&server).online_deployments(ENDPOINT).delete("blue").await.unwrap();
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn logs_are_read() {
    let (server, recorded) = Server::replaying("dep_logs").await;
    let deployments = client(&server);
    let deployments = deployments.online_deployments(ENDPOINT);
    let log = deployments.logs("blue", ContainerKind::InferenceServer, Some(50)).await.unwrap();
    assert!(!log.is_empty());
    // The SDK leaves out the default.
    let kind: Difference = |body| {
        if let Value::Object(body) = body {
            body.insert("containerType".to_owned(), json!("InferenceServer"));
        }
    };
    compare(&server, 0, &recorded, &[kind]);
}

#[tokio::test]
async fn a_deployment_that_crashes_shows_its_log() {
    let recorded = loopback::step("dep_crash");
    let server = Server::start().await;
    recorded
        .iter()
        .filter(|exchange| exchange.method == "PUT" || exchange.path.contains("mfeOperations"))
        .for_each(|exchange| server.replay(exchange));
    let log = |text: &str| Answer::json(200, json!({"content": text}));
    server.on("POST", "/onlineEndpoints/sklearn-endpoint/deployments/crash/getLogs", log("")).on(
        "POST",
        "/onlineEndpoints/sklearn-endpoint/deployments/crash/getLogs",
        log("Traceback\nModuleNotFoundError: No module named 'joblib'"),
    );
    let error = client(&server)
        .online_deployments(ENDPOINT)
        .create_or_update("crash", &deployment())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(
            "the end of the log of the inference server:\n  | Traceback\n  | ModuleNotFoundError"
        ),
        "{text}"
    );
    server.check();
}

#[tokio::test]
async fn a_deployment_is_scaled_by_a_patch() {
    let server = Server::start().await;
    let path = "/onlineEndpoints/sklearn-endpoint/deployments/blue";
    let blue = Answer::json(
        200,
        json!({"name": "blue", "location": "westeurope", "sku": {"name": "Default", "capacity": 3}, "properties": {"endpointComputeType": "Managed", "provisioningState": "Succeeded"}}),
    );
    server.on("PATCH", path, blue.clone()).on("GET", path, blue);
    let client = client(&server);
    let deployments = client.online_deployments(ENDPOINT);
    assert_eq!(deployments.scale("blue", 3).await.unwrap().sku.unwrap().capacity, Some(3));
    assert_eq!(server.seen()[0].json(), json!({"sku": {"name": "Default", "capacity": 3}}));
    assert!(deployments.scale("blue", 0).await.is_err());
}
