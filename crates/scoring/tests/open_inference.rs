//! The Open Inference Protocol, version 2.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{Answer, call, get, router};
use axum::{Router, body::Body, http::Request};
use serde_json::{Value, json};
use spinney_scoring::{AnswerStyle, Key, ServerOptions};

fn server() -> Router {
    router(workshop::scorer(), ServerOptions::default())
}

async fn post(path: &str, body: &Value) -> Answer {
    call(server(), Request::post(path).body(Body::from(body.to_string())).unwrap()).await
}

/// The workshop's first record as tensors.
fn request() -> Value {
    let text = workshop::request("workshop.json").replace("NaN", "null");
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let tensor = |(name, value): (&String, &Value)| {
        let datatype = if value.is_string() { "BYTES" } else { "FP64" };
        json!({"name": name, "shape": [1, 1], "datatype": datatype, "data": [value]})
    };
    json!({"id": "7", "inputs": records[0].as_object().unwrap().iter().map(tensor).collect::<Vec<_>>()})
}

#[tokio::test]
async fn infers_by_name_and_version() {
    for path in ["/v2/models/ames-housing/infer", "/v2/models/ames-housing/versions/1/infer"] {
        let answer = post(path, &request()).await;
        assert_eq!(
            answer.json(),
            json!({
                "model_name": "ames-housing",
                "model_version": "1",
                "id": "7",
                "outputs": [
                    {"name": "predictions", "datatype": "FP64", "shape": [1], "data": [210_830.93]}
                ],
            })
        );
    }
    for path in ["/v2/models/other/infer", "/v2/models/ames-housing/versions/2/infer"] {
        assert_eq!(post(path, &request()).await.refusal().0, 404, "{path}");
    }
}

#[tokio::test]
async fn refuses_what_it_would_guess() {
    let mut body = request();
    body["inputs"][0]["data"] = json!([5]);
    let options = ServerOptions::default().answer_style(AnswerStyle::List);
    let request = Request::post("/v2/models/ames-housing/infer").body(Body::from(body.to_string()));
    let answer = call(router(workshop::scorer(), options), request.unwrap()).await;
    assert_eq!(answer.refusal().0, 422);
}

#[tokio::test]
async fn says_what_the_model_takes() {
    let answer = get(server(), "/v2/models/ames-housing").await.json();
    assert_eq!(answer["versions"], json!(["1"]));
    assert_eq!(
        answer["inputs"][0],
        json!({"name": "LotFrontage", "datatype": "FP64", "shape": [-1]})
    );
    assert_eq!(
        answer["inputs"][3],
        json!({"name": "Neighborhood", "datatype": "BYTES", "shape": [-1]})
    );
    assert_eq!(
        answer["outputs"],
        json!([{"name": "predictions", "datatype": "FP64", "shape": [-1]}])
    );
    let ready = get(server(), "/v2/models/ames-housing/ready").await.json();
    assert_eq!(ready, json!({"name": "ames-housing", "ready": true}));
}

#[tokio::test]
async fn health_asks_for_no_key_and_models_do() {
    let options = ServerOptions::default().key(Key::new("secret"));
    let app = router(workshop::scorer(), options);
    for (path, expected) in
        [("/v2/health/live", json!({"live": true})), ("/v2/health/ready", json!({"ready": true}))]
    {
        assert_eq!(get(app.clone(), path).await.json(), expected);
    }
    assert_eq!(get(app.clone(), "/v2").await.json()["name"], "spinney");
    for path in ["/v2/models/ames-housing", "/v2/models/ames-housing/ready"] {
        assert_eq!(get(app.clone(), path).await.refusal().0, 401, "{path}");
    }
}
