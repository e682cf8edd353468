//! The Open Inference Protocol, version 2, which clients of KServe, Triton and MLServer speak.
//!
//! One tensor for each column, with one value for each row; the answer is one tensor, `predictions`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Map, Value, json};
use spinney_preprocess::ColumnKind;

use crate::{
    Deployment, ErrorCode, ScoreError,
    app::App,
    body,
    deadline::Deadline,
    deployment::Loaded,
    scoring::{self, Scored},
};

/// The name of a scorer that has none.
const UNNAMED: &str = "model";

/// Liveness and readiness, what the models are, and what they predict.
pub(crate) fn routes() -> Router<Arc<App>> {
    let health = Router::new()
        .route("/v2", get(server))
        .route("/v2/health/live", get(|| async { Json(json!({"live": true})) }))
        .route("/v2/health/ready", get(health_ready));
    ["/v2/models/{name}", "/v2/models/{name}/versions/{version}"].into_iter().fold(
        health,
        |routes, model| {
            routes
                .route(model, get(metadata))
                .route(&format!("{model}/ready"), get(ready))
                .route(&format!("{model}/infer"), post(infer))
        },
    )
}

async fn server() -> Json<Value> {
    Json(json!({"name": "spinney", "version": env!("CARGO_PKG_VERSION"), "extensions": []}))
}

/// Whether every deployment with traffic has its model: 503 until then.
async fn health_ready(State(app): State<Arc<App>>) -> Response {
    let ready = app.endpoint.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": ready}))).into_response()
}

/// What the path names; a path that is no text names nothing.
type Names = Result<Path<Map<String, Value>>, PathRejection>;

/// A model that a path means.
struct Named {
    deployment: Arc<Deployment>,
    loaded: Arc<Loaded>,
    name: String,
    version: Option<String>,
}

/// The model of the deployment that a request without a path would get, if it has the name (and the version), or else of the first
/// that has.
fn named(app: &App, headers: &HeaderMap, names: &Names) -> Result<Named, ScoreError> {
    let with_model = |(deployment, loaded): (Arc<Deployment>, Arc<Loaded>)| {
        let model = loaded.scorer.model();
        let name = model.map_or_else(|| UNNAMED.to_owned(), |model| model.name.clone());
        let version = model.map(|model| model.version.clone());
        Named { deployment, loaded, name, version }
    };
    let is_meant = |named: &Named| {
        let Ok(names) = names else { return false };
        let is =
            |part: &str, own: Option<&str>| names.get(part).is_none_or(|sent| sent.as_str() == own);
        is("name", Some(&named.name)) && is("version", named.version.as_deref())
    };
    let chosen = scoring::choose(app, headers).map(with_model);
    let others =
        app.endpoint.deployments().iter().filter(|_| app.endpoint.named(headers).is_none());
    let others = others
        .filter_map(|deployment| Some((Arc::clone(deployment), deployment.current()?)))
        .map(with_model);
    match chosen {
        Err(error) if error.code() == ErrorCode::NotReady => Err(error),
        chosen => chosen.into_iter().chain(others).find(is_meant).ok_or_else(|| {
            let message = "there is no such model, or not in this version";
            ScoreError::new(ErrorCode::NotFound, message)
        }),
    }
}

async fn ready(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    names: Names,
) -> Result<Json<Value>, ScoreError> {
    let Named { name, .. } = named(&app, &headers, &names)?;
    Ok(Json(json!({"name": name, "ready": true})))
}

async fn metadata(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    names: Names,
) -> Result<Json<Value>, ScoreError> {
    let Named { loaded, name, version, .. } = named(&app, &headers, &names)?;
    let columns = loaded.scorer.input_schema().into_iter().flat_map(|schema| schema.columns());
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

async fn infer(State(app): State<Arc<App>>, names: Names, request: Request) -> Response {
    let echo = app.options.echo_values;
    try_infer(&app, &names, request).await.unwrap_or_else(|error| error.response(echo))
}

async fn try_infer(app: &App, names: &Names, request: Request) -> Result<Response, ScoreError> {
    let deadline = Deadline::after(app.options.request_timeout);
    let (head, body) = request.into_parts();
    let Named { deployment, loaded, name, version } = named(app, &head.headers, names)?;
    let body = scoring::read(app, &head, body, deadline).await?;
    let id = body::id(&body);
    // What a request does not say is refused here, whatever the style of answers elsewhere.
    let Scored { deployment, response, .. } =
        scoring::score(app, (deployment, loaded), body, false, deadline).await;
    let response = response?;
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
    let mut answer = Json(answer).into_response();
    app.endpoint.say(&deployment, answer.headers_mut());
    Ok(answer)
}
