use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::decompression::RequestDecompressionLayer;

use crate::{
    ErrorCode, ScoreError, ScoreResponse, Scorer, ServerOptions,
    answer::{answer, error_in_answer},
    body, open_inference, request_ids,
};

/// Builds the whole application: `GET /` for liveness, `POST /score`, and under `/v2` the Open Inference Protocol.
///
/// It needs a tokio runtime to run on, but no socket: tests can call it in process.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use spinney_artifact::ModelBundle;
/// use spinney_scoring::{BundleScorer, ServerOptions, router, serve, shutdown_signal};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let scorer = Arc::new(BundleScorer::new(ModelBundle::load("ames.bundle")?));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
/// serve(listener, router(scorer, ServerOptions::default()), shutdown_signal()).await?;
/// # Ok(())
/// # }
/// ```
pub fn router<S: Scorer>(scorer: Arc<S>, options: ServerOptions) -> Router {
    let body_limit = DefaultBodyLimit::max(options.max_body_bytes);
    let app = Arc::new(App { scorer, options });
    Router::new()
        .route("/score", post(score::<S>))
        .merge(open_inference::models())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), require_key::<S>))
        .route("/", get(liveness))
        .merge(open_inference::health())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(body_limit)
        .layer(RequestDecompressionLayer::new())
        .layer(middleware::from_fn(known_encoding))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), limit_time::<S>))
        .layer(middleware::from_fn(request_ids::add))
        .with_state(app)
}

/// Whether the scorer failed; a refusal is none.
const RUN_FUNCTION_FAILED: HeaderName = HeaderName::from_static("x-ms-run-function-failed");
/// Milliseconds from the body to the answer.
const RUN_TIME: HeaderName = HeaderName::from_static("x-ms-run-fn-exec-ms");

pub(crate) struct App<S> {
    pub(crate) scorer: Arc<S>,
    options: ServerOptions,
}

/// gzip and deflate are inflated as they are read, up to the limit for bodies; what else there is would not be JSON.
async fn known_encoding(request: Request, next: Next) -> Response {
    let encodings = request.headers().get_all(header::CONTENT_ENCODING).into_iter();
    let known = ["identity", "gzip", "deflate"].map(str::as_bytes);
    if encodings.into_iter().any(|encoding| !known.contains(&encoding.as_bytes())) {
        let message = "send the body as it is, or encoded with gzip or deflate";
        return ScoreError::new(ErrorCode::UnsupportedEncoding, message).into_response();
    }
    next.run(request).await
}

async fn liveness() -> &'static str {
    "Healthy"
}

async fn not_found() -> ScoreError {
    ScoreError::new(ErrorCode::NotFound, "there is no such route")
}

async fn method_not_allowed() -> ScoreError {
    ScoreError::new(ErrorCode::MethodNotAllowed, "the route exists, but not for this method")
}

async fn score<S: Scorer>(
    State(app): State<Arc<App<S>>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let start = Instant::now();
    let scored = try_score(&app, body, app.options.answer_style.guesses()).await;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let failed = matches!(&scored, Err(error) if error.code() == ErrorCode::Internal);
    let mut answer = match scored {
        Ok(response) => answer(app.options.answer_style, &response, app.scorer.model()),
        Err(error) if app.options.errors_in_answers => error_in_answer(&error),
        Err(error) => error.into_response(),
    };
    let headers = answer.headers_mut();
    headers.insert(
        RUN_FUNCTION_FAILED,
        HeaderValue::from_static(if failed { "True" } else { "False" }),
    );
    if let Ok(milliseconds) = HeaderValue::from_str(&format!("{milliseconds:.3}")) {
        headers.insert(RUN_TIME, milliseconds);
    }
    answer
}

pub(crate) async fn try_score<S: Scorer>(
    app: &App<S>,
    body: Result<Bytes, BytesRejection>,
    guess: bool,
) -> Result<ScoreResponse, ScoreError> {
    let body = body.map_err(|rejection| refuse_body(&rejection, &app.options))?;
    let scorer = Arc::clone(&app.scorer);
    // Scoring computes, and that must not keep connections waiting.
    let scoring = move || {
        let request = body::parse(&body, guess)?;
        scorer.score(request)
    };
    tokio::task::spawn_blocking(scoring).await.map_err(|error| {
        tracing::error!(%error, "the scorer panicked");
        ScoreError::internal()
    })?
}

fn refuse_body(rejection: &BytesRejection, options: &ServerOptions) -> ScoreError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the body is longer than {} bytes", options.max_body_bytes);
        ScoreError::new(ErrorCode::BodyTooLarge, message)
    } else {
        ScoreError::new(ErrorCode::MalformedJson, "the body could not be read")
    }
}

async fn require_key<S: Scorer>(
    State(app): State<Arc<App<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = &app.options.key else {
        return next.run(request).await;
    };
    let refusal = match bearer(request.headers()) {
        Some(guess) if key.matches(guess) => return next.run(request).await,
        Some(_) => ScoreError::new(ErrorCode::WrongKey, "the key is wrong"),
        None => {
            ScoreError::new(ErrorCode::MissingKey, "send the key as `Authorization: Bearer KEY`")
        }
    };
    ([(header::WWW_AUTHENTICATE, "Bearer")], refusal).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

async fn limit_time<S: Scorer>(
    State(app): State<Arc<App<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let limit = app.options.request_timeout;
    tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        let message = format!("the request took longer than {} ms", limit.as_millis());
        ScoreError::new(ErrorCode::Timeout, message).into_response()
    })
}
