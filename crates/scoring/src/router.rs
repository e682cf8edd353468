use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
    routing,
};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::{ErrorCode, ScoreError, app::App, open_inference, score_route, swagger};

/// All routes.
pub(crate) fn routes(app: Arc<App>) -> Router {
    let score = routing::post(score_route::post)
        .get(score_route::get)
        .options(score_route::options)
        .head(only_get_post_and_options)
        .fallback(only_get_post_and_options);
    let router = Router::new()
        .route("/", routing::get(liveness).options(liveness_options))
        .route("/score", score)
        .route("/swagger.json", routing::get(swagger::get))
        .route("/metrics", routing::get(metrics))
        .merge(open_inference::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        // Bodies are limited where they are read.
        .layer(DefaultBodyLimit::disable());
    match cors(&app.options.cors_origins) {
        Some(cors) => router.layer(cors).with_state(app),
        None => router.with_state(app),
    }
}

/// Whether the process is alive, which it is if it can say so, once its models were loaded for the first time: Azure ML asks the
/// same route whether it is ready, and the original does not listen before.
async fn liveness(State(app): State<Arc<App>>) -> Result<&'static str, ScoreError> {
    if app.has_started() { Ok("Healthy") } else { Err(ScoreError::not_ready()) }
}

async fn liveness_options() -> Response {
    ([(header::ALLOW, "GET, OPTIONS, HEAD")], ()).into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.metrics.write(&app.endpoint, &app.pool);
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

async fn not_found() -> ScoreError {
    ScoreError::new(ErrorCode::NotFound, "there is no such route")
}

async fn method_not_allowed() -> ScoreError {
    ScoreError::new(ErrorCode::MethodNotAllowed, "the route exists, but not for this method")
}

/// Scoring for the sake of its headers alone makes no sense, so HEAD is not among the methods of `/score`.
async fn only_get_post_and_options() -> Response {
    ([(header::ALLOW, "GET, POST, OPTIONS")], method_not_allowed().await).into_response()
}

/// What browsers are told, if pages of other origins may call at all.
fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origin = if origins.contains(&HeaderValue::from_static("*")) {
        // Echoed, as the original does: a wildcard does not allow credentials.
        AllowOrigin::mirror_request()
    } else {
        AllowOrigin::list(origins.iter().cloned())
    };
    let cors = CorsLayer::new().allow_origin(origin).allow_methods([Method::GET, Method::POST]);
    Some(cors.allow_headers(AllowHeaders::mirror_request()))
}
