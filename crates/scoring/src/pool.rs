//! Where scoring happens: away from the threads that serve connections, so many at once, and so many waiting.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Semaphore;

use crate::{ErrorCode, ScoreError, deadline::Deadline};

#[derive(Debug)]
pub(crate) struct Pool {
    permits: Arc<Semaphore>,
    concurrency: usize,
    waiting: AtomicUsize,
    queue_limit: usize,
}

impl Pool {
    pub(crate) fn new(concurrency: usize, queue_limit: usize) -> Self {
        let permits = Arc::new(Semaphore::new(concurrency));
        Self { permits, concurrency, waiting: AtomicUsize::new(0), queue_limit }
    }

    /// Requests that wait for a thread.
    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Requests that are on a thread.
    pub(crate) fn n_running(&self) -> usize {
        self.concurrency - self.permits.available_permits().min(self.concurrency)
    }

    /// Runs a job on a thread of its own when its turn comes. A job whose client has gone, or whose time is over, is not begun.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Deadline,
        job: impl FnOnce() -> Result<T, ScoreError> + Send + 'static,
    ) -> Result<T, ScoreError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _place = self.wait()?;
                let turn = Arc::clone(&self.permits).acquire_owned();
                deadline.wait(turn).await?.map_err(|_| ScoreError::internal())?
            }
        };
        let task = tokio::task::spawn_blocking(move || {
            // Held until the job is done, also when nobody waits for it any more.
            let _permit = permit;
            if deadline.is_over() { Err(deadline.error()) } else { guarded(job) }
        });
        // Dropped with the request: a task that is not begun never is.
        let task = AbortOnDrop(task);
        deadline.wait(task).await?
    }

    /// A place among those that wait, until it is dropped.
    fn wait(&self) -> Result<Place<'_>, ScoreError> {
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue_limit {
            let message = format!("{} requests wait already, which is the limit", self.queue_limit);
            return Err(ScoreError::new(ErrorCode::TooManyRequests, message));
        }
        Ok(place)
    }
}

struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<Result<T, ScoreError>>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, ScoreError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0)
            .poll(context)
            .map(|joined| joined.unwrap_or_else(|_| Err(ScoreError::internal())))
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a scorer's code; a panic in it is the server's failure, and no more than that.
pub(crate) fn guarded<T>(job: impl FnOnce() -> Result<T, ScoreError>) -> Result<T, ScoreError> {
    panic::catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|panic| {
        let reason = panic.downcast_ref::<&str>().copied();
        let reason = reason.or(panic.downcast_ref::<String>().map(String::as_str));
        tracing::error!(reason = reason.unwrap_or("unknown"), "the scorer panicked");
        Err(ScoreError::internal())
    })
}
