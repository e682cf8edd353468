//! `/score`, as Azure ML's inference server has it.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    response::Response,
};
use serde_json::{Map, Value};

use crate::{
    ErrorCode, ScoreError,
    answer::{answer, error_in_answer},
    app::App,
    deadline::Deadline,
    scoring::{self, Scored},
};

/// Whether the scorer failed; a refusal is none.
const RUN_FUNCTION_FAILED: HeaderName = HeaderName::from_static("x-ms-run-function-failed");
/// Milliseconds from the body to the answer.
const RUN_TIME: HeaderName = HeaderName::from_static("x-ms-run-fn-exec-ms");

/// `POST /score`: the body holds rows.
pub(crate) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let deadline = Deadline::after(app.options.request_timeout);
    let (head, body) = request.into_parts();
    match scoring::read(&app, &head, body, deadline).await {
        Ok(body) => score(&app, head.headers, body, deadline).await,
        Err(error) => refusal(&app, error),
    }
}

/// `GET /score?name=value`: the query is one row. A value is what it is as JSON, or else text; one that is there several times is
/// a list.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    head: Parts,
) -> Response {
    let deadline = Deadline::after(app.options.request_timeout);
    let Ok(Query(pairs)) = query else {
        let message = "the query is no list of `name=value`";
        return refusal(&app, ScoreError::new(ErrorCode::MalformedJson, message));
    };
    let mut row: Map<String, Value> = Map::new();
    for (name, text) in pairs {
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        match row.get_mut(&name) {
            None => drop(row.insert(name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    let body = Bytes::from(Value::Object(row).to_string());
    score(&app, head.headers, body, deadline).await
}

/// `OPTIONS /score`: nothing to say, but 200, as browsers ask before they send.
pub(crate) async fn options() -> StatusCode {
    StatusCode::OK
}

async fn score(app: &App, headers: HeaderMap, body: Bytes, deadline: Deadline) -> Response {
    let chosen = match scoring::choose(app, &headers) {
        Ok(chosen) => chosen,
        Err(error) => return refusal(app, error),
    };
    let style = app.options.answer_style;
    let Scored { deployment, loaded, response, elapsed } =
        scoring::score(app, chosen, body, style.guesses(), deadline).await;
    let failed = matches!(&response, Err(error) if error.code() == ErrorCode::Internal);
    let mut answer = match response {
        Ok(response) => answer(style, &response, &loaded.headers, headers),
        Err(error) => refusal(app, error),
    };
    let headers = answer.headers_mut();
    app.endpoint.say(&deployment, headers);
    let failed = if failed { "True" } else { "False" };
    headers.insert(RUN_FUNCTION_FAILED, HeaderValue::from_static(failed));
    let (milliseconds, micros) = (elapsed.as_millis(), elapsed.subsec_micros() % 1000);
    if let Ok(time) = HeaderValue::from_str(&format!("{milliseconds}.{micros:03}")) {
        headers.insert(RUN_TIME, time);
    }
    answer
}

/// What is wrong with the server or the way to it is told by the status in any case.
fn refusal(app: &App, error: ScoreError) -> Response {
    let status = error.code().status();
    let is_of_data =
        status == StatusCode::BAD_REQUEST || status == StatusCode::UNPROCESSABLE_ENTITY;
    if app.options.errors_in_answers && is_of_data {
        error_in_answer(&error)
    } else {
        error.response(app.options.echo_values)
    }
}
