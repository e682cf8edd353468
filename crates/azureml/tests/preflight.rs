//! What would fail after minutes is found before; and what a workshop's set-up needs: identities, roles, providers, the resource group.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::time::Duration;

use loopback::{Answer, SUBSCRIPTION, Server, WORKSPACE};
use serde_json::{Value, json};
use spinney_azureml::{Error, MlClient, Preflight, Role};

fn client(server: &Server) -> MlClient {
    server.builder().location("westeurope").build().unwrap()
}

fn provider_path(namespace: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/providers/{namespace}")
}

fn provider(namespace: &str, state: &str) -> Answer {
    Answer::json(200, json!({"namespace": namespace, "registrationState": state}))
}

const PROVIDERS: [&str; 8] = [
    "Microsoft.MachineLearningServices",
    "Microsoft.Storage",
    "Microsoft.KeyVault",
    "Microsoft.Insights",
    "Microsoft.ContainerRegistry",
    "Microsoft.Compute",
    "Microsoft.PolicyInsights",
    "Microsoft.Cdn",
];

fn permissions(actions: &Value) -> Answer {
    Answer::json(200, json!({"value": [{"actions": actions, "notActions": []}]}))
}

const PERMISSIONS: &str = "/providers/Microsoft.Authorization/permissions";

fn location(what: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/westeurope/{what}"
    )
}

/// A region with one size of machine, and so many cores of it free.
fn region(server: &Server, limit: i64, used: i64) {
    let sizes = json!({"value": [{"name": "Standard_D2as_v4", "family": "standardDASv4Family", "vCPUs": 2}]});
    server.always_at("GET", &location("vmSizes"), Answer::json(200, sizes));
    let usages = json!({"value": [{"name": {"value": "StandardDASv4Family"}, "currentValue": used, "limit": limit, "unit": "Count"}]});
    server.always_at("GET", &location("usages"), Answer::json(200, usages));
}

#[tokio::test]
async fn nothing_is_found_where_all_is_well() {
    let server = Server::start().await;
    for namespace in PROVIDERS {
        server.enqueue("GET", &provider_path(namespace), provider(namespace, "Registered"));
    }
    server.on("GET", PERMISSIONS, permissions(&json!(["*"])));
    region(&server, 10, 4);
    let plan = Preflight::new().online_endpoint().computes().machines("standard_d2as_v4", 3);
    assert_eq!(client(&server).preflight(&plan).await.unwrap(), []);
    server.check();
}

#[tokio::test]
async fn everything_that_is_missing_is_named_with_what_helps() {
    let server = Server::start().await;
    for namespace in PROVIDERS {
        let state = if namespace == "Microsoft.Cdn" { "NotRegistered" } else { "Registered" };
        server.enqueue("GET", &provider_path(namespace), provider(namespace, state));
    }
    server.on("GET", PERMISSIONS, permissions(&json!(["*/read"])));
    region(&server, 10, 5);
    let plan = Preflight::new()
        .online_endpoint()
        .computes()
        .machines("Standard_D2as_v4", 3)
        .machines("Standard_NC6", 1);
    let findings = client(&server).preflight(&plan).await.unwrap();
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    for (text, parts) in texts.iter().zip([
        [
            "Microsoft.Cdn is not registered",
            "az provider register --namespace Microsoft.Cdn --wait",
        ],
        ["onlineEndpoints/write", "AzureML Data Scientist"],
        ["computes/write", "AzureML Compute Operator"],
        ["3 of Standard_D2as_v4 need 6 cores", "5 of 10 are free"],
        ["no machines of the size Standard_NC6 in westeurope", "another region"],
    ]) {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    assert_eq!(texts.len(), 5);
}

#[tokio::test]
async fn what_may_not_be_looked_at_is_no_finding() {
    let server = Server::start().await;
    let forbidden = Answer::error(403, "AuthorizationFailed", "no");
    for namespace in PROVIDERS {
        server.enqueue("GET", &provider_path(namespace), forbidden.clone());
    }
    server.on("GET", PERMISSIONS, forbidden.clone());
    server.always_at("GET", &location("vmSizes"), forbidden);
    let plan = Preflight::new().online_endpoint().machines("Standard_D2as_v4", 1);
    assert_eq!(client(&server).preflight(&plan).await.unwrap(), []);
    // That the workspace is not there is an error, not a finding.
    let error = server.client().preflight(&plan).await.unwrap_err();
    assert_eq!(error.status(), Some(418));
}

#[tokio::test]
async fn a_provider_is_registered_and_waited_for() {
    let server = Server::start().await;
    let path = provider_path("Microsoft.Cdn");
    server.enqueue("POST", &format!("{path}/register"), provider("Microsoft.Cdn", "Registering"));
    server.enqueue("GET", &path, provider("Microsoft.Cdn", "Registering"));
    server.enqueue("GET", &path, provider("Microsoft.Cdn", "Registered"));
    let client = client(&server);
    let providers = client.resource_providers();
    assert!(
        providers.register("Microsoft.Cdn", Duration::from_secs(60)).await.unwrap().is_registered()
    );
    server.check();

    server.enqueue("POST", &format!("{path}/register"), provider("Microsoft.Cdn", "Registering"));
    server.always_at("GET", &path, provider("Microsoft.Cdn", "Registering"));
    let error = providers.register("Microsoft.Cdn", Duration::from_millis(50)).await.unwrap_err();
    assert!(
        matches!(error, Error::Deadline { .. }) && error.to_string().contains("Registering"),
        "{error}"
    );
}

#[tokio::test]
async fn the_identity_of_a_pipeline_s_cluster_gets_its_roles() {
    let server = Server::start().await;
    let path = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mlops"
    );
    let identity = json!({"id": path, "name": "mlops", "location": "westeurope", "properties": {"clientId": "c", "principalId": "p", "tenantId": "t"}});
    server.enqueue("PUT", &path, Answer::json(201, identity));
    let client = client(&server);
    let identities = client.managed_identities();
    let identity = identities.create("mlops").await.unwrap();
    assert_eq!(identity.properties.client_id, "c");
    assert_eq!(server.seen()[0].json(), json!({"location": "westeurope"}));

    // The name of an assignment is made of what it assigns: the second one is the first.
    let prefix = format!("{WORKSPACE}/providers/Microsoft.Authorization/roleAssignments/");
    for role in [Role::DataScientist, Role::DataScientist, Role::ComputeOperator] {
        // Its name is not known to the script: the refusal of an unknown path shows it.
        identities.assign(&identity, &role).await.unwrap_err();
    }
    let seen = server.seen();
    let assigned: Vec<_> =
        seen[1..].iter().map(|seen| seen.path.strip_prefix(&prefix).unwrap().to_owned()).collect();
    assert!(assigned[0] == assigned[1] && assigned[1] != assigned[2]);
    assert_eq!(
        seen[1].json()["properties"],
        json!({
            "roleDefinitionId": format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/f6c7c914-8db3-469d-8ca1-694a8f32e121"),
            "principalId": "p", "principalType": "ServicePrincipal",
        })
    );
    let path = format!("{prefix}{}", assigned[0]);
    server.enqueue("PUT", &path, Answer::json(201, json!({})));
    identities.assign(&identity, &Role::DataScientist).await.unwrap();
    server.enqueue("PUT", &path, Answer::error(409, "RoleAssignmentExists", "exists"));
    identities.assign(&identity, &Role::DataScientist).await.unwrap();
    server.enqueue("PUT", &path, Answer::error(403, "AuthorizationFailed", "not an owner"));
    assert_eq!(
        identities.assign(&identity, &Role::DataScientist).await.unwrap_err().status(),
        Some(403)
    );

    assert!(matches!(identities.create("-no").await, Err(Error::InvalidName { .. })));
}

#[tokio::test]
async fn the_resource_group_is_made_and_looked_into() {
    let server = Server::start().await;
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/rg");
    server.enqueue("PUT", &group, Answer::json(201, json!({"id": group, "name": "rg", "location": "westeurope", "properties": {"provisioningState": "Succeeded"}})));
    let client = client(&server);
    let made = client.resource_group().create("westeurope").await.unwrap();
    assert_eq!(made.properties.provisioning_state.as_deref(), Some("Succeeded"));
    let storage = json!({"id": "/x", "name": "store", "type": "Microsoft.Storage/storageAccounts", "location": "westeurope"});
    server.enqueue(
        "GET",
        &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/resources"),
        Answer::json(200, json!({"value": [storage]})),
    );
    let found = client.resource_group().resources().collect().await.unwrap();
    assert_eq!(found[0].resource_type, "Microsoft.Storage/storageAccounts");
    // The file of the scripted server tells paths apart without regard to case: so does Azure.
    server.check();
}
