//! Who may read and write: shared access signatures, tokens, the account's key.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::Value;
use sha2::Sha256;

use crate::{
    Container,
    support::{local, send},
};

fn sign(key: &str, text: &str) -> String {
    let key = STANDARD.decode(key).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A signature for a container or one of its blobs, as the documentation says that it is made.
fn sas(key: &str, container: &str, blob: Option<&str>, sp: &str, se: &str, sip: &str) -> String {
    let (sr, sv) = (if blob.is_some() { "b" } else { "c" }, "2021-12-02");
    let blob = blob.map(|blob| format!("/{blob}")).unwrap_or_default();
    let resource = format!("/blob/devstoreaccount1/{container}{blob}");
    let text = format!("{sp}\n\n{se}\n{resource}\n\n{sip}\n\n{sv}\n{sr}\n\n\n\n\n\n\n");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([("sp", sp), ("se", se), ("sv", sv), ("sr", sr)]);
    if !sip.is_empty() {
        query.append_pair("sip", sip);
    }
    query.append_pair("sig", &sign(key, &text)).finish()
}

#[tokio::test]
async fn a_signature_opens_what_it_says_for_as_long_as_it_says() {
    let (_folder, local) = local().await;
    let blobs = Container::of(&local).await;
    blobs.put("/a", "x").await.expect(201);
    blobs.put("/b", "x").await.expect(201);
    let id = local.id("/datastores/workspaceblobstore/listSecrets");
    let secret = local.post(&id, &Value::Null).await.expect(200).body;
    assert_eq!(secret["secretsType"], "AccountKey");
    let key = secret["key"].as_str().unwrap();
    let container = blobs.url.rsplit('/').next().unwrap();
    let far = "2099-01-01T00:00:00Z";
    let code = async |method: Method, path: &str, query: &str| {
        let url = format!("{}{path}?{query}", blobs.url);
        let request = local.client.request(method, url).header("x-ms-blob-type", "BlockBlob");
        let reply = send(request.body("y")).await;
        let code = reply.header("x-ms-error-code").to_owned();
        if code.is_empty() { reply.status.to_string() } else { code }
    };
    let whole = |sp: &str| sas(key, container, None, sp, far, "");
    let one = |sp: &str| sas(key, container, Some("a"), sp, far, "");
    let (mismatch, failed) = ("AuthorizationPermissionMismatch", "AuthenticationFailed");
    for (method, path, query, expected) in [
        (Method::GET, "/a", whole("r"), "200"),
        (Method::GET, "/a", one("r"), "200"),
        (Method::GET, "/b", one("r"), failed),
        (Method::GET, "/a", whole("w"), mismatch),
        (Method::PUT, "/a", whole("r"), mismatch),
        (Method::PUT, "/c", whole("c"), "201"),
        // Who may create may not replace.
        (Method::PUT, "/a", whole("c"), mismatch),
        (Method::PUT, "/a", whole("w"), "201"),
        (Method::DELETE, "/b", whole("rw"), mismatch),
        (Method::DELETE, "/b", whole("d"), "202"),
        (Method::GET, "/a", whole("r").replace("sp=r", "sp=rw"), failed),
        (Method::GET, "/a", whole("r").replace("2099", "2100"), failed),
        (Method::GET, "/a", whole("r").replace("sr=c", "sr=b"), failed),
        (Method::GET, "/a", whole("r").replace("sv=2021", "sv=1999"), failed),
        (Method::GET, "/a", sas(key, container, None, "r", "2020-01-01", ""), failed),
        (Method::GET, "/a", sas(key, container, None, "r", "soon", ""), failed),
        (Method::GET, "/a", sas(key, "other", None, "r", far, ""), failed),
        (Method::GET, "/a", sas(key, container, None, "r", far, "127.0.0.1"), "200"),
        (Method::GET, "/a", sas(key, container, None, "r", far, "127.0.0.0-127.0.0.9"), "200"),
        (
            Method::GET,
            "/a",
            sas(key, container, None, "r", far, "10.0.0.1"),
            "AuthorizationSourceIPMismatch",
        ),
        (Method::GET, "/a", String::new(), "NoAuthenticationInformation"),
        (Method::GET, "/a", "sig=x".to_owned(), failed),
    ] {
        assert_eq!(code(method.clone(), path, &query).await, expected, "{method} {path} {query}");
    }
    // What the datastore hands out ends, too.
    blobs.get("/a").await.expect(200);
    local.clock.advance(Duration::from_secs(3601));
    assert_eq!(blobs.get("/a").await.expect(403).header("x-ms-error-code"), failed);
}

#[tokio::test]
async fn tokens_for_other_services_open_no_blobs() {
    let (_folder, local) = local().await;
    let blobs = Container::of(&local).await;
    blobs.put("/a", "x").await.expect(201);
    let url = format!("{}/a", blobs.url);
    send(local.client.get(&url).bearer_auth(&local.token)).await.expect(401);
    let token = local.sign_in("https://storage.azure.com").await;
    send(local.client.get(&url).bearer_auth(&token)).await.expect(200);
}

#[tokio::test]
async fn the_accounts_key_signs_requests() {
    let (_folder, local) = local().await;
    let blobs = Container::of(&local).await;
    let id = local.id("/datastores/workspaceblobstore/listSecrets");
    let secret = local.post(&id, &Value::Null).await.expect(200).body;
    let key = secret["key"].as_str().unwrap();
    let path = blobs.url.splitn(4, '/').nth(3).unwrap();
    let now = time::OffsetDateTime::now_utc();
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let put = async |date: time::OffsetDateTime, content: &'static str| {
        let date = date.format(format).unwrap();
        let text = format!(
            "PUT\n\n\n1\n\ntext/plain\n\n\n\n\n\n\nx-ms-blob-type:BlockBlob\nx-ms-date:{date}\nx-ms-version:2021-12-02\n/devstoreaccount1/{path}/a%20b\ntimeout:30"
        );
        let authorization = format!("SharedKey devstoreaccount1:{}", sign(key, &text));
        let request = local.client.put(format!("{}/a%20b?timeout=30", blobs.url));
        let request = request.header("authorization", authorization).header("x-ms-date", date);
        let request =
            request.header("x-ms-version", "2021-12-02").header("x-ms-blob-type", "BlockBlob");
        send(request.header("content-type", "text/plain").body(content)).await
    };
    put(now, "x").await.expect(201);
    // Its length was signed, and its time is over.
    put(now, "xx").await.expect(403);
    put(now - Duration::from_secs(1200), "x").await.expect(403);
}
