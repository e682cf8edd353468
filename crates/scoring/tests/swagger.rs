//! API documents: what the original lists, filled with what the model's columns hold.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{get, post, router};
use serde_json::{Value, json};
use spinney_scoring::{AnswerStyle, Key, ServerOptions};

async fn document(options: ServerOptions, path: &str) -> Value {
    let answer = get(router(workshop::scorer(), options), path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.json()
}

#[tokio::test]
async fn every_version_of_the_document_describes_the_rows() {
    for (query, place, version, nullable) in [
        ("", "/definitions", json!("2.0"), json!({"type": "number", "x-nullable": true})),
        ("?version=2", "/definitions", json!("2.0"), json!({"type": "number", "x-nullable": true})),
        (
            "?version=3",
            "/components/schemas",
            json!("3.0.3"),
            json!({"type": "number", "nullable": true}),
        ),
        (
            "?version=3.1",
            "/components/schemas",
            json!("3.1.0"),
            json!({"type": ["number", "null"]}),
        ),
    ] {
        let document = document(ServerOptions::default(), &format!("/swagger.json{query}")).await;
        let stated = document.get("swagger").or(document.get("openapi")).unwrap();
        assert_eq!(stated, &version);
        let definitions = document.pointer(place).unwrap();
        let record = &definitions["Record"];
        assert_eq!(record["properties"]["LotFrontage"], nullable);
        assert_eq!(record["properties"]["GrLivArea"], json!({"type": "number"}));
        assert_eq!(record["required"].as_array().unwrap().len(), 10);
        let post = &document["paths"]["/score"]["post"];
        assert_eq!(post["operationId"], "RunMLService");
        for status in ["200", "400", "401", "408", "413", "415", "422", "429", "431", "500", "503"]
        {
            assert!(post["responses"][status].is_object(), "{status}");
        }
        let get = &document["paths"]["/score"]["get"];
        assert_eq!(get["parameters"].as_array().unwrap().len(), 10);
        // Every reference leads somewhere.
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        // The example is one that scores.
        let example = definitions["ServiceInput"]["example"].to_string();
        let answer = app::post(router(workshop::scorer(), ServerOptions::default()), example).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn other_versions_are_not_found() {
    for version in ["4", "2.1", "", "x"] {
        let app = router(workshop::scorer(), ServerOptions::default());
        let answer = get(app, &format!("/swagger.json?version={version}")).await;
        assert_eq!((answer.status.as_u16(), answer.refusal().1.as_str()), (404, "NotFound"));
    }
}

#[tokio::test]
async fn the_document_follows_the_options() {
    let options = ServerOptions::default()
        .service("houses", "7", "/eastus/")
        .answer_style(AnswerStyle::List)
        .key(Key::new("secret"));
    let app = router(workshop::scorer(), options);
    assert_eq!(get(app.clone(), "/swagger.json").await.refusal().1, "MissingKey");
    let request = axum::http::Request::get("/swagger.json?version=3.1")
        .header("authorization", "Bearer secret")
        .body(axum::body::Body::empty());
    let document = app::call(app.clone(), request.unwrap()).await.json();
    assert_eq!(
        (&document["info"]["title"], &document["info"]["version"]),
        (&json!("houses"), &json!("7"))
    );
    assert_eq!(document["components"]["schemas"]["ServiceOutput"]["type"], "array");
    assert!(document["paths"]["/eastus/score"]["post"]["security"].is_array());
    // The prefix is what clients see in front of the server; the routes stay.
    assert_eq!(post(app, "[]").await.status, 401);
}
