use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::Args;
use spinney_azureml::{
    OnlineDeploymentSpec, OnlineEndpointSpec, ProbeSettings, RequestSettings, Traffic,
};

use super::{rows, workspace};
use crate::workshop;

#[derive(Args)]
pub(crate) struct DeployArgs {
    /// The registered model. Its latest version is deployed.
    #[arg(long = "model_name")]
    model_name: String,
    /// The endpoint, which is made if it is not there.
    #[arg(long = "endpoint_name")]
    endpoint_name: String,
    /// Where a request to try it with goes.
    #[arg(long = "example_payload")]
    example_payload: PathBuf,
    /// The id of the environment that serves the model.
    #[arg(long)]
    environment: String,
    /// The size of the machine.
    #[arg(long = "instance_type", default_value = workshop::SERVING_MACHINE)]
    instance_type: String,
}

pub(super) async fn run(args: &DeployArgs) -> Result<()> {
    let client = workspace::client()?;
    let endpoint = &args.endpoint_name;
    let model = client.models().latest(&args.model_name).await?;
    client
        .online_endpoints()
        .create_or_update(endpoint, &OnlineEndpointSpec::new())
        .on_progress(|progress| println!("endpoint: {}", progress.status))
        .await?;
    let spec = OnlineDeploymentSpec::new(&args.instance_type, 1)
        .model(&model.id)
        .environment(&args.environment)
        .liveness_probe(probe(3))
        .readiness_probe(probe(30))
        .request_settings(RequestSettings {
            // The runtime has a queue of its own, and a row takes microseconds.
            max_concurrent_requests_per_instance: 100,
            ..RequestSettings::default()
        });
    client
        .online_deployments(endpoint)
        .create_or_update(workshop::DEPLOYMENT, &spec)
        .on_progress(|progress| println!("deployment: {}", progress.status))
        .await?;
    client.online_endpoints().set_traffic(endpoint, &Traffic::to(workshop::DEPLOYMENT)?).await?;
    rows::write_text(&args.example_payload, workshop::REQUEST)?;
    println!("{endpoint} serves {}:{}", args.model_name, model.name);
    Ok(())
}

/// The runtime listens after milliseconds: the usual ten seconds would be nine of waiting.
fn probe(failure_threshold: u32) -> ProbeSettings {
    let second = Duration::from_secs(1);
    ProbeSettings {
        initial_delay: second,
        period: second,
        failure_threshold,
        ..ProbeSettings::default()
    }
}
