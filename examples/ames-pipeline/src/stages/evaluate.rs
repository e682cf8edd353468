use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use ndarray::ArrayView1;
use spinney_artifact::ModelBundle;
use spinney_forest::metrics::RegressionReport;
use spinney_preprocess::{InputSchema, Table};

use super::{features, model_path, rows};
use crate::{
    html::{Assessment, Page},
    stage::with_commas,
    workshop,
};

/// The page in the folder `--report`.
pub(crate) const PAGE: &str = "report.html";
/// The prices of the test rows beside those predicted, in the folder `--report`.
pub(crate) const PREDICTIONS: &str = "predictions.csv";

#[derive(Args)]
pub(crate) struct EvaluateArgs {
    /// The model: its folder or its file.
    #[arg(long = "model_path")]
    model_path: PathBuf,
    /// Features.
    #[arg(long = "X")]
    x: PathBuf,
    /// Prices.
    #[arg(long = "y")]
    y: PathBuf,
    /// Where the metrics go, as JSON.
    #[arg(long)]
    metrics: PathBuf,
    /// Also writes a page with plots, and the predictions, to this folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

pub(super) fn run(args: &EvaluateArgs) -> Result<()> {
    let bundle = model_path::load(&args.model_path)?;
    let schema = bundle.feature_schema();
    let x = features::read(&args.x, schema)?;
    let y = rows::read_target(&args.y, bundle.input_schema())?;
    features::check_rows((&args.x, x.nrows()), (&args.y, y.len()))?;
    let predicted = bundle.predictor().predict(x.view())?.to_vec();
    let report = RegressionReport::new(ArrayView1::from(&y), ArrayView1::from(&predicted))?;
    let evaluated = Evaluated { actual: y, predicted, metrics: named(&report) };
    rows::write_text(&args.metrics, &(serde_json::to_string_pretty(&evaluated.metrics)? + "\n"))?;
    let mae = with_commas(report.mae.round_ties_even() as u64);
    println!("R² Score: {:.2}\nMean Absolute Error: ${mae}", report.r2);
    if let Some(folder) = &args.report {
        evaluated.write_predictions(&folder.join(PREDICTIONS))?;
        let page = page(&bundle, &evaluated, x.view());
        rows::write_text(&folder.join(PAGE), &page.to_string())?;
    }
    Ok(())
}

/// R² of a single test row is no number, and no metric.
fn named(report: &RegressionReport) -> BTreeMap<String, f64> {
    let metrics = [("r2", report.r2), ("mae", report.mae), ("rmse", report.rmse)];
    let metrics = metrics.into_iter().filter(|(_, value)| value.is_finite());
    metrics.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What an evaluation has found.
pub(crate) struct Evaluated {
    pub(crate) actual: Vec<f64>,
    pub(crate) predicted: Vec<f64>,
    pub(crate) metrics: BTreeMap<String, f64>,
}

impl Evaluated {
    fn write_predictions(&self, path: &Path) -> Result<()> {
        let columns = [&self.actual, &self.predicted]
            .map(|numbers| numbers.iter().map(|number| rows::field(*number)).collect());
        rows::write_columns(path, &["actual", "predicted"], &columns)
    }

    /// Reads what the stage has written, from wherever it was fetched to.
    pub(crate) fn read(metrics: &Path, predictions: &Path) -> Result<Self> {
        let columns = InputSchema::builder().numeric(["actual", "predicted"]).build()?;
        let table = Table::from_csv_path(predictions, &columns)?;
        let numbers = |name| {
            let numbers = table.column(name).and_then(|column| column.as_numeric());
            numbers.unwrap_or_default().to_vec()
        };
        Ok(Self {
            actual: numbers("actual"),
            predicted: numbers("predicted"),
            metrics: read_metrics(metrics)?,
        })
    }
}

pub(super) fn read_metrics(path: &Path) -> Result<BTreeMap<String, f64>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{}: not a JSON object of numbers", path.display()))
}

fn page<'a>(
    bundle: &ModelBundle,
    evaluated: &'a Evaluated,
    x: ndarray::ArrayView2<'_, f64>,
) -> Page<'a> {
    let names = bundle.feature_schema().names();
    let importances = bundle.forest().feature_importances();
    let importances = names.iter().cloned().zip(importances.iter().copied()).collect();
    // Which neighborhood a row is of, the features still tell: the one that is 1.
    let neighborhoods: Vec<(usize, &str)> = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((at, name.strip_prefix(workshop::NEIGHBORHOOD)?)))
        .collect();
    let group = |row: ndarray::ArrayView1<'_, f64>| {
        let found = neighborhoods.iter().find(|(at, _)| row.get(*at) == Some(&1.0));
        found.map_or("not in training", |(_, name)| name).to_owned()
    };
    Page {
        model: bundle.metadata().name().to_owned(),
        fingerprint: bundle.fingerprint().to_string(),
        n_training_rows: bundle.metadata().provenance().data().map(|data| data.rows()),
        parameters: bundle.metadata().provenance().parameters().clone(),
        metrics: &evaluated.metrics,
        assessment: Assessment {
            actual: &evaluated.actual,
            predicted: &evaluated.predicted,
            groups: x.rows().into_iter().map(group).collect(),
        },
        importances,
    }
}
