//! The Open Inference Protocol, version 2, which clients of KServe, Triton and MLServer speak.
//!
//! One tensor for each column, with one value for each row; the answer is one tensor, `predictions`.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Map, Value, json};
use spinney_preprocess::ColumnKind;

use crate::{
    ErrorCode, ScoreError, Scorer, body,
    router::{App, try_score},
};

/// The name of a scorer that has none.
const UNNAMED: &str = "model";

/// Liveness and readiness, which ask for no key.
pub(crate) fn health<S: Scorer>() -> Router<Arc<App<S>>> {
    Router::new()
        .route("/v2", get(server))
        .route("/v2/health/live", get(|| async { Json(json!({"live": true})) }))
        .route("/v2/health/ready", get(|| async { Json(json!({"ready": true})) }))
}

/// What the model is, and what it predicts.
pub(crate) fn models<S: Scorer>() -> Router<Arc<App<S>>> {
    ["/v2/models/{name}", "/v2/models/{name}/versions/{version}"].into_iter().fold(
        Router::new(),
        |routes, model| {
            routes
                .route(model, get(metadata::<S>))
                .route(&format!("{model}/ready"), get(ready::<S>))
                .route(&format!("{model}/infer"), post(infer::<S>))
        },
    )
}

async fn server() -> Json<Value> {
    Json(json!({"name": "spinney", "version": env!("CARGO_PKG_VERSION"), "extensions": []}))
}

type Names = Path<Map<String, Value>>;

/// The model's name and version, if the path means it.
fn named<S: Scorer>(app: &App<S>, names: &Names) -> Result<(String, Option<String>), ScoreError> {
    let model = app.scorer.model();
    let name = model.map_or(UNNAMED, |model| &model.name);
    let version = model.map(|model| model.version.clone());
    let is_meant =
        |part: &str, own: Option<&str>| names.get(part).is_none_or(|sent| sent.as_str() == own);
    if is_meant("name", Some(name)) && is_meant("version", version.as_deref()) {
        Ok((name.to_owned(), version))
    } else {
        Err(ScoreError::new(ErrorCode::NotFound, "there is no such model, or not in this version"))
    }
}

async fn ready<S: Scorer>(
    State(app): State<Arc<App<S>>>,
    names: Names,
) -> Result<Json<Value>, ScoreError> {
    let (name, _) = named(&app, &names)?;
    Ok(Json(json!({"name": name, "ready": true})))
}

async fn metadata<S: Scorer>(
    State(app): State<Arc<App<S>>>,
    names: Names,
) -> Result<Json<Value>, ScoreError> {
    let (name, version) = named(&app, &names)?;
    let columns = app.scorer.input_schema().into_iter().flat_map(|schema| schema.columns());
    let input = |(name, kind): (&str, ColumnKind)| {
        let datatype = if kind == ColumnKind::Numeric { "FP64" } else { "BYTES" };
        json!({"name": name, "datatype": datatype, "shape": [-1]})
    };
    Ok(Json(json!({
        "name": name,
        "versions": Vec::from_iter(version),
        "platform": "spinney",
        "inputs": columns.map(input).collect::<Vec<Value>>(),
        "outputs": [{"name": "predictions", "datatype": "FP64", "shape": [-1]}],
    })))
}

async fn infer<S: Scorer>(
    State(app): State<Arc<App<S>>>,
    names: Names,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ScoreError> {
    let (name, version) = named(&app, &names)?;
    let id = body.as_ref().ok().and_then(|body| body::id(body));
    // What a request does not say is refused here, whatever the style of answers elsewhere.
    let response = try_score(&app, body, false).await?;
    let mut answer = json!({
        "model_name": name,
        "outputs": [{
            "name": "predictions",
            "datatype": "FP64",
            "shape": [response.predictions.len()],
            "data": response.predictions,
        }],
    });
    if let Some(version) = version {
        answer["model_version"] = version.into();
    }
    if let Some(id) = id {
        answer["id"] = id.into();
    }
    Ok(Json(answer).into_response())
}
