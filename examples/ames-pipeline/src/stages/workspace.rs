//! The workspace that a stage runs in, as Azure ML tells its jobs.

use std::{env, time::Duration};

use anyhow::{Context, Result};
use spinney_azureml::{MlClient, WorkspaceId};

/// A client with the job's identity.
pub(super) fn client() -> Result<MlClient> {
    let workspace = WorkspaceId::from_environment(|name| env::var(name).ok())?
        .context("this stage runs in a job of Azure ML, which names its workspace in AZUREML_ARM_SUBSCRIPTION, AZUREML_ARM_RESOURCEGROUP and AZUREML_ARM_WORKSPACE_NAME")?;
    // Where Azure says how long to wait, that counts.
    Ok(MlClient::builder(workspace).poll_interval(Duration::from_secs(5)).build()?)
}
