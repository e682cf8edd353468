use std::{collections::BTreeMap, convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Resource, resource::null_is_default};

/// A job: a command, a pipeline, or another kind.
pub type Job = Resource<JobProperties>;

/// What is particular to a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct JobProperties {
    /// `Command`, `Pipeline`, `Sweep`, ...
    pub job_type: String,
    /// How it gets on.
    pub status: JobStatus,
    /// How it is called where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// With which others it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags.
    #[serde(deserialize_with = "null_is_default")]
    pub tags: BTreeMap<String, String>,
    /// What Azure ML notes about it: `azureml.pipelinerunid`, `azureml.isreused`, ...
    #[serde(deserialize_with = "null_is_default")]
    pub properties: Map<String, Value>,
    /// Inputs by name: `jobInputType`, `uri` or `value`.
    #[serde(deserialize_with = "null_is_default")]
    pub inputs: Map<String, Value>,
    /// Outputs by name: `jobOutputType`, and `uri` where it is fixed. [`Jobs::outputs`](crate::Jobs::outputs) finds the others'.
    #[serde(deserialize_with = "null_is_default")]
    pub outputs: Map<String, Value>,
    /// Where it can be looked at.
    #[serde(deserialize_with = "null_is_default")]
    pub services: Map<String, Value>,
    /// Everything else: `jobs` of a pipeline, `command`, ...
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl JobProperties {
    /// The address of its page in Azure ML's studio.
    #[must_use]
    pub fn studio_url(&self) -> Option<&str> {
        self.services.get("Studio")?.get("endpoint")?.as_str()
    }
}

/// How a job gets on.
///
/// # Examples
///
/// ```
/// use spinney_azureml::JobStatus;
///
/// let status: JobStatus = "Finalizing".parse().unwrap();
/// assert!(status == JobStatus::Finalizing && !status.is_terminal());
/// assert!(JobStatus::Failed.is_terminal());
/// assert_eq!(JobStatus::from("Pondering").to_string(), "Pondering");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum JobStatus {
    /// It has not been handed over yet.
    NotStarted,
    /// Azure ML has it.
    Starting,
    /// Machines are being made.
    Provisioning,
    /// Its environment is being made.
    Preparing,
    /// It waits for a machine.
    Queued,
    /// It runs.
    Running,
    /// It has run, and its outputs are being put away.
    Finalizing,
    /// It is to be cancelled.
    CancelRequested,
    /// It has ended well.
    Completed,
    /// It has failed.
    Failed,
    /// It was cancelled.
    Canceled,
    /// Its machine gives no sign.
    NotResponding,
    /// It was halted.
    Paused,
    /// Azure does not say.
    #[default]
    Unknown,
    /// A word that this crate does not know.
    Other(String),
}

const WORDS: [(JobStatus, &str); 14] = [
    (JobStatus::NotStarted, "NotStarted"),
    (JobStatus::Starting, "Starting"),
    (JobStatus::Provisioning, "Provisioning"),
    (JobStatus::Preparing, "Preparing"),
    (JobStatus::Queued, "Queued"),
    (JobStatus::Running, "Running"),
    (JobStatus::Finalizing, "Finalizing"),
    (JobStatus::CancelRequested, "CancelRequested"),
    (JobStatus::Completed, "Completed"),
    (JobStatus::Failed, "Failed"),
    (JobStatus::Canceled, "Canceled"),
    (JobStatus::NotResponding, "NotResponding"),
    (JobStatus::Paused, "Paused"),
    (JobStatus::Unknown, "Unknown"),
];

impl JobStatus {
    /// Whether it has come to a stand: completed, failed, cancelled, or, as the SDK has it, not responding or paused.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Canceled | Self::NotResponding | Self::Paused
        )
    }

    /// Azure ML's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => WORDS.iter().find(|(status, _)| status == known).map_or("", |(_, word)| word),
        }
    }
}

impl From<&str> for JobStatus {
    fn from(word: &str) -> Self {
        let known = WORDS.iter().find(|(_, own)| own.eq_ignore_ascii_case(word));
        known.map_or_else(|| Self::Other(word.to_owned()), |(status, _)| status.clone())
    }
}

impl From<String> for JobStatus {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<JobStatus> for String {
    fn from(status: JobStatus) -> Self {
        status.as_str().to_owned()
    }
}

impl FromStr for JobStatus {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Self::from(word))
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which jobs are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum JobListView {
    /// Those that are not archived.
    #[default]
    ActiveOnly,
    /// Those that are.
    ArchivedOnly,
    /// All.
    All,
}

impl JobListView {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ActiveOnly => "ActiveOnly",
            Self::ArchivedOnly => "ArchivedOnly",
            Self::All => "All",
        }
    }
}
