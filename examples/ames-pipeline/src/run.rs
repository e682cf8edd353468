use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use ndarray::ArrayView1;
use serde_json::Value;
use spinney_artifact::{BundleMetadata, Fingerprint, ModelBundle};
use spinney_forest::{RandomForest, metrics::RegressionReport};
use spinney_preprocess::{FittedPreprocessor, Table, TestSize, TrainingRanges};

use crate::{
    endpoint::Endpoint,
    fit::FitArgs,
    report::{BundleFile, Metrics, Report},
    stage::{Stages, with_commas},
    workshop,
};

#[derive(Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct RunArgs {
    /// CSV with the Ames columns.
    #[arg(long, default_value = workshop::AMES, hide_default_value = true)]
    data: PathBuf,
    /// Rows to hold out: a fraction, or a count.
    #[arg(long, default_value = "0.2", value_parser = workshop::test_size)]
    test_size: TestSize,
    /// Seed of the split.
    #[arg(long, default_value_t = 123)]
    random_state: u32,
    #[command(flatten)]
    fit: FitArgs,
    /// Where the bundle goes [default: target/ames-pipeline/ames.bundle].
    #[arg(long, default_value = workshop::BUNDLE, hide_default_value = true)]
    bundle: PathBuf,
    /// Also writes what was found, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

const N_STAGES: usize = 7;

/// Goes from the data to an answer in one process and says so on the way.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let mut stages = Stages::new(N_STAGES);
    let schema = workshop::schema()?;
    let plan = workshop::plan(&schema)?;

    let table = stages.run("data", || {
        let path = fs::canonicalize(&args.data).unwrap_or_else(|_| args.data.clone());
        let (table, n_dropped) = Table::from_csv_path(&path, &schema)?.drop_missing_target()?;
        let mut said = format!("{}: {} rows", path.display(), with_commas(table.n_rows() as u64));
        if n_dropped > 0 {
            said += &format!(", {n_dropped} more without a price");
        }
        Ok((table, said))
    })?;

    let (train, test) = stages.run("split", || {
        let (train, test) = table.train_test_split(args.test_size, args.random_state)?;
        let said = format!("{} train rows, {} test rows", train.n_rows(), test.n_rows());
        Ok(((train, test), said))
    })?;

    let (transformer, x_train) = stages.run("transform", || {
        let (transformer, x) = plan.fit_transform(&train)?;
        let said = workshop::said_of(&transformer);
        Ok(((transformer, x), said))
    })?;

    let forest = stages.run("fit", || {
        let forest = args.fit.fit(x_train.view(), train.target()?.into())?;
        let n_nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
        let (n_trees, n_nodes) = (forest.trees().len(), with_commas(n_nodes as u64));
        let r2 = forest.out_of_bag().map_or(f64::NAN, |out_of_bag| out_of_bag.r2());
        Ok((forest, format!("{n_trees} trees, {n_nodes} nodes, out-of-bag R² {r2:.4}")))
    })?;
    let oob_r2 = forest.out_of_bag().map_or(f64::NAN, |out_of_bag| out_of_bag.r2());

    let (predictions, metrics) = stages.run("evaluate", || {
        let predictions = forest.try_predict(transformer.transform(&test)?.view())?;
        let truth = ArrayView1::from(test.target()?);
        let metrics = RegressionReport::new(truth, predictions.view())?;
        let said = format!(
            "R² Score: {:.2}\nMean Absolute Error: ${}",
            metrics.r2,
            with_commas(metrics.mae.round_ties_even() as u64)
        );
        Ok(((predictions, metrics), said))
    })?;

    let (bundle, file) = stages.run("bundle", || {
        let metadata = metadata(args, &train, &test, &metrics)?
            .feature_schema(transformer.feature_schema().hash());
        let (bundle, file) = save(args, transformer, forest, metadata)?;
        ensure!(bundle.predict(&test)? == predictions, "the reloaded bundle predicts otherwise");
        let megabytes = file.bytes as f64 / 1e6;
        let said = format!("{}: {megabytes:.1} MB\nfingerprint {}", file.path, file.fingerprint);
        Ok(((bundle, file), said))
    })?;

    let answer = stages.run("endpoint", || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(ask(bundle.clone()))
    })?;

    if let Some(path) = &args.report {
        let report = Report {
            rows_train: train.n_rows(),
            rows_test: test.n_rows(),
            transform_params: bundle.transformer().params(),
            feature_names: bundle.feature_schema().names(),
            metrics: Metrics { r2: metrics.r2, mae: metrics.mae, rmse: metrics.rmse },
            oob_r2,
            predictions_test: predictions.to_vec(),
            timings_ms: stages.milliseconds(),
            bundle: file,
            endpoint_answer: answer,
        };
        report.write(path)?;
    }
    Ok(())
}

fn metadata(
    args: &RunArgs,
    train: &Table,
    test: &Table,
    metrics: &RegressionReport,
) -> Result<BundleMetadata> {
    let data = Fingerprint::of(&fs::read(&args.data)?);
    let metadata = BundleMetadata::new(workshop::MODEL_NAME, "1")
        .training_data(data, train.n_rows() as u64)
        .training_ranges(TrainingRanges::of(train))
        .fact("rows_test", test.n_rows())
        .fact("random_state", args.random_state);
    let metadata = args.fit.note(metadata);
    let metrics = [("r2", metrics.r2), ("mae", metrics.mae), ("rmse", metrics.rmse)];
    // R² of a single test row is no number.
    let metrics = metrics.into_iter().filter(|(_, value)| value.is_finite());
    Ok(metrics.fold(metadata, |metadata, (name, value)| metadata.metric(name, value)))
}

/// Saves the bundle and reads it back: what is served is what the file holds.
fn save(
    args: &RunArgs,
    transformer: FittedPreprocessor,
    forest: RandomForest,
    metadata: BundleMetadata,
) -> Result<(ModelBundle, BundleFile)> {
    if let Some(folder) = args.bundle.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    }
    ModelBundle::new(transformer, forest, metadata)?.save(&args.bundle)?;
    let bundle = ModelBundle::load(&args.bundle)?;
    let path = fs::canonicalize(&args.bundle)?;
    let file = BundleFile {
        bytes: fs::metadata(&path)?.len(),
        path: path.display().to_string(),
        fingerprint: bundle.fingerprint().to_string(),
    };
    Ok((bundle, file))
}

/// Serves the bundle, sends the workshop's request with the right key and with a wrong one, and shuts down.
async fn ask(bundle: ModelBundle) -> Result<(Value, String)> {
    let endpoint = Endpoint::start(bundle).await?;
    let mut said = format!("{}\nkey          {}", endpoint.url(), endpoint.key());
    let (status, answer) = endpoint.score(endpoint.key(), workshop::REQUEST).await?;
    said += &format!("\nrequest      {}\nanswer       {status} {answer}", workshop::REQUEST.trim());
    ensure!(status == 200, "the endpoint refused the workshop's request: {answer}");
    let (status, refusal) = endpoint.score("a wrong key", workshop::REQUEST).await?;
    said += &format!("\nwrong key    {status} {refusal}");
    ensure!(status == 401, "the endpoint let a wrong key in");
    endpoint.stop().await?;
    said += "\nshut down";
    Ok((answer, said))
}
