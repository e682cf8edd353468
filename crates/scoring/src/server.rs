use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    signal,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    Endpoint, Error, Scorer, ServerOptions, app::App, connection_threads::ConnectionThreads,
    front::Front,
};

/// An endpoint on the network, or in process: all routes, and connections with their limits.
///
/// # Examples
///
/// ```no_run
/// use spinney_scoring::{BundleScorer, Server, ServerOptions, shutdown_signal};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let scorer = BundleScorer::load("ames.bundle")?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
/// let server = Server::of(scorer, ServerOptions::default());
/// let stopped = server.serve(listener, shutdown_signal()).await?;
/// assert_eq!(stopped.n_cut_off, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server {
    front: Arc<Front>,
}

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Connections on which a request was still under way when the time for that was over.
    pub n_cut_off: usize,
}

impl Server {
    /// Puts an endpoint behind a server.
    #[must_use]
    pub fn new(endpoint: impl Into<Arc<Endpoint>>, options: ServerOptions) -> Self {
        Self { front: Arc::new(Front::new(Arc::new(App::new(endpoint.into(), options)))) }
    }

    /// A server for one scorer.
    #[must_use]
    pub fn of(scorer: impl Scorer, options: ServerOptions) -> Self {
        Self::new(Endpoint::of(scorer), options)
    }

    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.app().endpoint
    }

    fn app(&self) -> &Arc<App> {
        self.front.app()
    }

    /// All routes, to be called in process. It needs a tokio runtime to run on, but no socket.
    pub fn router(&self) -> Router {
        let front = Arc::clone(&self.front);
        Router::new().fallback(|request: Request| async move { front.answer(request).await })
    }

    /// Loads the models of all deployments that [can be loaded](crate::Deployment::loading), each tested before it gets traffic, away
    /// from the threads that serve. What goes wrong is logged and counted; such a deployment keeps the model it had.
    ///
    /// # Errors
    ///
    /// The first of the errors, when all have been tried.
    pub async fn reload(&self) -> Result<(), Error> {
        let mut first = Ok(());
        for deployment in self.app().endpoint.deployments() {
            let deployment = Arc::clone(deployment);
            let name = deployment.name().to_owned();
            let loading = tokio::task::spawn_blocking(move || deployment.reload()).await;
            let result = match loading {
                Ok(Err(Error::NotReloadable { .. })) => continue,
                Ok(result) => result,
                Err(panic) => Err(Error::Init { deployment: name.clone(), source: panic.into() }),
            };
            self.app().metrics.reloaded(&name, result.is_ok());
            match &result {
                Ok(()) => tracing::info!(deployment = name, "the model is loaded"),
                Err(error) => {
                    tracing::error!(
                        deployment = name,
                        error = causes(error),
                        "the model is not loaded"
                    );
                }
            }
            first = first.and(result);
        }
        first
    }

    /// Serves until `shutdown` completes, and then until the requests under way are answered.
    ///
    /// From then on no connection is accepted, and those that are idle are closed. What is not answered when the [time for
    /// that](ServerOptions::drain_timeout) is over is cut off.
    ///
    /// # Errors
    ///
    /// If the listener fails for good, or [threads](ServerOptions::connection_threads) can not be started. That there are no more file descriptors, or that a client has gone, is no such failure.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<Stopped> {
        let options = &self.app().options;
        let connections = Connections {
            threads: options.connection_threads.map(ConnectionThreads::start).transpose()?,
            front: Arc::clone(&self.front),
            slots: Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS))),
            graceful: GracefulShutdown::new(),
        };
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = connections.accept(&listener) => accepted,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, slot)) => connections.serve(stream, slot),
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    // No more file descriptors, say: it passes when connections end.
                    tracing::error!(%error, "no connection could be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        tracing::info!("shutting down");
        let Connections { threads, graceful, .. } = connections;
        let app = self.app();
        let drained = tokio::time::timeout(app.options.drain_timeout, graceful.shutdown()).await;
        let n_cut_off = match drained {
            Ok(()) => 0,
            Err(_) => app.metrics.connections().get().try_into().unwrap_or_default(),
        };
        drop(threads);
        Ok(Stopped { n_cut_off })
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("endpoint", &self.app().endpoint).finish_non_exhaustive()
    }
}

/// An error with all that it comes from, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

struct Connections {
    /// `None`: connections are served on the current runtime.
    threads: Option<ConnectionThreads>,
    front: Arc<Front>,
    slots: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    /// Waits for a place first: connections above the limit stay in the system's queue.
    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = listener.accept().await?;
        // An answer is one write: waiting for more to send with it would only delay it.
        stream.set_nodelay(true)?;
        Ok((stream, slot))
    }

    fn serve(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        let front = Arc::clone(&self.front);
        let watcher = self.graceful.watcher();
        let serve = async move |stream: TcpStream| {
            let _slot = slot;
            let app = front.app();
            let _open = Open::new(app.metrics.connections());
            #[cfg(feature = "tls")]
            match app.options.tls.clone() {
                Some(tls) => {
                    let handshake = tls.accept(stream);
                    let timeout = app.options.header_timeout;
                    if let Ok(Ok(stream)) = tokio::time::timeout(timeout, handshake).await {
                        speak(stream, &front, watcher).await;
                    }
                }
                None => speak(stream, &front, watcher).await,
            }
            #[cfg(not(feature = "tls"))]
            speak(stream, &front, watcher).await;
        };
        match &self.threads {
            Some(threads) => threads.spawn(stream, serve),
            None => drop(tokio::spawn(serve(stream))),
        }
    }
}

/// Counts a connection until it is dropped, however it ends.
struct Open<'a>(&'a Gauge);

impl<'a> Open<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Speaks HTTP/1.1 until one side has enough.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    front: &Arc<Front>,
    watcher: Watcher,
) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let front = Arc::clone(front);
        async move { Ok::<_, Infallible>(front.answer(request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(front.app().options.header_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        // A client that has sent all it wants may close its side and still wait for the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Length above which the head of a request is refused; bodies are read in pieces of it.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Errors of one connection, which the next does not have.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput)
}

/// Completes when the process is told to stop: by Ctrl-C, and on Unix by SIGTERM.
pub async fn shutdown_signal() {
    let interrupt = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
