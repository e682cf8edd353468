//! From a request to a deployment's answer, whatever the route.

use std::{
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header, request::Parts},
};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{
    Deployment, ErrorCode, ScoreError, ScoreRequest, ScoreResponse, app::App, deadline::Deadline,
    deployment::Loaded, pool::guarded,
};

/// What a deployment said to a request, and which it was.
pub(crate) struct Scored {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) response: Result<ScoreResponse, ScoreError>,
    /// How long scoring took, queue included.
    pub(crate) elapsed: Duration,
}

/// The deployment that a request is for, with its model.
pub(crate) fn choose(
    app: &App,
    headers: &HeaderMap,
) -> Result<(Arc<Deployment>, Arc<Loaded>), ScoreError> {
    let deployment = app.endpoint.choose(headers)?;
    let loaded = deployment.current().ok_or_else(ScoreError::not_ready)?;
    Ok((Arc::clone(deployment), loaded))
}

/// Scores a body that has been read.
pub(crate) async fn score(
    app: &App,
    (deployment, loaded): (Arc<Deployment>, Arc<Loaded>),
    body: Bytes,
    guesses: bool,
    deadline: Deadline,
) -> Scored {
    let start = Instant::now();
    let is_quick = loaded.scorer.is_quick(body.len());
    let request = ScoreRequest::from_body(body).guesses(guesses);
    let response = if is_quick {
        guarded(|| loaded.scorer.run(request))
    } else {
        let scorer = Arc::clone(&loaded.scorer);
        app.pool.run(deadline, move || scorer.run(request)).await
    };
    let elapsed = start.elapsed();
    if let Ok(response) = &response {
        app.metrics.scored(&app.endpoint, &deployment, response, elapsed);
    }
    Scored { deployment, loaded, response, elapsed }
}

/// Reads a body up to the limit, and inflates it up to the limit if it is encoded.
pub(crate) async fn read(
    app: &App,
    head: &Parts,
    body: Body,
    deadline: Deadline,
) -> Result<Bytes, ScoreError> {
    let limit = app.options.max_body_bytes;
    let too_large = || {
        let message = format!("the body is longer than {limit} bytes");
        ScoreError::new(ErrorCode::BodyTooLarge, message)
    };
    let encoding = encoding(&head.headers)?;
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let body = deadline.wait(Limited::new(body, limit).collect()).await?;
    let bytes = match body {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => {
            let message = "the body could not be read";
            return Err(ScoreError::new(ErrorCode::MalformedJson, message));
        }
    };
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip => inflate(MultiGzDecoder::new(&bytes[..]), limit, too_large),
        Encoding::Deflate => inflate(ZlibDecoder::new(&bytes[..]), limit, too_large),
    }
}

fn inflate(
    decoder: impl Read,
    limit: usize,
    too_large: impl Fn() -> ScoreError,
) -> Result<Bytes, ScoreError> {
    let mut bytes = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut bytes);
    if bytes.len() > limit {
        return Err(too_large());
    }
    match read {
        Ok(_) => Ok(bytes.into()),
        Err(_) => {
            let message = "the body is not encoded as its content-encoding says";
            Err(ScoreError::new(ErrorCode::MalformedJson, message))
        }
    }
}

enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, ScoreError> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    match (encodings.next().map(|encoding| encoding.as_bytes()), encodings.next()) {
        (None | Some(b"identity"), None) => Ok(Encoding::Identity),
        (Some(b"gzip"), None) => Ok(Encoding::Gzip),
        (Some(b"deflate"), None) => Ok(Encoding::Deflate),
        _ => {
            let message = "send the body as it is, or encoded with gzip or deflate";
            Err(ScoreError::new(ErrorCode::UnsupportedEncoding, message))
        }
    }
}
