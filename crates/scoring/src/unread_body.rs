//! What is left of a body that was refused before its end.
//!
//! A server that closes a connection on which the client still sends resets it, and a client that does not listen while it sends never
//! sees why. So the rest is read and thrown away for a while, which keeps the connection open.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// Shorter bodies fit into the buffers between client and server.
const SHORT_BYTES: u64 = 64 << 10;
/// How much is thrown away at most, and for how long.
const MAX_BYTES: usize = 64 << 20;
const MAX_TIME: Duration = Duration::from_secs(1);

/// Where a body comes back to when nobody wants the rest of it.
pub(crate) struct Unread {
    slot: Arc<Mutex<Option<Body>>>,
}

/// Watches a body that is long, or does not say how long it is. One that the client sends only when it is asked to is left alone.
pub(crate) fn watch(request: Request) -> (Request, Option<Unread>) {
    let is_short = request.body().size_hint().upper().is_some_and(|length| length <= SHORT_BYTES);
    if is_short || request.headers().contains_key(header::EXPECT) {
        return (request, None);
    }
    let slot = Arc::new(Mutex::new(None));
    let unread = Unread { slot: Arc::clone(&slot) };
    (request.map(|body| Body::new(Watched { body: Some(body), slot })), Some(unread))
}

impl Unread {
    /// Reads the rest, up to the limits.
    pub(crate) async fn discard(self) {
        let body = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = body else { return };
        let reading = async {
            let mut n_bytes = 0;
            while n_bytes < MAX_BYTES
                && let Some(Ok(frame)) = body.frame().await
            {
                n_bytes += frame.data_ref().map_or(0, Bytes::len);
            }
        };
        // Whether it was read to its end or not: there is nothing more to do.
        let _ = tokio::time::timeout(MAX_TIME, reading).await;
    }
}

struct Watched {
    body: Option<Body>,
    slot: Arc<Mutex<Option<Body>>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            // Nothing is left to come back.
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
        }
    }
}
