use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt, mem,
    time::Duration,
};

use url::Url;

use super::{
    JobStatus,
    log_file::{LogFile, streamed},
    run_history::{self, RunDetails},
    wait::Delays,
};
use crate::{
    Error, MlClient, Result, ServiceError,
    http::{Call, Scope, check_encrypted},
};

/// A job's output while it runs: [`Jobs::logs`](crate::Jobs::logs).
///
/// [`next`](Self::next) gives new lines as they come, and `None` when the job has ended and all is said; then
/// [`status`](Self::status) and [`error`](Self::error) tell how. The logs are those that the SDK shows: what the command printed,
/// or for a pipeline which steps were begun.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
/// let mut logs = client.jobs().logs("brave_willow_7k2m9qx4tz");
/// while let Some(new) = logs.next().await? {
///     for line in new.lines {
///         println!("{}: {line}", new.log);
///     }
/// }
/// if let Some(error) = logs.error() {
///     println!("{error}");
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is asked for before `next`"]
pub struct JobLogs {
    client: MlClient,
    name: String,
    delays: Delays,
    files: BTreeMap<String, LogFile>,
    ready: VecDeque<LogLines>,
    details: Option<RunDetails>,
    has_ended: bool,
    /// Logs whose addresses were refused when they were last read: new ones are to be asked for.
    refused: BTreeSet<String>,
}

/// New lines of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLines {
    /// The log: `user_logs/std_log.txt`.
    pub log: String,
    /// Its new lines, at least one, without line ends. What is not UTF-8 in them is replaced.
    pub lines: Vec<String>,
}

impl JobLogs {
    pub(super) fn new(client: &MlClient, name: &str) -> Self {
        Self {
            client: client.clone(),
            name: name.to_owned(),
            delays: Delays::default(),
            files: BTreeMap::new(),
            ready: VecDeque::new(),
            details: None,
            has_ended: false,
            refused: BTreeSet::new(),
        }
    }

    /// How long to wait between two looks, at first and at most: 2 s and 60 s, unless said otherwise. New lines make the wait
    /// short again.
    pub fn delays(self, first: Duration, longest: Duration) -> Self {
        Self { delays: Delays::new(first, longest), ..self }
    }

    /// New lines of one of the logs; `None` when the job has ended and there are no more.
    ///
    /// # Errors
    ///
    /// What a request may fail with, above all if the job does not exist, or if the storage account does not let this machine
    /// in. Asking again goes on where it was. That the job failed is no error of this.
    pub async fn next(&mut self) -> Result<Option<LogLines>> {
        loop {
            if let Some(lines) = self.ready.pop_front() {
                return Ok(Some(lines));
            }
            if self.has_ended {
                return Ok(None);
            }
            self.look().await?;
        }
    }

    /// How the job got on when it was last looked at; `None` before the first time.
    #[must_use]
    pub fn status(&self) -> Option<&JobStatus> {
        self.details.as_ref().map(|details| &details.status)
    }

    /// Why the job did not end well; `None` if it did, or has not ended.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.failure().map(run_history::failed)
    }

    fn failure(&self) -> Option<ServiceError> {
        self.details.as_ref().and_then(|details| details.failure(&self.name))
    }

    /// What Azure ML warns of.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.details.as_ref().map(RunDetails::warnings).unwrap_or_default()
    }

    /// Looks at the job and its logs once, and waits before the next time.
    async fn look(&mut self) -> Result<()> {
        // At once if an address has to be renewed.
        if self.details.is_some() && self.refused.is_empty() {
            tokio::time::sleep(self.delays.next()).await;
        }
        let details = run_history::details(&self.client, &self.name).await?;
        // What comes after the end is not lost: logs are read after the status.
        let is_over = details.status.is_terminal();
        let read = self.read_all(&details.log_files).await;
        self.details = Some(details);
        read?;
        if !self.ready.is_empty() {
            self.delays.reset();
        }
        if is_over && self.refused.is_empty() {
            self.has_ended = true;
            for (log, file) in &mut self.files {
                push(&mut self.ready, log, file.rest());
            }
        }
        Ok(())
    }

    async fn read_all(&mut self, addresses: &BTreeMap<String, String>) -> Result<()> {
        let refused_before = mem::take(&mut self.refused);
        for log in streamed(addresses.keys().map(String::as_str)) {
            let Some(address) = addresses.get(log) else { continue };
            match self.read(log, address).await {
                // The signature may have expired. That of a new address has not.
                Err(error) if matches!(error.status(), Some(401 | 403)) => {
                    if refused_before.contains(log) {
                        return Err(error);
                    }
                    self.refused.insert(log.to_owned());
                }
                read => read?,
            }
        }
        Ok(())
    }

    async fn read(&mut self, log: &str, address: &str) -> Result<()> {
        // An address is never shown: it has a signature.
        let invalid = || {
            let what = format!("the address of the log {log} is none");
            Error::reply("GET", format!("job {}", self.name), what)
        };
        let url = Url::parse(address).map_err(|_| invalid())?;
        check_encrypted(&url)?;
        let file = self.files.entry(log.to_owned()).or_default();
        let mut call = Call::get(url).scope(Scope::Anonymous);
        if let Some(etag) = &file.etag {
            call = call.header("if-none-match", etag);
        }
        let reply = match self.client.send(call).await {
            Ok(reply) => reply,
            // Unchanged, or not there yet.
            Err(error) if matches!(error.status(), Some(304 | 404)) => return Ok(()),
            Err(error) => return Err(error),
        };
        file.etag = reply.header("etag").map(str::to_owned);
        push(&mut self.ready, log, file.read(reply.body));
        Ok(())
    }
}

fn push(ready: &mut VecDeque<LogLines>, log: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        ready.push_back(LogLines { log: log.to_owned(), lines });
    }
}

impl fmt::Debug for JobLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobLogs")
            .field("name", &self.name)
            .field("status", &self.status())
            .field("logs", &self.files.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
