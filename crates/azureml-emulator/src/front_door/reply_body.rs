use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::serving::Seat;

/// The body of a program's answer, as it comes. The request is under way until its end, for which there is a time too.
pub(super) struct ReplyBody {
    body: Incoming,
    _seat: Seat,
    end: Instant,
    late: Option<Pin<Box<Sleep>>>,
}

impl ReplyBody {
    pub(super) fn new(body: Incoming, seat: Seat, end: Instant) -> Self {
        Self { body, _seat: seat, end, late: None }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        // Most bodies come with their head, and need no clock.
        let late = this.late.get_or_insert_with(|| Box::pin(sleep_until(this.end)));
        ready!(late.as_mut().poll(context));
        Poll::Ready(Some(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the requestTimeout is over",
        ))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
