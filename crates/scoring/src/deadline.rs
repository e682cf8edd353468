use std::time::Duration;

use tokio::time::Instant;

use crate::{ErrorCode, ScoreError};

/// Until when a request is to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// A limit beyond what a clock can say is none: a year is as good.
    pub(crate) fn after(limit: Duration) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        Self { at: Instant::now() + limit.min(YEAR), limit }
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.at
    }

    /// Waits for something until then.
    pub(crate) async fn wait<F: Future>(self, future: F) -> Result<F::Output, ScoreError> {
        tokio::time::timeout_at(self.at, future).await.map_err(|_| self.error())
    }

    pub(crate) fn error(self) -> ScoreError {
        let message = format!("the request took longer than {} ms", self.limit.as_millis());
        ScoreError::new(ErrorCode::Timeout, message)
    }
}
