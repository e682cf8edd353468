use serde_json::{Value, json};

use crate::{
    endpoint,
    support::{local, send},
};

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

/// Of many who want to make the same endpoint, one does, and the others are told to wait; and so for each change.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_one_endpoint_come_one_after_the_other() {
    let (_folder, local) = local().await;
    let id = local.id("/onlineEndpoints/abc");
    for status in [201, 200] {
        let body = endpoint();
        let puts = (0..50).map(|_| local.put(&id, &body));
        let mut statuses: Vec<u16> =
            futures_util::future::join_all(puts).await.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses[0], status);
        assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
        local.wait();
        let state = &local.get(&id).await.expect(200).body["properties"]["provisioningState"];
        assert_eq!(state, "Succeeded");
    }
}
