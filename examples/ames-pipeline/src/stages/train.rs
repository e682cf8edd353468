use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use ndarray::ArrayView1;
use spinney_artifact::{BundleMetadata, ModelBundle};

use super::{features, learned::Learned, model_path, rows};
use crate::{fit::FitArgs, workshop};

#[derive(Args)]
pub(crate) struct TrainArgs {
    /// Features.
    #[arg(long = "X")]
    x: PathBuf,
    /// Prices.
    #[arg(long = "y")]
    y: PathBuf,
    /// How the features are made of raw rows: it becomes part of the model.
    #[arg(long = "xform_params")]
    xform_params: PathBuf,
    /// The folder that the model goes to.
    #[arg(long = "model_path")]
    model_path: PathBuf,
    #[command(flatten)]
    fit: FitArgs,
}

pub(super) fn run(args: &TrainArgs) -> Result<()> {
    let learned = Learned::read(&args.xform_params)?;
    let transformer = learned.transformer()?;
    let x = features::read(&args.x, transformer.feature_schema())?;
    let y = rows::read_target(&args.y, transformer.input_schema())?;
    features::check_rows((&args.x, x.nrows()), (&args.y, y.len()))?;
    let forest = args.fit.fit(x.view(), ArrayView1::from(&y))?;
    let oob_r2 = forest.out_of_bag().map(|out_of_bag| out_of_bag.r2());
    let n_trees = forest.trees().len();
    let data = &learned.training_data;
    let metadata = BundleMetadata::new(workshop::MODEL_NAME, "1")
        .feature_schema(transformer.feature_schema().hash())
        .training_data(data.fingerprint, data.rows)
        .training_ranges(learned.training_ranges.clone());
    let metadata = args.fit.note(metadata);
    let bundle = ModelBundle::new(transformer, forest, metadata)
        .with_context(|| args.xform_params.display().to_string())?;
    let path = model_path::save(&args.model_path, &bundle)?;
    if let Some(r2) = oob_r2 {
        println!("{n_trees} trees, out-of-bag R² {r2:.4}");
    }
    println!("{}\nfingerprint {}", path.display(), bundle.fingerprint());
    Ok(())
}
