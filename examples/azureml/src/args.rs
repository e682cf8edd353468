use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use spinney_azureml::{Cloud, MlClient, WorkspaceId};

/// Registers, deploys, scores and cleans up in an Azure Machine Learning workspace.
///
/// The workspace is named by the three options, by the variables that Azure ML sets in jobs, or by config.json here or above. Whoever is logged in with `az login`
/// asks, or what the environment names otherwise.
#[derive(Parser, Debug)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    workspace: Workspace,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug)]
struct Workspace {
    /// The subscription's id.
    #[arg(long, global = true, env = "AZUREML_ARM_SUBSCRIPTION")]
    subscription: Option<String>,
    /// The resource group.
    #[arg(long, global = true, env = "AZUREML_ARM_RESOURCEGROUP")]
    resource_group: Option<String>,
    /// The workspace.
    #[arg(long, global = true, env = "AZUREML_ARM_WORKSPACE_NAME")]
    workspace: Option<String>,
    /// Another server than Azure, on this machine: http://127.0.0.1:8080.
    #[arg(long, global = true, env = "SPINNEY_RESOURCE_MANAGER", value_name = "URL")]
    resource_manager: Option<String>,
    /// Where such a server keeps files, with {account} for the storage account: http://127.0.0.1:10000/{account}.
    #[arg(
        long,
        global = true,
        env = "SPINNEY_BLOB_ENDPOINT",
        value_name = "URL",
        requires = "resource_manager"
    )]
    blob_endpoint: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Lists what is in the workspace and what it costs.
    Status,
    /// Uploads a file or folder and registers it as a model.
    Register(Register),
    /// Deploys a registered model in a container behind an endpoint, and gives it the traffic.
    Deploy(Deploy),
    /// Sends a file of JSON rows to an endpoint and prints the answer.
    Score(Score),
    /// Deletes endpoints and computes, and looks whether anything is left that costs money.
    CleanUp(CleanUp),
}

#[derive(Args, Debug)]
pub(crate) struct Register {
    /// The model's name.
    pub(crate) name: String,
    /// The file or folder.
    pub(crate) path: PathBuf,
    /// The version [default: the next].
    #[arg(long = "model-version")]
    pub(crate) version: Option<String>,
    /// What it is.
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// Tags, as r2=0.91.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<(String, String)>,
}

#[derive(Args, Debug)]
pub(crate) struct Deploy {
    /// The endpoint, which is made if it is not there.
    pub(crate) endpoint: String,
    /// The model: its name, for the latest version, or name:version.
    #[arg(long)]
    pub(crate) model: String,
    /// The image of the container that serves it.
    #[arg(long)]
    pub(crate) image: String,
    /// The port that the container listens on.
    #[arg(long, default_value_t = 5001)]
    pub(crate) port: u16,
    /// Where the container says that it lives. The default is this project's runtime's own.
    #[arg(long, default_value = "/v2/health/live", value_name = "PATH")]
    pub(crate) liveness_path: String,
    /// Where the container says that it takes requests.
    #[arg(long, default_value = "/v2/health/ready", value_name = "PATH")]
    pub(crate) readiness_path: String,
    /// Where the container scores.
    #[arg(long, default_value = "/score", value_name = "PATH")]
    pub(crate) scoring_path: String,
    /// The deployment's name.
    #[arg(long, default_value = "blue")]
    pub(crate) deployment: String,
    /// The size of its machines.
    #[arg(long, default_value = "Standard_D2as_v4")]
    pub(crate) instance_type: String,
    /// How many machines.
    #[arg(long, default_value_t = 1)]
    pub(crate) instances: u32,
    /// Variables of the container's environment, as NAME=VALUE.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) environment_variables: Vec<(String, String)>,
    /// Leave the traffic as it is.
    #[arg(long)]
    pub(crate) no_traffic: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Score {
    /// The endpoint.
    pub(crate) endpoint: String,
    /// The file, or - for standard input.
    pub(crate) rows: PathBuf,
    /// Ask this deployment, whatever the traffic.
    #[arg(long)]
    pub(crate) deployment: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CleanUp {
    /// Delete the resource group with everything in it: models, data, the workspace itself.
    #[arg(long)]
    pub(crate) delete_resource_group: bool,
    /// Do it. Without this, what would go is listed.
    #[arg(long)]
    pub(crate) yes: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))
}

impl Arguments {
    pub(crate) fn client(&self) -> anyhow::Result<MlClient> {
        let Workspace { subscription, resource_group, workspace, resource_manager, blob_endpoint } =
            &self.workspace;
        let id = match (subscription, resource_group, workspace) {
            (Some(subscription), Some(group), Some(name)) => WorkspaceId::new(subscription, group, name)?,
            (None, None, None) => WorkspaceId::from_config(".")
                .context("name the workspace: --subscription, --resource-group and --workspace, or config.json")?,
            _ => anyhow::bail!("--subscription, --resource-group and --workspace name a workspace together"),
        };
        let mut builder = MlClient::builder(id);
        if let Some(url) = resource_manager {
            let mut cloud = Cloud::at(url)?;
            cloud.blob_endpoint.clone_from(blob_endpoint);
            builder = builder.cloud(cloud);
        }
        Ok(builder.build()?)
    }
}
