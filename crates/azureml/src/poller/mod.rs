mod operation;

use std::{
    fmt,
    future::IntoFuture,
    pin::Pin,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use url::Url;

use self::operation::{Ask, Operation, Outcome, provisioning_state};
use crate::{
    Error, Result, ServiceError,
    http::{Call, Pipeline, Reply},
};

type Report = Box<dyn FnMut(&Progress) + Send>;

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An operation that Azure works on after it has answered: a compute or an endpoint that comes or goes, a deployment.
///
/// Await it to run it to its end. Or [`start`](Self::start) it and go; or [`step`](Self::step) through it, to see how it gets on.
/// Nothing is sent before. Dropping it stops the waiting and not the operation, which goes on in Azure.
///
/// How to know its end is Azure Resource Manager's protocol for asynchronous operations: the address in the header
/// `Azure-AsyncOperation`, else that in `Location`, else the resource's own `provisioningState`; between two looks lie
/// `Retry-After`'s seconds, or the client's [`poll_interval`](crate::MlClientBuilder::poll_interval).
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
/// use spinney_azureml::Step;
///
/// // To the end:
/// client.computes().start("ci-anna").await?;
///
/// // Step by step:
/// let mut deleting = client.computes().delete("ci-anna");
/// while let Step::Running(progress) = deleting.step().await? {
///     println!("{} {:?} %", progress.status, progress.percent_complete);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before it is awaited, started or stepped"]
pub struct Poller<T> {
    pipeline: Pipeline,
    target: String,
    state: State<T>,
    poll_interval: Duration,
    deadline: Option<Duration>,
    begun: Option<Instant>,
    logs: Option<BoxFuture<Vec<(String, String)>>>,
    progress: Option<Report>,
}

/// How an operation gets on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Azure's word for it: `InProgress`, `Creating`, ...
    pub status: String,
    /// How much is done, 0 to 100, where Azure says it.
    pub percent_complete: Option<f64>,
    /// How long it has been running.
    pub elapsed: Duration,
}

/// What [`Poller::step`] found.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<T> {
    /// It is running.
    Running(Progress),
    /// It has ended, with this.
    Done(T),
}

/// What an operation results in.
pub(crate) enum Finish<T> {
    /// The resource as it is in the end, from its address.
    Get(Url),
    /// This.
    Value(T),
}

enum State<T> {
    New(BoxFuture<Result<Begun<T>>>),
    Running {
        ask: Ask,
        delay: Duration,
        progress: Progress,
        finish: Finish<T>,
    },
    /// It has ended well; its result is to be fetched, or is the last reply.
    Ended {
        last: Reply,
        finish: Finish<T>,
    },
    Over,
}

/// The first reply, and what the operation results in.
pub(crate) struct Begun<T> {
    pub(crate) reply: Reply,
    pub(crate) finish: Finish<T>,
}

impl<T: DeserializeOwned + Send + 'static> Poller<T> {
    /// An operation that a future begins; `target` is what it is about.
    pub(crate) fn new(
        pipeline: &Pipeline,
        poll_interval: Duration,
        target: impl Into<String>,
        begin: impl Future<Output = Result<Begun<T>>> + Send + 'static,
    ) -> Self {
        Self {
            pipeline: pipeline.clone(),
            target: target.into(),
            state: State::New(Box::pin(begin)),
            poll_interval,
            deadline: None,
            begun: None,
            logs: None,
            progress: None,
        }
    }

    /// What to fetch for the error if it fails.
    pub(crate) fn with_logs(
        self,
        logs: impl Future<Output = Vec<(String, String)>> + Send + 'static,
    ) -> Self {
        Self { logs: Some(Box::pin(logs)), ..self }
    }

    /// Gives up waiting after some time, with [`Error::Deadline`]. Without it there is no limit but Azure's own.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Calls a function with every status that Azure reports while it is awaited.
    pub fn on_progress(self, progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        Self { progress: Some(Box::new(progress)), ..self }
    }

    /// Sends the first request, unless it has been sent, and does not wait for more: Azure has taken the operation over.
    ///
    /// # Errors
    ///
    /// What the request may fail with. Errors end the poller.
    pub async fn start(&mut self) -> Result<()> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let State::New(begin) = state else {
            self.state = state;
            return Ok(());
        };
        self.begun = Some(Instant::now());
        let begun = begin.await?;
        self.state = self.first(begun).await?;
        Ok(())
    }

    /// Goes one step: sends the first request, or waits as long as Azure asks for and looks how the operation gets on.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] when it fails or is cancelled; [`Error::Deadline`]; what a request may fail with, after which it can be
    /// stepped again; [`Error::Reply`] when it is stepped after its end.
    pub async fn step(&mut self) -> Result<Step<T>> {
        if let State::New(_) = self.state {
            self.start().await?;
        } else {
            self.look().await?;
        }
        if let State::Running { progress, .. } = &self.state {
            let progress = Progress { elapsed: self.elapsed(), ..progress.clone() };
            if let Some(report) = &mut self.progress {
                report(&progress);
            }
            return Ok(Step::Running(progress));
        }
        self.finish().await.map(Step::Done)
    }

    fn elapsed(&self) -> Duration {
        self.begun.map(|begun| begun.elapsed()).unwrap_or_default()
    }

    /// Waits, and looks once.
    async fn look(&mut self) -> Result<()> {
        let State::Running { ask, delay, progress, .. } = &self.state else { return Ok(()) };
        let (ask, delay) = (ask.clone(), self.within_deadline(*delay, progress)?);
        tokio::time::sleep(delay).await;
        let reply = self.pipeline.send(Call::get(ask.url().clone())).await?;
        let (operation, ask) = ask.read(&reply)?;
        let State::Running { finish, .. } = std::mem::replace(&mut self.state, State::Over) else {
            return Ok(());
        };
        self.state = match Outcome::of(&operation.status) {
            Outcome::Failed => return Err(self.failure(operation, &reply).await),
            Outcome::Succeeded => State::Ended { last: reply, finish },
            Outcome::Running => {
                let delay = self.delay(&reply);
                let progress = self.progress_of(operation.status, operation.percent_complete);
                State::Running { ask, delay, progress, finish }
            }
        };
        Ok(())
    }

    /// How long to wait, and not beyond the deadline.
    fn within_deadline(&self, delay: Duration, progress: &Progress) -> Result<Duration> {
        let Some(deadline) = self.deadline else { return Ok(delay) };
        let left = deadline.saturating_sub(self.elapsed());
        if left.is_zero() {
            let (target, status) = (self.target.clone(), progress.status.clone());
            return Err(Error::Deadline { target, waited: deadline, status });
        }
        Ok(delay.min(left))
    }

    fn delay(&self, reply: &Reply) -> Duration {
        reply.retry_after().unwrap_or(self.poll_interval).max(SHORTEST)
    }

    fn progress_of(&self, status: String, percent_complete: Option<f64>) -> Progress {
        Progress { status, percent_complete, elapsed: self.elapsed() }
    }

    /// What the first reply says about how to go on.
    async fn first(&mut self, Begun { reply, finish }: Begun<T>) -> Result<State<T>> {
        let status = provisioning_state(&reply);
        let resource = match &finish {
            Finish::Get(url) => Some(url),
            Finish::Value(_) => None,
        };
        match Ask::first(&reply, resource)? {
            Some(ask) => {
                let progress = self.progress_of(status, None);
                Ok(State::Running { ask, delay: self.delay(&reply), progress, finish })
            }
            None if Outcome::of(&status) == Outcome::Failed => {
                Err(self.failure(Operation::of(&status), &reply).await)
            }
            None => Ok(State::Ended { last: reply, finish }),
        }
    }

    async fn failure(&mut self, operation: Operation, reply: &Reply) -> Error {
        let id = |name: &str| reply.header(name).map(str::to_owned);
        let mut failure = ServiceError {
            target: self.target.clone(),
            request_id: id("x-ms-request-id"),
            correlation_request_id: id("x-ms-correlation-request-id"),
            attempts: 1,
            ..ServiceError::default()
        };
        failure.take(operation.error.unwrap_or_default());
        if failure.code.is_empty() {
            // Cancelled, or failed without a word: the status is all there is.
            failure.code = operation.status;
        }
        if let Some(logs) = self.logs.take() {
            failure.logs = logs.await;
        }
        Error::Service(Box::new(failure))
    }

    async fn finish(&mut self) -> Result<T> {
        if let State::Ended { last, finish: Finish::Get(url) } = &self.state {
            // The reply that ended it may be the resource already.
            let is_resource = last.url == *url && !last.body.is_empty();
            let resource = if is_resource {
                last.json()?
            } else {
                self.pipeline.send(Call::get(url.clone())).await?.json()?
            };
            self.state = State::Over;
            return Ok(resource);
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ended { finish: Finish::Value(value), .. } => Ok(value),
            _ => Err(Error::reply("GET", self.target.clone(), "the operation is over")),
        }
    }
}

/// `Retry-After: 0` is no invitation to ask without a pause.
const SHORTEST: Duration = Duration::from_millis(20);

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Poller<T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<Result<T>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            loop {
                if let Step::Done(value) = self.step().await? {
                    return Ok(value);
                }
            }
        })
    }
}

impl<T> fmt::Debug for Poller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::New(_) => "not begun",
            State::Running { progress, .. } => &progress.status,
            State::Ended { .. } => "ended",
            State::Over => "over",
        };
        f.debug_struct("Poller")
            .field("target", &self.target)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
