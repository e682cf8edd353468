use std::{collections::BTreeMap, path::Path};

use crate::{
    Downloaded, Error, MlClient, NameRule, Pages, Poller, Result, TransferOptions,
    http::{Call, Scope},
    poller::{Begun, Finish},
};

mod command_job;
mod input_output;
mod job;
mod job_name;
mod log_file;
mod logs;
mod pipeline;
mod run_history;
mod wait;

pub use command_job::CommandJob;
pub(crate) use command_job::compute_id;
pub(crate) use input_output::Address;
pub use input_output::{JobInput, JobOutput};
pub use job::{Job, JobListView, JobProperties, JobStatus};
pub use logs::{JobLogs, LogLines};
pub use pipeline::{
    Binding, PipelineBuilder, PipelineInput, PipelineJob, PipelineStep, StepOutput,
};
pub use run_history::Run;
pub use wait::JobWait;

/// A job to be submitted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum JobSpec {
    /// A command.
    Command(Box<CommandJob>),
    /// A pipeline.
    Pipeline(Box<PipelineJob>),
}

impl From<CommandJob> for JobSpec {
    fn from(job: CommandJob) -> Self {
        Self::Command(Box::new(job))
    }
}

impl From<PipelineJob> for JobSpec {
    fn from(job: PipelineJob) -> Self {
        Self::Pipeline(Box::new(job))
    }
}

impl From<&CommandJob> for JobSpec {
    fn from(job: &CommandJob) -> Self {
        Self::from(job.clone())
    }
}

impl From<&PipelineJob> for JobSpec {
    fn from(job: &PipelineJob) -> Self {
        Self::from(job.clone())
    }
}

/// The jobs of the workspace: [`MlClient::jobs`].
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a> {
    client: &'a MlClient,
}

impl MlClient {
    /// Jobs: commands and pipelines.
    #[must_use]
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs { client: self }
    }
}

impl Jobs<'_> {
    /// Submits a job, and does not wait for it. A job has its name before: submitted again, as after a connection that broke, it
    /// is the same job.
    ///
    /// # Errors
    ///
    /// What is wrong with the job, before anything is sent ([`CommandJob::check`]); what a request may fail with.
    pub async fn submit(self, job: impl Into<JobSpec>) -> Result<Job> {
        let workspace = self.client.workspace_id();
        let (name, body) = match job.into() {
            JobSpec::Command(job) => {
                job.check()?;
                (job.job_name().to_owned(), job.body(workspace))
            }
            JobSpec::Pipeline(job) => (job.job_name().to_owned(), job.body(workspace)),
        };
        let call = Call::put(self.client.url(&["jobs", &name]), &body);
        self.client.send(call.with_machine_learning_token()).await?.json()
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with; [`Error::is_not_found`] if there is none of this name.
    pub async fn get(self, name: &str) -> Result<Job> {
        NameRule::Job.check(name)?;
        self.client.get(self.client.url(&["jobs", name])).await
    }

    /// Many of them, the newest first.
    pub fn list(self, view: JobListView) -> Pages<Job> {
        let mut url = self.client.url(&["jobs"]);
        url.query_pairs_mut().append_pair("listViewType", view.as_str());
        self.client.pages(url)
    }

    /// Cancels a job, and has Azure confirm that it has taken that in. To cancel it again changes nothing.
    pub fn cancel(self, name: &str) -> Poller<()> {
        let checked = NameRule::Job.check(name);
        let url = self.client.url(&["jobs", name, "cancel"]);
        let client = self.client.clone();
        self.client.poller(&url.clone(), async move {
            checked?;
            let reply = client.send(Call::post(url).repeatable()).await?;
            Ok(Begun { reply, finish: Finish::Value(()) })
        })
    }

    /// Waits until a job has ended. Awaited, it is the job, or [`Error::Service`] with the reason if the job did not end well: run
    /// history's code and message, or else the job's status as the code.
    pub fn wait(self, name: &str) -> JobWait {
        JobWait::new(self.client, name)
    }

    /// The output of a job, as it comes.
    pub fn logs(self, name: &str) -> JobLogs {
        JobLogs::new(self.client, name)
    }

    /// The jobs that a job began: a pipeline's steps.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with.
    pub async fn children(self, name: &str) -> Result<Pages<Run>> {
        let url = run_history::run_url(self.client, name, "children").await?;
        Ok(self.client.pages(url).with_scope(Scope::MachineLearning))
    }

    /// Where a job's outputs are, by their names: addresses `azureml://..`. `default` are its logs and what it wrote to
    /// `outputs/`. An output that nothing was written to is not among them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`]; what a request may fail with; [`Error::is_not_found`] if there is no such job.
    pub async fn outputs(self, name: &str) -> Result<BTreeMap<String, String>> {
        let job = self.get(name).await?;
        let mut uris = BTreeMap::new();
        let mut is_complete = true;
        for (output, value) in &job.properties.outputs {
            match value.get("uri").and_then(serde_json::Value::as_str) {
                Some(uri) => {
                    uris.insert(output.clone(), uri.to_owned());
                }
                None => is_complete = false,
            }
        }
        if !is_complete {
            // Addresses that Azure ML chose are noted elsewhere.
            for (output, uri) in run_history::output_uris(self.client, name).await? {
                uris.entry(output).or_insert(uri);
            }
        }
        Ok(uris)
    }

    /// Downloads what a job wrote, each output into a folder of its name.
    ///
    /// # Errors
    ///
    /// As for [`outputs`](Self::outputs) and [`Datastores::download_uri`](crate::Datastores::download_uri); [`Error::InvalidArgument`]
    /// for an output whose name is none of a folder.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: spinney_azureml::MlClient) -> spinney_azureml::Result<()> {
    /// use spinney_azureml::TransferOptions;
    ///
    /// client.jobs().wait("brave_willow_7k2m9qx4tz").await?;
    /// let options = TransferOptions::default();
    /// let written = client.jobs().download("brave_willow_7k2m9qx4tz", "outputs", &options).await?;
    /// for (output, files) in written {
    ///     println!("{output}: {} files", files.files.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn download(
        self,
        name: &str,
        folder: impl AsRef<Path> + Send,
        options: &TransferOptions,
    ) -> Result<BTreeMap<String, Downloaded>> {
        let outputs = self.outputs(name).await?;
        // All names before the first byte.
        if let Some(output) = outputs.keys().find(|output| !is_folder_name(output)) {
            let (what, rule) = ("the name of an output", "a name of a folder");
            return Err(Error::InvalidArgument { what, value: output.clone(), rule });
        }
        let mut written = BTreeMap::new();
        for (output, uri) in outputs {
            let folder = folder.as_ref().join(&output);
            let downloaded = self.client.datastores().download_uri(&uri, folder, options).await?;
            written.insert(output, downloaded);
        }
        Ok(written)
    }
}

/// Whether a name leads to a folder right below another, on any system.
fn is_folder_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', ':', '\0'])
}
