use std::time::{Duration, Instant};

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use hyper::Request;

use super::{HttpClient, Probe, Routes, instance::Health};

/// How often a program is asked that is being started, at first and at last: sooner than Azure ML asks, which waits ten seconds.
const FIRST: Duration = Duration::from_millis(20);
const LAST: Duration = Duration::from_millis(500);

/// The longest answer to a probe that is read, so that its connection can be used again.
const MAX_ANSWER: usize = 64 << 10;

/// Asks a program again and again how it is.
pub(super) struct Probing<'a> {
    pub(super) client: &'a HttpClient,
    pub(super) routes: &'a Routes,
    pub(super) liveness: &'a Probe,
    pub(super) readiness: &'a Probe,
    /// The port that the program was told to listen on.
    pub(super) port: u16,
    /// The port that it may listen on instead, because its environment says so.
    pub(super) other_port: Option<u16>,
}

/// Why a program is to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It did not get ready in its time.
    Late,
    /// It was ready, and answers no more.
    Dead,
}

impl Probing<'_> {
    /// Asks until the program is to be ended, and tells how it is and where: for ever, if it is well.
    pub(super) async fn watch(&self, tell: impl Fn(Health, u16)) -> Verdict {
        let Some(port) = self.wait_until_ready().await else { return Verdict::Late };
        tell(Health::Ready, port);
        let liveness = async {
            let mut n_failures = 0;
            while n_failures < self.liveness.failures {
                tokio::time::sleep(self.liveness.period).await;
                let is_alive = self.ask(port, &self.routes.liveness, self.liveness.timeout).await;
                n_failures = if is_alive { 0 } else { n_failures + 1 };
            }
        };
        let readiness = async {
            let (mut n_failures, mut n_successes) = (0, 0);
            loop {
                tokio::time::sleep(self.readiness.period).await;
                if self.ask(port, &self.routes.readiness, self.readiness.timeout).await {
                    (n_failures, n_successes) = (0, n_successes + 1);
                    if n_successes == self.readiness.successes {
                        tell(Health::Ready, port);
                    }
                } else {
                    (n_failures, n_successes) = (n_failures + 1, 0);
                    if n_failures == self.readiness.failures {
                        tell(Health::Unready, port);
                    }
                }
            }
        };
        tokio::select! {
            () = liveness => Verdict::Dead,
            () = readiness => Verdict::Dead,
        }
    }

    /// The port that answers, when it has answered as often as it must.
    async fn wait_until_ready(&self) -> Option<u16> {
        let end = Instant::now() + self.readiness.patience();
        let (mut pause, mut n_successes) = (FIRST, 0);
        loop {
            let mut answering = None;
            for port in [Some(self.port), self.other_port].into_iter().flatten() {
                if self.ask(port, &self.routes.readiness, self.readiness.timeout).await {
                    answering = Some(port);
                    break;
                }
            }
            n_successes = if answering.is_some() { n_successes + 1 } else { 0 };
            if n_successes >= self.readiness.successes {
                return answering;
            }
            if Instant::now() >= end {
                return None;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LAST).min(self.readiness.period);
        }
    }

    /// Whether there is an answer in time that is no error.
    async fn ask(&self, port: u16, path: &str, timeout: Duration) -> bool {
        let request = Request::get(format!("http://127.0.0.1:{port}{path}")).body(Body::empty());
        let Ok(request) = request else { return false };
        let asked = async {
            let response = self.client.request(request).await.ok()?;
            let is_well = response.status().is_success() || response.status().is_redirection();
            Limited::new(response.into_body(), MAX_ANSWER).collect().await.ok()?;
            Some(is_well)
        };
        tokio::time::timeout(timeout, asked).await.ok().flatten().unwrap_or(false)
    }
}
