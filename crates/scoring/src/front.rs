//! What every request passes: ids, the key, and a line in metrics and log.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;
use tracing::Instrument;

use crate::{
    ErrorCode, ScoreError, app::App, request_ids::RequestIds, router, score_route, unread_body,
};

const SERVER_VERSION: HeaderName = HeaderName::from_static("x-ms-server-version");
const VERSION: HeaderValue =
    HeaderValue::from_static(concat!("spinney/", env!("CARGO_PKG_VERSION")));

/// Routes that ask for no key: whoever probes has none.
const OPEN_PATHS: [&str; 4] = ["/", "/v2", "/v2/health/live", "/v2/health/ready"];

/// All routes behind what every request passes.
pub(crate) struct Front {
    app: Arc<App>,
    routes: Router,
}

impl Front {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let routes = router::routes(Arc::clone(&app));
        Self { app, routes }
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    pub(crate) async fn answer(&self, request: Request) -> Response {
        let (request, unread) = unread_body::watch(request);
        let response = self.answer_at_once(request).await;
        if let Some(unread) = unread {
            // Beside the answer, which need not wait for it.
            tokio::spawn(unread.discard());
        }
        response
    }

    async fn answer_at_once(&self, request: Request) -> Response {
        let start = Instant::now();
        let app = &self.app;
        let ids = match RequestIds::of(request.headers()) {
            Ok(ids) => ids,
            Err(error) => {
                app.metrics.answered(error.code().status(), Some(error.code()));
                return error.into_response();
            }
        };
        // Cheap copies of what the log may need once the request is gone.
        let method = request.method().clone();
        let path = request.uri().clone();
        let mut response = match authorize(app, &request) {
            Ok(()) => self.traced(request, &ids).await,
            Err(error) => error.into_response(),
        };
        let code = response.extensions().get::<ErrorCode>().copied();
        app.metrics.answered(response.status(), code);
        log(&ids, &method, path.path(), &response, code, start);
        let headers = response.headers_mut();
        ids.add_to(headers);
        if app.options.version_header {
            headers.insert(SERVER_VERSION, VERSION);
        }
        response
    }

    /// Runs the request in a span that says which trace it is part of, for those who collect spans.
    async fn traced(&self, request: Request, ids: &RequestIds) -> Response {
        let (trace_id, parent_span_id) = ids.trace();
        let span = tracing::info_span!(
            target: "spinney_scoring::trace",
            "request",
            method = %request.method(),
            path = request.uri().path(),
            request_id = ids.request(),
            trace_id,
            parent_span_id,
            status = tracing::field::Empty,
        );
        if span.is_disabled() {
            return self.route(request).await;
        }
        #[cfg(feature = "otlp")]
        remote_parent(&span, trace_id, parent_span_id);
        let response = self.route(request).instrument(span.clone()).await;
        span.record("status", response.status().as_u16());
        response
    }

    async fn route(&self, request: Request) -> Response {
        // The way that nearly all requests go is taken without a search, which costs a tenth of scoring a row.
        let is_score = request.method() == Method::POST && request.uri().path() == "/score";
        if is_score && self.app.options.cors_origins.is_empty() {
            return score_route::post(State(Arc::clone(&self.app)), request).await;
        }
        self.routes.clone().oneshot(request).await.unwrap_or_else(|error| match error {})
    }
}

/// Hangs the span into the trace that the client has begun.
#[cfg(feature = "otlp")]
fn remote_parent(span: &tracing::Span, trace_id: &str, parent_span_id: &str) {
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    };
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let ids = (TraceId::from_hex(trace_id), SpanId::from_hex(parent_span_id));
    if let (Ok(trace_id), Ok(span_id)) = ids {
        let (flags, state) = (TraceFlags::SAMPLED, TraceState::default());
        let parent = SpanContext::new(trace_id, span_id, flags, true, state);
        // It fails if nobody exports spans.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
    }
}

/// Neither query nor body: both may hold what is personal.
fn log(
    ids: &RequestIds,
    method: &Method,
    path: &str,
    response: &Response,
    code: Option<ErrorCode>,
    start: Instant,
) {
    let status = response.status();
    let milliseconds = || start.elapsed().as_secs_f64() * 1e3;
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "spinney_scoring::request",
                %method,
                path,
                status = status.as_u16(),
                code = code.map(tracing::field::display),
                milliseconds = milliseconds(),
                request_id = ids.request(),
                trace_id = ids.trace().0,
                "answered"
            )
        };
    }
    // That a model is not loaded yet is what probes ask for.
    if status.is_server_error() && code != Some(ErrorCode::NotReady) {
        line!(error);
    } else if status.is_client_error() {
        line!(info);
    } else if path != "/" {
        line!(debug);
    }
}

fn authorize(app: &App, request: &Request) -> Result<(), ScoreError> {
    let Some(keys) = &app.options.keys else { return Ok(()) };
    // A browser asks what it may send without a key.
    if OPEN_PATHS.contains(&request.uri().path()) || request.method() == Method::OPTIONS {
        return Ok(());
    }
    match bearer(request.headers()) {
        Some(guess) if keys.match_any(guess) => Ok(()),
        // The first word is what Azure ML's front door answers.
        Some(_) => {
            let message = "key_auth_access_denied: the key is wrong";
            Err(ScoreError::new(ErrorCode::WrongKey, message))
        }
        None => {
            let message =
                "key_auth_bad_header_forbidden: send the key as `Authorization: Bearer KEY`";
            Err(ScoreError::new(ErrorCode::MissingKey, message))
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
