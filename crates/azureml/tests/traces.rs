//! The client's requests beside those of Microsoft's SDK, as recorded in `fixtures/azureml/traces`: the same methods, paths and bodies but for what is
//! listed here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod loopback;

use std::time::Duration;

use loopback::{Difference, Server, compare};
use serde_json::{Value, json};
use spinney_azureml::{ComputeCluster, ComputeInstance, Identity};

/// Removes a field, given as a JSON pointer to what holds it and its name.
fn without(body: &mut Value, holder: &str, names: &[&str]) {
    if let Some(holder) = body.pointer_mut(holder).and_then(Value::as_object_mut) {
        names.iter().for_each(|name| {
            holder.remove(*name);
        });
    }
}

/// Fields of preview versions, and `enableSSO`, whose defaults are the same.
const NO_PREVIEW_COMPUTE_FIELDS: Difference = |body| {
    without(
        body,
        "/properties/properties",
        &["enableSSO", "enableRootAccess", "releaseQuotaOnStop", "enableOSPatching"],
    );
};

#[tokio::test]
async fn workspaces() {
    let (server, recorded) = Server::replaying("workspace_get").await;
    let workspace = server.client().workspaces().get().await.unwrap();
    assert_eq!(workspace.name, "mlops-ws");
    assert_eq!(workspace.location.as_deref(), Some("westeurope"));
    compare(&server, 0, &recorded, &[]);
    server.check();

    let (server, recorded) = Server::replaying("workspace_list").await;
    let workspaces = server.client().workspaces().list().collect().await.unwrap();
    assert_eq!(workspaces.len(), 1);
    compare(&server, 0, &recorded, &[]);

    // The SDK reads the workspace before it deletes it.
    let (server, recorded) = Server::replaying("workspace_delete").await;
    server.client().workspaces().delete(false).await.unwrap();
    compare(&server, 0, &recorded[1..], &[]);
    assert_eq!(server.seen()[0].query("forceToPurge"), Some("false"));
}

#[tokio::test]
async fn compute_instances() {
    let (server, recorded) = Server::replaying("ci_create").await;
    let instance =
        ComputeInstance::new("Standard_DS11_v2").idle_shutdown(Duration::from_secs(3600));
    let instance = server.client().computes().create_instance("ci1", &instance).await.unwrap();
    assert_eq!(instance.properties.state(), Some("Running"));
    assert_eq!(instance.properties.vm_size(), Some("Standard_DS11_v2"));
    compare(&server, 0, &recorded, &[NO_PREVIEW_COMPUTE_FIELDS]);
    server.check();

    for (step, action) in [("ci_start", "start"), ("ci_stop", "stop")] {
        let (server, recorded) = Server::replaying(step).await;
        let computes = server.client();
        let computes = computes.computes();
        let operation =
            if action == "start" { computes.start("ci1") } else { computes.stop("ci1") };
        operation.await.unwrap();
        compare(&server, 0, &recorded, &[]);
        server.check();
    }

    let (server, recorded) = Server::replaying("ci_delete").await;
    server.client().computes().delete("ci1").await.unwrap();
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn compute_clusters() {
    let identity = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/uai";
    let (server, recorded) = Server::replaying("cluster_create").await;
    let cluster =
        ComputeCluster::new("Standard_DS3_v2", 1).identity(Identity::user_assigned([identity]));
    let cluster =
        server.client().computes().create_cluster("mlops-cluster", &cluster).await.unwrap();
    assert_eq!(cluster.properties.compute_type, "AmlCompute");
    assert!(cluster.identity.unwrap().user_assigned_identities.contains_key(identity));
    compare(&server, 0, &recorded, &[]);
    server.check();

    let (server, recorded) = Server::replaying("compute_list").await;
    let computes = server.client().computes().list().collect().await.unwrap();
    assert_eq!(
        computes.iter().map(|compute| compute.name.as_str()).collect::<Vec<_>>(),
        ["ci1", "mlops-cluster", "quotafail"]
    );
    compare(&server, 0, &recorded, &[]);
}

#[tokio::test]
async fn a_cluster_without_quota_says_so() {
    let (server, recorded) = Server::replaying("cluster_quotafail").await;
    let cluster = ComputeCluster::new("Standard_DS3_v2", 1);
    let error = server.client().computes().create_cluster("quotafail", &cluster).await.unwrap_err();
    assert_eq!(error.status(), None);
    let failure = error.service().unwrap();
    assert_eq!(failure.codes().collect::<Vec<_>>(), ["BadRequest", "ClusterCoreQuotaReached"]);
    let text = error.to_string();
    assert!(
        text.contains("total vCPU quota of 0") && text.contains("ask for more cores"),
        "{text}"
    );
    // The SDK leaves out the default priority.
    let priority: Difference = |body| {
        if let Some(properties) = body.pointer_mut("/properties/properties") {
            properties["vmPriority"] = json!("Dedicated");
        }
    };
    compare(&server, 0, &recorded, &[priority]);
}
