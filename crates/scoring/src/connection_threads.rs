//! Threads that connections are served on, each with a runtime of its own.
//!
//! What a request for a row asks for is done in microseconds: a runtime that shares such work out wakes threads for longer than
//! that. So a connection stays where it is, and only what takes longer goes to [other threads](crate::pool).

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    net::TcpStream,
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// They end when this is dropped, whatever is under way on them.
pub(crate) struct ConnectionThreads(Vec<ConnectionThread>);

struct ConnectionThread {
    runtime: Handle,
    n_connections: Arc<AtomicUsize>,
    /// The thread ends when this is dropped.
    _running: oneshot::Sender<()>,
}

impl ConnectionThreads {
    pub(crate) fn start(n_threads: NonZeroUsize) -> io::Result<Self> {
        (0..n_threads.get()).map(ConnectionThread::start).collect::<io::Result<_>>().map(Self)
    }

    /// Serves a connection on the thread that has the fewest.
    pub(crate) fn spawn<F: Future<Output = ()> + Send>(
        &self,
        stream: TcpStream,
        serve: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) {
        let n_connections =
            |thread: &&ConnectionThread| thread.n_connections.load(Ordering::Relaxed);
        let Some(thread) = self.0.iter().min_by_key(n_connections) else { return };
        let counted = Counted::new(Arc::clone(&thread.n_connections));
        // It is watched by the runtime that it was made in.
        let stream = stream.into_std();
        thread.runtime.spawn(async move {
            let _counted = counted;
            match stream.and_then(TcpStream::from_std) {
                Ok(stream) => serve(stream).await,
                Err(error) => tracing::error!(%error, "a connection could not be handed over"),
            }
        });
    }
}

impl ConnectionThread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, stopped) = oneshot::channel();
        thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
            // An error says that the other side was dropped.
            let _ = runtime.block_on(stopped);
            // Not waiting for a scorer that nobody waits for any more.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, n_connections: Arc::default(), _running: running })
    }
}

/// Counts a connection until it is dropped, however it ends.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(n_connections: Arc<AtomicUsize>) -> Self {
        n_connections.fetch_add(1, Ordering::Relaxed);
        Self(n_connections)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
