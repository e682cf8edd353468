use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_rustls::TlsAcceptor;

use crate::{faults::Reset, front::Front};

/// How long a client may take for a TLS handshake, or the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Length above which the head of a request is refused.
const MAX_HEAD: usize = 64 << 10;

/// How long requests under way may take when the emulator stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What it takes to serve a connection.
pub(crate) struct Connections {
    pub(crate) front: Arc<Front>,
    pub(crate) tls: TlsAcceptor,
}

/// How a connection learns that the emulator stops, and how the emulator learns that the connection has ended: it waits until all of
/// these are gone.
#[derive(Clone)]
pub(crate) struct Ending {
    stopped: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
}

/// What connections at a listener speak.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Speech {
    Tls,
    Proxy,
}

impl Connections {
    /// Serves a listener until it is told to stop, and then what is under way.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        speech: Speech,
        mut stopped: watch::Receiver<bool>,
    ) {
        let (alive, mut ended) = mpsc::channel(1);
        let ending = Ending { stopped: stopped.clone(), _alive: alive };
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                // The sender is gone or says so: both mean the end.
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            match accepted {
                Ok((stream, _)) => self.spawn(stream, speech, ending.clone()),
                Err(error) => {
                    // No more file descriptors, say: it passes when connections end.
                    tracing::error!(%error, "no connection could be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop((listener, ending));
        // Connections that take longer end with the process.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, ended.recv()).await;
    }

    fn spawn(self: &Arc<Self>, stream: TcpStream, speech: Speech, ending: Ending) {
        let connections = Arc::clone(self);
        tokio::spawn(async move {
            // An answer is one write: waiting for more to send with it would only delay it.
            let result = match stream.set_nodelay(true) {
                Err(error) => Err(error),
                Ok(()) => match speech {
                    Speech::Tls => connections.speak_tls(stream, ending).await,
                    Speech::Proxy => connections.speak_proxy(stream, ending).await,
                },
            };
            if let Err(error) = result {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }

    /// TLS, and HTTP/1.1 within.
    pub(crate) async fn speak_tls<S>(&self, stream: S, ending: Ending) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = tokio::time::timeout(HEAD_TIMEOUT, self.tls.accept(stream));
        let stream = handshake.await.map_err(io::Error::other)??;
        let service = service_fn(|request: Request<Incoming>| {
            let front = Arc::clone(&self.front);
            async move { front.receive(request.map(Body::new)).await }
        });
        speak(stream, service, ending).await
    }
}

/// Speaks HTTP/1.1 until one side has enough, or until the emulator stops and what is under way is answered.
pub(crate) async fn speak<S, A>(stream: S, service: A, mut ending: Ending) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: HttpService<Incoming, ResBody = Body, Error = Reset>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        // A client that has sent all it wants may close its side and still wait for the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = ending.stopped.wait_for(|stopped| *stopped) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.map_err(io::Error::other)
}
