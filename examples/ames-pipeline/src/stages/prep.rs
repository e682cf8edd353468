use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use spinney_preprocess::Table;

use super::{features, learned::Learned};
use crate::workshop;

#[derive(Args)]
pub(crate) struct PrepArgs {
    /// Raw rows.
    #[arg(long = "raw_data")]
    raw_data: PathBuf,
    /// What was learned from other rows. Without it, it is learned from these.
    #[arg(long = "xform_params_in")]
    xform_params_in: Option<PathBuf>,
    /// Where the features go.
    #[arg(long = "prepped_data")]
    prepped_data: PathBuf,
    /// Where what was learned goes.
    #[arg(long = "xform_params_out")]
    xform_params_out: PathBuf,
}

pub(super) fn run(args: &PrepArgs) -> Result<()> {
    let schema = workshop::schema()?;
    let table = Table::from_csv_path(&args.raw_data, &schema)?;
    ensure!(table.n_rows() > 0, "{}: there are no rows", args.raw_data.display());
    let learned = match &args.xform_params_in {
        Some(path) => Learned::read(path)?,
        None => {
            let transformer = workshop::plan(&schema)?.fit(&table);
            let transformer = transformer.with_context(|| args.raw_data.display().to_string())?;
            println!("{}", workshop::said_of(&transformer));
            Learned::new(&transformer, &args.raw_data, &table)?
        }
    };
    let transformer = learned.transformer()?;
    let x = transformer.transform(&table).with_context(|| args.raw_data.display().to_string())?;
    for unseen in x.report().unseen_categories() {
        println!("{}: {} rows with a category unseen in training", unseen.name(), unseen.n_rows());
    }
    features::write(&args.prepped_data, transformer.feature_schema(), x.view())?;
    learned.write(&args.xform_params_out)?;
    println!("{} rows of {} features", x.n_rows(), x.n_features());
    Ok(())
}
