use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Response, request},
};
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::{
    Error, Result,
    front::{broken, read},
};

/// Writes down what Azure Resource Manager is asked and answers, without what is secret.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    n_recorded: AtomicU64,
}

/// What is written instead of a secret.
const SECRET: &str = "PLACEHOLDER";

/// Fields of answers that let whoever reads them do something.
const SECRETS: [&str; 7] = [
    "primaryKey",
    "secondaryKey",
    "accessToken",
    "sasToken",
    "key",
    "keyValue",
    "adminUserPassword",
];

/// Headers likewise.
const SECRET_HEADERS: [&str; 3] = ["authorization", "x-azureml-token", "cookie"];

impl Recorder {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::state(folder))?;
        Ok(Self { folder: folder.to_owned(), n_recorded: AtomicU64::new(0) })
    }

    /// Has a request answered, and writes both down. A recording that cannot be written does not keep the client from its answer.
    pub(crate) async fn record(
        &self,
        request: Request,
        answer: impl AsyncFnOnce(Request) -> Response<Body>,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let said = asked(&parts, &body);
        let name = name(&parts);
        let response = answer(Request::from_parts(parts, Body::from(body))).await;
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return broken();
        };
        let answered = json!({
            "status": parts.status.as_u16(),
            "headers": headers(&parts.headers),
            "body": shown(&body),
        });
        let exchange = json!({"request": said, "response": answered});
        let number = self.n_recorded.fetch_add(1, Ordering::Relaxed) + 1;
        let path = self.folder.join(format!("{number:05}-{name}.json"));
        if let Err(error) = write(path.clone(), exchange).await {
            tracing::error!(%error, path = %path.display(), "an exchange could not be recorded");
        }
        Response::from_parts(parts, Body::from(body))
    }
}

async fn write(path: PathBuf, exchange: Value) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&exchange)?;
    tokio::fs::write(path, text).await
}

fn asked(parts: &request::Parts, body: &[u8]) -> Value {
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query: Map<String, Value> =
        query.map(|(name, value)| (name.into_owned(), json!(value))).collect();
    json!({
        "method": parts.method.as_str(),
        "path": path,
        "query": query,
        "headers": headers(&parts.headers),
        "body": shown(body),
    })
}

/// The method and the end of the path, as part of a file's name.
fn name(parts: &request::Parts) -> String {
    let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
    let last = last.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(60);
    format!("{}-{}", parts.method.as_str().to_lowercase(), last.collect::<String>())
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let shown = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = match name.as_str() {
            "authorization" => format!("Bearer {SECRET}"),
            name if SECRET_HEADERS.contains(&name) => SECRET.to_owned(),
            _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        (name.as_str().to_owned(), json!(value))
    };
    headers.iter().map(shown).collect()
}

/// A body as JSON, `null` if there is none.
fn shown(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let mut value = serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
    hide(&mut value);
    value
}

fn hide(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRETS.contains(&name.as_str()) => {
                        SECRET.clone_into(text);
                    }
                    // The query is the secret.
                    Value::String(text) if name == "sasUri" => {
                        if let Some((uri, _)) = text.split_once('?') {
                            *text = format!("{uri}?{SECRET}");
                        }
                    }
                    value => hide(value),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_written() {
        let body = json!({
            "primaryKey": "s1", "tags": [{"secondaryKey": "s2"}],
            "credential": {"sasUri": "https://host/c?sig=s3"}, "name": "kept",
        });
        let text = shown(body.to_string().as_bytes()).to_string();
        assert!(!["s1", "s2", "s3"].iter().any(|secret| text.contains(secret)), "{text}");
        assert!(text.contains("kept") && text.contains("https://host/c?PLACEHOLDER"), "{text}");
        let mut all = HeaderMap::new();
        all.insert("authorization", HeaderValue::from_static("Bearer s1"));
        all.insert("x-azureml-token", HeaderValue::from_static("s2"));
        let text = Value::Object(headers(&all)).to_string();
        assert!(!text.contains("s1") && !text.contains("s2"), "{text}");
    }
}
