//! What the road has made, to be taken away again.

use anyhow::{Result, ensure};
use spinney_azureml::MlClient;

use super::{plan::IDENTITY, target::Target};

/// What was made so far. What was there before is not ours to delete.
#[derive(Default)]
pub(super) struct Made {
    pub(super) identity: bool,
    pub(super) cluster: Option<String>,
    /// The pipeline, which may run.
    pub(super) job: Option<String>,
    /// The endpoint, which the pipeline makes.
    pub(super) endpoint: Option<String>,
}

impl Made {
    /// Takes away what costs money, and says what is left of it.
    pub(super) async fn clean_up(&self, target: &Target) -> Result<String> {
        let client = &target.client;
        let mut said = Vec::new();
        // The rest is tried whatever happens.
        let mut failed = Vec::new();
        let mut note = |what: String, result: spinney_azureml::Result<()>| match result {
            Ok(()) => said.push(format!("deleted {what}")),
            Err(error) => failed.push(format!("{what}: {error}")),
        };
        if let Some(job) = &self.job {
            // A job that has ended cannot be cancelled, and need not be.
            let ended = client.jobs().get(job).await;
            if ended.is_ok_and(|job| !job.properties.status.is_terminal())
                && let Err(error) = client.jobs().cancel(job).await
            {
                note(format!("pipeline {job}"), Err(error));
            }
        }
        if let Some(endpoint) = &self.endpoint {
            let deleted = client.online_endpoints().delete(endpoint).await;
            note(format!("endpoint {endpoint} with its deployment"), deleted);
        }
        if let Some(cluster) = &self.cluster {
            note(format!("cluster {cluster}"), client.computes().delete(cluster).await);
        }
        if self.identity {
            let deleted = client.managed_identities().delete(IDENTITY).await;
            note(format!("identity {IDENTITY}"), deleted);
        }
        ensure!(
            failed.is_empty(),
            "not deleted, look at them in the portal: {}",
            failed.join("; ")
        );
        said.push(self.left(client, target.is_ours_alone()).await?);
        Ok(said.join("\n"))
    }

    async fn left(&self, client: &MlClient, is_ours_alone: bool) -> Result<String> {
        let left = client.billable(&()).await?;
        let of_endpoint = self.endpoint.as_ref().map(|endpoint| format!("{endpoint}/"));
        let is_ours = |name: &str| {
            is_ours_alone
                || self.cluster.as_deref() == Some(name)
                || of_endpoint.as_deref().is_some_and(|endpoint| name.starts_with(endpoint))
        };
        let (ours, others): (Vec<_>, Vec<_>) = left
            .iter()
            .map(|item| (&item.name, item.to_string()))
            .partition(|(name, _)| is_ours(name));
        let lines = |items: Vec<(&String, String)>| {
            items.into_iter().map(|(_, item)| item).collect::<Vec<_>>().join("\n")
        };
        ensure!(ours.is_empty(), "this costs still:\n{}", lines(ours));
        if others.is_empty() {
            return Ok("nothing billable is left".to_owned());
        }
        Ok(format!("nothing billable is left of this; what others have:\n{}", lines(others)))
    }

    /// How to get rid of what stays.
    pub(super) fn said(&self) -> String {
        let mut lines = Vec::new();
        if let Some(endpoint) = &self.endpoint {
            lines.push(format!("az ml online-endpoint delete --name {endpoint} --yes"));
        }
        if let Some(cluster) = &self.cluster {
            lines.push(format!("az ml compute delete --name {cluster} --yes"));
        }
        if self.identity {
            lines.push(format!("az identity delete --name {IDENTITY}"));
        }
        lines.join("\n")
    }
}
