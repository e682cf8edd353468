//! What Azure Resource Manager does, rule by rule.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Local, local, send};

fn instance() -> Value {
    json!({"location": "westeurope", "properties": {"computeType": "ComputeInstance", "properties": {
        "vmSize": "Standard_DS11_v2", "idleTimeBeforeShutdown": "PT60M", "somethingNew": {"a": [1]},
    }}})
}

fn cluster() -> Value {
    json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 2, "maxNodeCount": 4},
    }}})
}

fn endpoint() -> Value {
    json!({"location": "westeurope", "properties": {"authMode": "Key"}})
}

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
async fn an_instance_is_created_stopped_started_and_deleted() {
    let (_folder, local) = local().await;
    let id = local.id("/computes/ci1");
    let state = async |state: &str| {
        let body = local.get(&id).await.expect(200).body;
        assert_eq!(body["properties"]["properties"]["state"], state);
        body
    };
    let made = local.put(&id, &instance()).await.expect(201);
    assert_eq!(made.body["properties"]["provisioningState"], "Creating");
    assert_eq!(made.header("retry-after"), "1");
    let operation = made.header("azure-asyncoperation").to_owned();
    assert_eq!(local.follow(&operation).await.expect(200).body["status"], "InProgress");
    state("Creating").await;
    // One after the other.
    assert_eq!(local.put(&id, &instance()).await.expect(409).code(), "Conflict");
    local.post(&format!("{id}/stop"), &Value::Null).await.expect(409);
    local.wait();
    let done = local.follow(&operation).await.expect(200);
    assert_eq!((done.body["status"].as_str(), done.header("retry-after")), (Some("Succeeded"), ""));
    let body = state("Running").await;
    assert_eq!(body["properties"]["provisioningState"], "Succeeded");
    // What nobody here knows is kept.
    assert_eq!(body["properties"]["properties"]["somethingNew"], json!({"a": [1]}));

    local.post(&format!("{id}/stop"), &Value::Null).await.expect(202);
    state("Stopping").await;
    local.wait();
    state("Stopped").await;
    // To ask again is no mistake.
    local.post(&format!("{id}/stop"), &Value::Null).await.expect(202);
    local.wait();
    local.post(&format!("{id}/start"), &Value::Null).await.expect(202);
    state("Starting").await;
    local.wait();
    state("Running").await;

    local.delete(&id).await.expect(400);
    let gone = local.delete(&format!("{id}?underlyingResourceAction=Delete")).await.expect(202);
    local.wait();
    let operation = gone.header("azure-asyncoperation").to_owned();
    assert_eq!(local.follow(&operation).await.expect(200).body["status"], "Succeeded");
    local.get(&id).await.expect(404);
    local.delete(&format!("{id}?underlyingResourceAction=Delete")).await.expect(204);
}

#[tokio::test]
async fn an_idle_instance_is_shut_down_when_its_time_has_come() {
    let (_folder, mut local) = local().await;
    let id = local.id("/computes/ci1");
    local.put(&id, &instance()).await.expect(201);
    local.wait();
    let machine = local.get(&id).await.expect(200).body["properties"]["properties"].clone();
    assert_eq!(machine["state"], "Running");
    local.clock.advance(Duration::from_secs(59 * 60));
    local.token = local.sign_in("https://management.azure.com").await;
    let machine = local.get(&id).await.expect(200).body["properties"]["properties"].clone();
    assert_eq!(machine["state"], "Running");
    local.clock.advance(Duration::from_secs(60));
    let machine = local.get(&id).await.expect(200).body["properties"]["properties"].clone();
    assert_eq!(machine["state"], "Stopped");
    assert_eq!(machine["lastOperation"]["operationTrigger"], "IdleShutdown");
}

#[tokio::test]
async fn a_cluster_has_its_least_nodes_and_no_more_than_the_quota() {
    let (_folder, local) = local().await;
    let id = local.id("/computes/cluster");
    let made = local.put(&id, &cluster()).await.expect(201);
    assert_eq!(made.body["properties"]["properties"]["allocationState"], "Resizing");
    local.wait();
    let body = local.get(&id).await.expect(200).body;
    assert_eq!(body["properties"]["properties"]["currentNodeCount"], 2);
    assert_eq!(body["properties"]["properties"]["allocationState"], "Steady");
    let location = format!(
        "/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/westeurope/usages",
        local.variable("AZUREML_ARM_SUBSCRIPTION")
    );
    let usages = local.get(&location).await.expect(200).body;
    let usage = usages["value"].as_array().unwrap().iter();
    let usage = usage.clone().find(|usage| usage["name"]["value"] == "standardDSv2Family").unwrap();
    assert_eq!(usage["currentValue"], 8);

    let mut large = cluster();
    large["properties"]["properties"]["scaleSettings"]["maxNodeCount"] = json!(26);
    let made = local.put(&local.id("/computes/large"), &large).await.expect(201);
    let operation = made.header("azure-asyncoperation").to_owned();
    local.wait();
    // That it failed is no failure of the question.
    let done = local.follow(&operation).await.expect(200);
    assert_eq!(done.body["status"], "Failed");
    assert_eq!(done.body["error"]["details"][0]["code"], "ClusterCoreQuotaReached");
    assert_eq!(done.header("retry-after"), "");
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
async fn traffic_is_whole_and_goes_to_what_there_is() {
    let (_folder, local) = local().await;
    for (traffic, words) in [
        (json!({"blue": 50}), "0 or 100"),
        (json!({"blue": 60, "green": 60}), "0 or 100"),
        (json!({"blue": 99.5}), "whole number"),
        (json!({"blue": -1}), "whole number"),
        (json!({"blue": "100"}), "whole number"),
        (json!([100]), "an object"),
        (json!({"blue": 100}), "no deployment blue"),
    ] {
        let mut body = endpoint();
        body["properties"]["traffic"] = traffic;
        let reply = local.put(&local.id("/onlineEndpoints/abc"), &body).await.expect(400);
        assert!(reply.message().contains(words), "{}", reply.message());
    }
    let mut body = endpoint();
    body["properties"]["traffic"] = json!({"blue": 0});
    local.put(&local.id("/onlineEndpoints/abc"), &body).await.expect(201);
}

#[tokio::test]
async fn keys_are_secret_until_they_are_asked_for() {
    let (_folder, local) = local().await;
    let id = local.id("/onlineEndpoints/abc");
    let mut body = endpoint();
    body["properties"]["keys"] = json!({"primaryKey": "mine"});
    let made = local.put(&id, &body).await.expect(201);
    assert!(!made.body.to_string().contains("mine"));
    assert_eq!(made.body["properties"]["properties"], json!({}));
    assert!(made.body["systemData"]["createdAt"].is_string());
    local.wait();
    let keys = local.post(&format!("{id}/listKeys"), &Value::Null).await.expect(200).body;
    assert_eq!(keys["primaryKey"], "mine");

    let wish = json!({"keyType": "Primary"});
    let reply = local.post(&format!("{id}/regenerateKeys"), &wish).await.expect(202);
    let result = reply.header("location").to_owned();
    local.follow(&result).await.expect(202);
    local.wait();
    local.follow(&result).await.expect(204);
    let new = local.post(&format!("{id}/listKeys"), &Value::Null).await.expect(200).body;
    assert_ne!(new["primaryKey"], "mine");
    assert_eq!(new["secondaryKey"], keys["secondaryKey"]);
    local.post(&format!("{id}/regenerateKeys"), &json!({})).await.expect(400);
    local.post(&format!("{id}/token"), &Value::Null).await.expect(400);

    // At its front door.
    let uri = made.body["properties"]["scoringUri"].as_str().unwrap();
    let score = |key: &str| send(local.client.post(uri).bearer_auth(key));
    score("wrong").await.expect(401);
    let reply = score(new["secondaryKey"].as_str().unwrap()).await.expect(404);
    assert_eq!(reply.code(), "NoDeployment");
}

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

#[tokio::test]
async fn what_is_not_there_yet_is_refused_by_name() {
    let (_folder, local) = local().await;
    local.put(&local.id("/onlineEndpoints/abc"), &endpoint()).await.expect(201);
    for (path, words) in [
        ("/jobs/j", "running jobs"),
        ("/onlineEndpoints/abc/deployments/blue", "running deployments"),
        ("/datastores/mine", "datastores"),
        ("/schedules/s", "/schedules/s"),
    ] {
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
    local.put(&workspace, &body).await.expect(201);
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
