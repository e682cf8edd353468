//! Requests that nobody in good faith sends: each gets an answer that says no, and the emulator goes on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{local, send};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn ids_cannot_leave_their_place() {
    let (folder, local) = local().await;
    let body = json!({"properties": {"modelUri": "u"}});
    for name in ["a%2Fb", "..%2F..%2Fetc", "a%00b", "a%5Cb", "%2e%2e%2f", "a%0Ab"] {
        let reply = local.put(&local.id(&format!("/models/{name}/versions/1")), &body).await;
        assert!((400..500).contains(&reply.status), "{name}: {reply:?}");
    }
    let (url, sas) = local.container().await;
    // A blob may be called so. It is no file of that name.
    for name in ["..%2F..%2Fescape", "a//b", "%2Fabsolute", "."] {
        let request =
            local.client.put(format!("{url}/x{name}?{sas}")).header("x-ms-blob-type", "BlockBlob");
        send(request.body("x")).await.expect(201);
    }
    let above = folder.path().parent().unwrap();
    assert!(!above.join("escape").exists() && !folder.path().join("escape").exists());
    let request =
        local.client.put(format!("{url}/a%00b?{sas}")).header("x-ms-blob-type", "BlockBlob");
    send(request.body("x")).await.expect(400);
    let request =
        local.client.put(format!("{url}/%FF?{sas}")).header("x-ms-blob-type", "BlockBlob");
    send(request.body("x")).await.expect(400);
}

#[tokio::test]
async fn bodies_of_any_kind_are_refused_and_not_fatal() {
    let (_folder, local) = local().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies = [
        "",
        "null",
        "[]",
        "3",
        "\"x\"",
        "{",
        "{\"properties\": []}",
        "{\"properties\": {\"properties\": 3}}",
        "{\"location\": 3}",
        "{\"location\": \"westeurope\", \"properties\": null, \"identity\": 3, \"tags\": []}",
        "{\"location\": \"westeurope\", \"properties\": {\"computeType\": \"AmlCompute\", \"properties\": []}}",
        "\u{0}",
        &deep,
    ];
    for path in [
        "",
        "/computes/abc",
        "/onlineEndpoints/abc",
        "/batchEndpoints/abc",
        "/data/d/versions/1",
        "/models/m",
        "/models/m/versions/1",
        "/codes/c/versions/1",
        "/environments/e/versions/1",
        "/components/c/versions/1",
    ] {
        let id = if path.is_empty() {
            local.id("").replace("mlops-ws", "other-ws")
        } else {
            local.id(path)
        };
        for body in bodies {
            for method in [Method::PUT, Method::PATCH, Method::POST] {
                let reply = send(local.request(method.clone(), &id).body(body.to_owned())).await;
                // What is nonsense for a compute may do for a workspace.
                let is_made = path.is_empty() && reply.status < 300;
                let is_refused = (400..=501).contains(&reply.status) && reply.status != 500;
                let is_said = is_refused && !reply.code().is_empty();
                assert!(is_made || is_said, "{method} {path} {body:.60}: {reply:?}");
            }
        }
    }
    let long = json!({"location": "x".repeat(5 << 20)});
    local.put(&local.id("/computes/abc"), &long).await.expect(413);
    local.get(&local.id("")).await.expect(200);
}

/// Words that mean something somewhere, put together at random.
#[tokio::test]
async fn no_mixture_of_words_breaks_the_emulator() {
    let (_folder, local) = local().await;
    let mut random = fastrand::Rng::with_seed(7);
    let words = [
        "models",
        "versions",
        "1",
        "computes",
        "ci1",
        "datastores",
        "workspaceblobstore",
        "listSecrets",
        "codes",
        "startPendingUpload",
        "onlineEndpoints",
        "abc",
        "listKeys",
        "regenerateKeys",
        "token",
        "deployments",
        "batchEndpoints",
        "jobs",
        "providers",
        "Microsoft.Authorization",
        "roleAssignments",
        "permissions",
        "locations",
        "westeurope",
        "usages",
        "start",
        "%20",
        "ü",
        "environments",
        "components",
        "data",
    ];
    let queries = [
        "",
        "?$top=1",
        "?$skip=-1",
        "?$skip=99999999999999999999",
        "?hash=%27",
        "?listViewType=All&tags=a=b=c",
        "?isDefault=maybe",
    ];
    let bodies = [
        Value::Null,
        json!({}),
        json!({"keyType": "Primary"}),
        json!({"location": "westeurope", "properties": {}}),
    ];
    let methods = [
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::DELETE,
        Method::PATCH,
        Method::HEAD,
        Method::OPTIONS,
    ];
    for _ in 0..1500 {
        let n_words = random.usize(0..6);
        let path: String =
            (0..n_words).map(|_| format!("/{}", words[random.usize(..words.len())])).collect();
        let scope =
            if random.bool() { local.id(&path) } else { format!("{}{path}", local.group()) };
        let id = format!("{scope}{}", queries[random.usize(..queries.len())]);
        let method = methods[random.usize(..methods.len())].clone();
        let body = &bodies[random.usize(..bodies.len())];
        if method == Method::DELETE && n_words < 2 {
            continue;
        }
        let reply = send(local.request(method.clone(), &id).body(body.to_string())).await;
        assert!(reply.status < 502 && reply.status != 500, "{method} {id} {body}: {reply:?}");
    }
    local.get(&local.id("")).await.expect(200);
}

/// Sends bytes to the proxy and returns what comes back until it closes.
async fn speak(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // Who is cut off has been answered, too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn the_proxy_leads_nowhere_else() {
    let (_folder, local) = local().await;
    let proxy = local.emulator.proxy_address();
    for (request, status) in [
        ("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", "403"),
        ("CONNECT management.azure.com.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        ("CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        ("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", "403"),
        ("GET /msi/token?resource=x HTTP/1.1\r\nHost: x\r\nsecret: guess\r\n\r\n", "401"),
        ("GET /msi/token?resource=x HTTP/1.1\r\nHost: x\r\n\r\n", "401"),
        (
            "GET /imds/guess/metadata/identity/oauth2/token?resource=x HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n",
            "401",
        ),
        (
            "GET /metadata/identity/oauth2/token?resource=x HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n",
            "404",
        ),
        ("GET /secrets.json HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        ("\u{16}\u{3}\u{1}", ""),
    ] {
        let answer = speak(proxy, request.as_bytes()).await;
        let found = answer.split(' ').nth(1).unwrap_or_default();
        assert!(found == status || (status.is_empty() && found == "400"), "{request}: {answer}");
    }
    // At the door for TLS, whoever does not speak it is not answered.
    let answer =
        speak(local.emulator.address(), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(!answer.contains("HTTP"), "{answer}");
}

/// A content that breaks off leaves nothing, neither a blob nor a file.
#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let (folder, local) = local().await;
    let (url, sas) = local.container().await;
    let parts = futures_util::stream::iter([Ok("some bytes"), Err(std::io::Error::other("gone"))]);
    let request = local.client.put(format!("{url}/a?{sas}")).header("x-ms-blob-type", "BlockBlob");
    let request = request.header("content-length", "1000").body(reqwest::Body::wrap_stream(parts));
    assert!(request.send().await.is_err());
    send(local.client.get(format!("{url}/a?{sas}"))).await.expect(404);
    // Without a length, nobody knows when a content is whole.
    let parts = futures_util::stream::iter([Ok::<_, std::io::Error>("some bytes")]);
    let request = local.client.put(format!("{url}/a?{sas}")).header("x-ms-blob-type", "BlockBlob");
    send(request.body(reqwest::Body::wrap_stream(parts))).await.expect(411);
    local.emulator.shutdown().await;
    let left = |name: &str| std::fs::read_dir(folder.path().join(name)).unwrap().count();
    assert_eq!((left("incoming"), left("blobs")), (0, 0));
}
