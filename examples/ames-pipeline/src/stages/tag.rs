use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::{evaluate::read_metrics, workspace};

#[derive(Args)]
pub(crate) struct TagArgs {
    /// The registered model. The tags go to its latest version.
    #[arg(long = "model_name")]
    model_name: String,
    /// The metrics, as JSON.
    #[arg(long)]
    metrics: PathBuf,
}

pub(super) async fn run(args: &TagArgs) -> Result<()> {
    let metrics = read_metrics(&args.metrics)?;
    ensure!(!metrics.is_empty(), "{}: there are no metrics", args.metrics.display());
    let client = workspace::client()?;
    let version = client.models().latest(&args.model_name).await?.name;
    let tags = metrics.iter().map(|(name, value)| (name.clone(), value.to_string()));
    let model = client.models().tag(&args.model_name, &version, tags).await?;
    println!("{}:{version}", args.model_name);
    model.properties.tags.iter().for_each(|(name, value)| println!("{name} = {value}"));
    Ok(())
}
