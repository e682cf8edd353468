use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    cluster, endpoint, instance,
    support::{local, send},
};

#[tokio::test]
async fn only_who_holds_a_token_of_ours_is_answered() {
    let (_folder, local) = local().await;
    let url = format!("{}{}?api-version=2024-10-01", local.base(), local.id(""));
    for (token, code) in [
        (None, "AuthenticationFailed"),
        (Some("a.b.c".to_owned()), "InvalidAuthenticationToken"),
        (Some(format!("{}x", local.token)), "InvalidAuthenticationToken"),
        (Some(local.sign_in("https://ml.azure.com").await), "InvalidAuthenticationTokenAudience"),
    ] {
        let request = local.client.get(&url);
        let request = match &token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let reply = send(request).await.expect(401);
        assert_eq!(reply.code(), code);
        assert!(reply.header("www-authenticate").starts_with("Bearer "));
    }
    // A token ends.
    local.clock.advance(Duration::from_secs(3600));
    assert_eq!(local.get(&local.id("")).await.expect(401).code(), "InvalidAuthenticationToken");
    // And with a wrong secret there is none.
    let url = format!("{}/{}/oauth2/v2.0/token", local.base(), local.variable("AZURE_TENANT_ID"));
    let client = local.variable("AZURE_CLIENT_ID");
    for (form, status, code) in [
        (
            format!(
                "grant_type=client_credentials&client_id={client}&client_secret=x&scope=a/.default"
            ),
            401,
            7_000_215,
        ),
        ("grant_type=client_credentials&client_id=x".to_owned(), 400, 700_016),
        ("grant_type=password".to_owned(), 400, 70003),
        (String::new(), 400, 70003),
    ] {
        let reply = send(local.client.post(&url).body(form)).await.expect(status);
        assert_eq!(reply.body["error_codes"][0], code);
    }
}

#[tokio::test]
async fn paths_have_no_case_and_versions_must_be_said() {
    let (_folder, local) = local().await;
    let id = local.id("").to_uppercase();
    assert_eq!(local.get(&id).await.expect(200).body["name"], "mlops-ws");
    let url = format!("{}{id}", local.base());
    let reply = send(local.client.get(url).bearer_auth(&local.token)).await.expect(400);
    assert_eq!(reply.code(), "MissingApiVersionParameter");
    let reply = local.get(&local.id("").replace("mlops-ws", "missing")).await.expect(404);
    assert_eq!(reply.code(), "ResourceNotFound");
    assert!(!reply.header("x-ms-request-id").is_empty());
    let other = "/subscriptions/5b1ce700-0000-4000-8000-0000000000ff/resourceGroups/rg";
    assert_eq!(local.get(other).await.expect(404).code(), "SubscriptionNotFound");
}

#[tokio::test]
async fn what_is_required_is_asked_for_by_name() {
    let (_folder, local) = local().await;
    let without = |mut body: Value, pointer: &str| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        body
    };
    let with = |mut body: Value, pointer: &str, value: Value| {
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let scale = "/properties/properties/scaleSettings";
    for (path, body, words) in [
        ("/computes/cluster", without(cluster(), &format!("{scale}/maxNodeCount")), "maxNodeCount"),
        ("/computes/cluster", without(cluster(), scale), "scaleSettings"),
        ("/computes/cluster", without(cluster(), "/location"), "location"),
        (
            "/computes/cluster",
            with(cluster(), &format!("{scale}/minNodeCount"), json!(9)),
            "minNodeCount",
        ),
        (
            "/computes/cluster",
            with(cluster(), &format!("{scale}/maxNodeCount"), json!(-1)),
            "whole number",
        ),
        ("/computes/cluster-1", cluster(), "no name of a compute"),
        (
            "/computes/ci1",
            with(instance(), "/properties/properties/idleTimeBeforeShutdown", json!("PT5M")),
            "PT15M",
        ),
        (
            "/computes/ci1",
            with(instance(), "/properties/properties/vmSize", json!("Large")),
            "not available",
        ),
        ("/onlineEndpoints/abc", without(endpoint(), "/properties/authMode"), "authMode"),
        (
            "/onlineEndpoints/abc",
            with(endpoint(), "/properties/authMode", json!("None")),
            "AMLToken",
        ),
        ("/onlineEndpoints/abc", without(endpoint(), "/location"), "location"),
        ("/onlineEndpoints/a", endpoint(), "no name of an endpoint"),
        ("/data/d/versions/1", json!({"properties": {"dataType": "uri_file"}}), "dataUri"),
        (
            "/data/d/versions/1",
            json!({"properties": {"dataUri": "x", "dataType": "csv"}}),
            "uri_folder",
        ),
        ("/models/m/versions/1", json!({"properties": {}}), "modelUri"),
        ("/models/m/versions/1", json!({}), "properties"),
        (
            "/models/m/versions/1",
            json!({"properties": {"modelUri": "x", "tags": {"a": []}}}),
            "tags.a",
        ),
        (
            "/models/m/versions/1",
            json!({"properties": {"modelUri": "x", "isArchived": "no"}}),
            "isArchived",
        ),
        ("/models/-m/versions/1", json!({"properties": {"modelUri": "x"}}), "no name of an asset"),
        ("/environments/e/versions/1", json!({"properties": {"condaFile": "x"}}), "image"),
        ("/components/c/versions/1", json!({"properties": {}}), "componentSpec"),
        ("/codes/c/versions/1", json!({"properties": {}}), "codeUri"),
    ] {
        let reply = local.put(&local.id(path), &body).await.expect(400);
        assert!(reply.message().contains(words), "{path}: {}", reply.message());
    }
}

#[tokio::test]
async fn what_is_not_there_yet_is_refused_by_name() {
    let (_folder, local) = local().await;
    for (path, words) in [("/datastores/mine", "datastores"), ("/schedules/s", "/schedules/s")] {
        let reply = local.put(&local.id(path), &json!({"properties": {}})).await.expect(501);
        assert_eq!(reply.code(), "NotImplementedInEmulator");
        assert!(reply.message().contains(words), "{}", reply.message());
    }
}

#[tokio::test]
async fn groups_workspaces_identities_and_roles_come_and_go() {
    let (_folder, local) = local().await;
    let group = local.group().replace("/rg", "/other");
    let workspace =
        format!("{group}/providers/Microsoft.MachineLearningServices/workspaces/second");
    let body = json!({"location": "westeurope", "tags": {"a": "b"}});
    assert_eq!(local.put(&workspace, &body).await.expect(404).code(), "ResourceGroupNotFound");
    local.put(&group, &body).await.expect(201);
    local.put(&workspace, &body).await.expect(200);
    local.wait();
    let made = local.get(&workspace).await.expect(200).body;
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    assert!(made["properties"]["discoveryUrl"].as_str().unwrap().ends_with("/discovery"));

    let identity =
        format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/uai");
    let made = local.put(&identity, &body).await.expect(201).body;
    let principal = made["properties"]["principalId"].clone();
    assert_eq!(
        local.put(&identity, &body).await.expect(200).body["properties"]["principalId"],
        principal
    );
    let role = |name: &str| {
        format!(
            "{workspace}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-00000000000{name}"
        )
    };
    let assignment = json!({"properties": {"roleDefinitionId": "/x/roleDefinitions/y", "principalId": principal}});
    local.put(&role("1"), &assignment).await.expect(201);
    local.put(&role("1"), &assignment).await.expect(200);
    assert_eq!(local.put(&role("2"), &assignment).await.expect(409).code(), "RoleAssignmentExists");
    let all = format!("{group}/providers/Microsoft.Authorization/roleAssignments");
    assert_eq!(local.get(&all).await.expect(200).body["value"].as_array().unwrap().len(), 1);

    // A token for that identity, which is known by then.
    let msi = local.variable("MSI_ENDPOINT");
    let ask = |client: &str, secret: &str| {
        let url = format!(
            "{msi}?api-version=2017-09-01&resource=https://management.azure.com&clientid={client}"
        );
        send(local.client.get(url).header("secret", secret))
    };
    let secret = local.variable("MSI_SECRET");
    let client = made["properties"]["clientId"].as_str().unwrap();
    assert!(ask(client, &secret).await.expect(200).body["access_token"].is_string());
    ask("5b1ce700-0000-4000-8000-0000000000ff", &secret).await.expect(400);
    ask(client, "guess").await.expect(401);

    let names = |body: &Value| -> Vec<String> {
        body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let resources = local.get(&format!("{group}/resources")).await.expect(200).body;
    assert_eq!(names(&resources), ["second", "uai"]);
    let gone = local.delete(&group).await.expect(202);
    let location = gone.header("location").to_owned();
    local.follow(&location).await.expect(202);
    local.wait();
    local.follow(&location).await.expect(200);
    local.get(&workspace).await.expect(404);
    local.get(&identity).await.expect(404);
    local.get(&local.id("")).await.expect(200);
}
