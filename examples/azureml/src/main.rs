//! `azureml`: an Azure Machine Learning workspace from a terminal.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod args;
mod deploy;

use std::{fs, io::Read, path::Path};

use anyhow::Context;
use clap::Parser;
use spinney_azureml::{CleanUp, MlClient, Preflight};
use tracing_subscriber::EnvFilter;

use args::{Arguments, Command};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let client = arguments.client()?;
    match &arguments.command {
        Command::Status => status(&client).await,
        Command::Register(register) => deploy::register(&client, register).await,
        Command::Deploy(deploy) => deploy::deploy(&client, deploy).await,
        Command::Score(score) => self::score(&client, score).await,
        Command::CleanUp(clean_up) => self::clean_up(&client, clean_up).await,
    }
}

async fn status(client: &MlClient) -> anyhow::Result<()> {
    println!(
        "workspace {} in {}",
        client.workspace_id().workspace_name(),
        client.location().await?
    );
    for endpoint in client.online_endpoints().list().collect().await? {
        let properties = &endpoint.properties;
        let state = properties.provisioning_state.as_deref().unwrap_or("unknown");
        println!(
            "endpoint {}: {state}, {}",
            endpoint.name,
            properties.scoring_uri.as_deref().unwrap_or("no address")
        );
        for (deployment, share) in &properties.traffic {
            println!("  {deployment}: {share} % of the traffic");
        }
    }
    for compute in client.computes().list().collect().await? {
        let properties = &compute.properties;
        let state =
            properties.state().or(properties.provisioning_state.as_deref()).unwrap_or("unknown");
        println!("compute {}: {}, {state}", compute.name, properties.compute_type);
    }
    let prices = client.list_prices().await?;
    let billable = client.billable(&prices).await?;
    println!(
        "{}",
        if billable.is_empty() { "nothing costs money by the hour" } else { "costs money now:" }
    );
    billable.iter().for_each(|item| println!("  {item}"));
    for finding in client.preflight(&Preflight::new().online_endpoint().computes()).await? {
        println!("missing: {finding}");
    }
    Ok(())
}

async fn score(client: &MlClient, args: &args::Score) -> anyhow::Result<()> {
    let rows = read(&args.rows)?;
    let mut endpoint = client.online_endpoints().client(&args.endpoint);
    if let Some(deployment) = &args.deployment {
        endpoint = endpoint.deployment(deployment);
    }
    println!("{}", endpoint.score_json(rows).await?.text());
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut rows = Vec::new();
        std::io::stdin().read_to_end(&mut rows).context("cannot read standard input")?;
        return Ok(rows);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

async fn clean_up(client: &MlClient, args: &args::CleanUp) -> anyhow::Result<()> {
    if !args.yes {
        if args.delete_resource_group {
            println!(
                "would delete the resource group {} with:",
                client.workspace_id().resource_group()
            );
            for resource in client.resource_group().resources().collect().await? {
                println!("  {} ({})", resource.name, resource.resource_type);
            }
        } else {
            for endpoint in client.online_endpoints().list().collect().await? {
                println!("would delete the endpoint {}", endpoint.name);
            }
            for compute in client.computes().list().collect().await? {
                println!("would delete the compute {}", compute.name);
            }
        }
        println!("--yes does it");
        return Ok(());
    }
    let scope = if args.delete_resource_group {
        CleanUp::ResourceGroup
    } else {
        CleanUp::EndpointsAndComputes
    };
    let report = client.clean_up(scope).await?;
    println!("{report}");
    anyhow::ensure!(report.is_clean(), "something is left");
    Ok(())
}
