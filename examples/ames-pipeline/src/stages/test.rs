use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;

use super::workspace;

#[derive(Args)]
pub(crate) struct TestArgs {
    /// The endpoint.
    #[arg(long = "endpoint_name")]
    endpoint_name: String,
    /// The request: a JSON list of rows.
    #[arg(long = "example_payload")]
    example_payload: PathBuf,
}

#[derive(Deserialize)]
struct Answer {
    predictions: Vec<f64>,
}

pub(super) async fn run(args: &TestArgs) -> Result<()> {
    let path = args.example_payload.display();
    let request =
        fs::read(&args.example_payload).with_context(|| format!("could not read {path}"))?;
    let n_rows = n_rows(&request).with_context(|| format!("{path}: not a JSON list of rows"))?;
    let client = workspace::client()?;
    let scored = client.online_endpoints().client(&args.endpoint_name).score_json(request).await?;
    println!("{}", scored.text());
    let answer: Answer = scored.json()?;
    let n = answer.predictions.len();
    ensure!(n == n_rows, "the endpoint made {n} predictions of {n_rows} rows");
    let are_prices = answer.predictions.iter().all(|price| price.is_finite() && *price > 0.0);
    ensure!(are_prices, "not every prediction is a price");
    println!("{n_rows} rows, {n_rows} prices");
    Ok(())
}

/// The workshop's request has `NaN` in it, as Python writes it, which is not JSON.
fn n_rows(request: &[u8]) -> Result<usize> {
    let text = std::str::from_utf8(request)?.replace("NaN", "null");
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text)?;
    ensure!(!rows.is_empty(), "it is empty");
    Ok(rows.len())
}
