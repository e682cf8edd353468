//! More requests than can be scored: who waits, who is refused, and who is never held up.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod constant;

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::{get, post, router};
use constant::Constant;
use spinney_scoring::{
    InitError, ScoreError, ScoreRequest, ScoreResponse, Scorer, Server, ServerOptions,
};
use tokio::sync::Semaphore;

/// Scores nothing before it is let go, and counts what it began.
#[derive(Clone)]
struct Gated {
    began: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Gated {
    fn new() -> Self {
        Self { began: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    async fn wait_for(&self, n_began: usize) {
        while self.began.load(Ordering::SeqCst) < n_began {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Scorer for Gated {
    fn init(_: &Path) -> Result<Self, InitError> {
        Ok(Self::new())
    }

    fn run(&self, _: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        self.began.fetch_add(1, Ordering::SeqCst);
        while self.gate.try_acquire().map(|permit| permit.forget()).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(ScoreResponse::new(vec![1.0]))
    }
}

fn options(concurrency: usize, queue_limit: usize) -> ServerOptions {
    let concurrency = NonZeroUsize::new(concurrency).unwrap();
    ServerOptions::default().concurrency(concurrency).queue_limit(queue_limit)
}

#[tokio::test]
async fn some_run_some_wait_and_the_rest_comes_again() {
    let gated = Gated::new();
    let server = Server::of(gated.clone(), options(2, 3));
    let app = server.router();
    let requests: Vec<_> = (0..5).map(|_| tokio::spawn(post(app.clone(), "[{}]"))).collect();
    gated.wait_for(2).await;
    let queue = |metrics: &str| metrics.contains("spinney_queue_length 3\n");
    while !queue(&get(app.clone(), "/metrics").await.text) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let metrics = get(app.clone(), "/metrics").await.text;
    assert!(metrics.contains("spinney_scoring_in_progress 2\n"), "{metrics}");

    let answer = post(app.clone(), "[{}]").await;
    assert_eq!(answer.headers["retry-after"], "1");
    let (status, code, message, ..) = answer.refusal();
    assert_eq!((status, code.as_str()), (429, "TooManyRequests"));
    assert_eq!(message, "3 requests wait already, which is the limit");
    // Liveness never waits behind scoring.
    assert_eq!(get(app.clone(), "/").await.text, "Healthy");

    gated.gate.add_permits(5);
    for request in requests {
        assert_eq!(request.await.unwrap().status, 200);
    }
    assert_eq!(gated.began.load(Ordering::SeqCst), 5);
    gated.gate.add_permits(1);
    assert_eq!(post(app, "[{}]").await.status, 200);
}

#[tokio::test]
async fn a_late_request_is_never_scored() {
    let gated = Gated::new();
    let options = options(1, 10).request_timeout(Duration::from_millis(100));
    let app = router(gated.clone(), options);
    let running = tokio::spawn(post(app.clone(), "[{}]"));
    gated.wait_for(1).await;
    let (status, code, message, ..) = post(app.clone(), "[{}]").await.refusal();
    assert_eq!((status, code.as_str()), (408, "Timeout"));
    assert_eq!(message, "the request took longer than 100 ms");
    assert_eq!(running.await.unwrap().status, 408);
    // The first still runs: only when it ends there is room again.
    gated.gate.add_permits(1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    gated.gate.add_permits(1);
    assert_eq!(post(app, "[{}]").await.status, 200);
    assert_eq!(gated.began.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_request_whose_client_has_gone_is_never_scored() {
    let gated = Gated::new();
    let app = router(gated.clone(), options(1, 10));
    let running = tokio::spawn(post(app.clone(), "[{}]"));
    gated.wait_for(1).await;
    let waiting = tokio::spawn(post(app.clone(), "[{}]"));
    tokio::time::sleep(Duration::from_millis(20)).await;
    waiting.abort();
    let _ = waiting.await;
    gated.gate.add_permits(2);
    assert_eq!(running.await.unwrap().status, 200);
    assert_eq!(post(app, "[{}]").await.status, 200);
    assert_eq!(gated.began.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_a_queue_nobody_waits() {
    let app = router(Constant::slow(1.0, Duration::from_millis(50)), options(1, 0));
    let (first, second) = tokio::join!(post(app.clone(), "[{}]"), post(app, "[{}]"));
    let mut found = [first.status.as_u16(), second.status.as_u16()];
    found.sort_unstable();
    assert_eq!(found, [200, 429]);
}
