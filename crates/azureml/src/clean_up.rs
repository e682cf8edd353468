use std::fmt;

use serde_json::Value;

use crate::{Billable, Error, MlClient, Pages, Resource, Result};

/// What [`MlClient::clean_up`] deletes beside endpoints and computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CleanUp {
    /// Nothing: models, data, environments and jobs stay.
    #[default]
    EndpointsAndComputes,
    /// The resource group with everything in it, the workspace and its storage too. There is no way back.
    ResourceGroup,
}

/// What was deleted, and what is left.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CleanUpReport {
    /// What was deleted.
    pub deleted: Vec<String>,
    /// What could not be, and why.
    pub failed: Vec<(String, Error)>,
    /// What costs money still. Empty is the aim.
    pub left: Vec<Billable>,
}

impl CleanUpReport {
    /// Whether nothing is left that costs money by the hour.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.left.is_empty()
    }
}

impl fmt::Display for CleanUpReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for what in &self.deleted {
            writeln!(f, "deleted {what}")?;
        }
        for (what, error) in &self.failed {
            writeln!(f, "not deleted: {what}: {error}")?;
        }
        for item in &self.left {
            writeln!(f, "still costs: {item}")?;
        }
        match self.is_clean() {
            true => write!(f, "nothing is left that costs money by the hour"),
            false => write!(f, "look at these in the portal, or try again"),
        }
    }
}

impl MlClient {
    /// Deletes what costs money: online and batch endpoints with their deployments, compute instances and clusters; on demand the resource group. It
    /// goes on when something fails, and looks in the end what is left.
    ///
    /// # Errors
    ///
    /// What a request may fail with when it lists what there is. What cannot be deleted is in the report.
    pub async fn clean_up(&self, scope: CleanUp) -> Result<CleanUpReport> {
        let mut report = CleanUpReport::default();
        if scope == CleanUp::ResourceGroup {
            let group = format!("resource group {}", self.workspace_id().resource_group());
            report.note(group, self.resource_group().delete().await);
            return match self.resource_group().get().await {
                Err(error) if error.is_not_found() => Ok(report),
                Err(error) => Err(error),
                Ok(_) => {
                    report.left = self.billable(&()).await?;
                    Ok(report)
                }
            };
        }
        for endpoint in self.online_endpoints().list().collect().await? {
            let deleted = self.online_endpoints().delete(&endpoint.name).await;
            report.note(format!("online endpoint {}", endpoint.name), deleted);
        }
        let batch: Pages<Resource<Value>> = self.pages(self.url(&["batchEndpoints"]));
        for endpoint in batch.collect().await? {
            let deleted = self.delete_long(self.url(&["batchEndpoints", &endpoint.name])).await;
            report.note(format!("batch endpoint {}", endpoint.name), deleted);
        }
        for compute in self.computes().list().collect().await? {
            // An attached compute belongs to someone else.
            if matches!(compute.properties.compute_type.as_str(), "ComputeInstance" | "AmlCompute")
            {
                let deleted = self.computes().delete(&compute.name).await;
                report.note(format!("compute {}", compute.name), deleted);
            }
        }
        report.left = self.billable(&()).await?;
        Ok(report)
    }
}

impl CleanUpReport {
    fn note(&mut self, what: String, result: Result<()>) {
        match result {
            Ok(()) => self.deleted.push(what),
            Err(error) => self.failed.push((what, error)),
        }
    }
}
