use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, Method, header},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::{ErrorCode, ScoreError, app::App, front, open_inference, score_route, swagger};

/// All routes, and what every request passes on the way to them.
pub(crate) fn router(app: Arc<App>) -> Router {
    let score = routing::post(score_route::post)
        .get(score_route::get)
        .options(score_route::options)
        .head(method_not_allowed);
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
    let router = match cors(&app.options.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(middleware::from_fn_with_state(Arc::clone(&app), front::pass)).with_state(app)
}

/// Whether the process is alive: it is if it can say so.
async fn liveness() -> &'static str {
    "Healthy"
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
