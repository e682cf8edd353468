use std::{
    fmt,
    future::IntoFuture,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Job, JobStatus, run_history};
use crate::{Error, MlClient, Result, poller::BoxFuture};

type Report = Box<dyn FnMut(&JobStatus) + Send>;

/// The wait for a job's end: [`Jobs::wait`](crate::Jobs::wait). Await it.
///
/// It looks after 2 s, then less and less often, down to once a minute. Dropping it stops the waiting and not the job.
#[must_use = "nothing is asked for before it is awaited"]
pub struct JobWait {
    client: MlClient,
    name: String,
    delays: Delays,
    deadline: Option<Duration>,
    report: Option<Report>,
}

/// Delays that grow by half each time.
#[derive(Debug, Clone)]
pub(super) struct Delays {
    first: Duration,
    longest: Duration,
    next: Duration,
}

/// No delay at all would be an attack.
const SHORTEST: Duration = Duration::from_millis(10);

impl Delays {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        let first = first.max(SHORTEST);
        Self { first, longest: longest.max(first), next: first }
    }

    pub(super) fn next(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.mul_f64(1.5).min(self.longest);
        delay
    }

    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// 2 s at first, a minute at last.
impl Default for Delays {
    fn default() -> Self {
        Self::new(Duration::from_secs(2), Duration::from_secs(60))
    }
}

impl JobWait {
    pub(super) fn new(client: &MlClient, name: &str) -> Self {
        let (client, name) = (client.clone(), name.to_owned());
        Self { client, name, delays: Delays::default(), deadline: None, report: None }
    }

    /// How long to wait between two looks, at first and at most: 2 s and 60 s, unless said otherwise.
    pub fn delays(self, first: Duration, longest: Duration) -> Self {
        Self { delays: Delays::new(first, longest), ..self }
    }

    /// Gives up waiting after some time, with [`Error::Deadline`].
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Calls a function with every status that the job is found in.
    pub fn on_status(self, report: impl FnMut(&JobStatus) + Send + 'static) -> Self {
        Self { report: Some(Box::new(report)), ..self }
    }

    async fn run(mut self) -> Result<Job> {
        let begun = Instant::now();
        loop {
            let job = self.client.jobs().get(&self.name).await?;
            let status = &job.properties.status;
            if let Some(report) = &mut self.report {
                report(status);
            }
            if *status == JobStatus::Completed {
                return Ok(job);
            }
            if status.is_terminal() {
                return Err(failure(&self.client, &self.name, status).await);
            }
            let delay = self.delays.next();
            let delay = match self.deadline {
                None => delay,
                Some(deadline) => {
                    let left = deadline.saturating_sub(begun.elapsed());
                    if left.is_zero() {
                        let target = format!("job {}", self.name);
                        let status = status.to_string();
                        return Err(Error::Deadline { target, waited: deadline, status });
                    }
                    delay.min(left)
                }
            };
            tokio::time::sleep(delay).await;
        }
    }
}

/// The reason is run history's to tell. If it does not, the status is all there is.
async fn failure(client: &MlClient, name: &str, status: &JobStatus) -> Error {
    let told = match run_history::details(client, name).await {
        Ok(details) => details.failure(name),
        Err(error) => {
            tracing::warn!(job = name, %error, "run history does not tell why");
            None
        }
    };
    let nothing = || run_history::failure(name, status, &Value::Null);
    run_history::failed(told.unwrap_or_else(nothing))
}

impl IntoFuture for JobWait {
    type Output = Result<Job>;
    type IntoFuture = BoxFuture<Result<Job>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for JobWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobWait").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_from_two_seconds_to_a_minute() {
        let mut delays = Delays::default();
        let milliseconds: Vec<u128> = (0..11).map(|_| delays.next().as_millis()).collect();
        assert_eq!(milliseconds[..3], [2000, 3000, 4500]);
        assert!(milliseconds.is_sorted() && milliseconds[10] == 60_000);
        delays.reset();
        assert_eq!(delays.next(), Duration::from_secs(2));
    }
}
