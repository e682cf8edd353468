use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use spinney_preprocess::{Table, TestSize};

use super::rows;
use crate::workshop;

#[derive(Args)]
pub(crate) struct SplitArgs {
    /// CSV with the Ames columns.
    #[arg(long = "input_data")]
    input_data: PathBuf,
    /// Rows to hold out: a fraction, or a count.
    #[arg(long = "test_size", default_value = "0.2", value_parser = workshop::test_size)]
    test_size: TestSize,
    /// Seed of the split.
    #[arg(long = "random_state", default_value_t = 123)]
    random_state: u32,
    /// Where the raw rows to train on go.
    #[arg(long = "X_train")]
    x_train: PathBuf,
    /// Where their prices go.
    #[arg(long = "y_train")]
    y_train: PathBuf,
    /// Where the raw rows to test with go.
    #[arg(long = "X_test")]
    x_test: PathBuf,
    /// Where their prices go.
    #[arg(long = "y_test")]
    y_test: PathBuf,
}

pub(super) fn run(args: &SplitArgs) -> Result<()> {
    let schema = workshop::schema()?;
    let table = Table::from_csv_path(&args.input_data, &schema)?;
    let (table, n_dropped) = table.drop_missing_target()?;
    ensure!(table.n_rows() > 0, "{}: there is no row with a price", args.input_data.display());
    let (train, test) = table.train_test_split(args.test_size, args.random_state)?;
    rows::write(&args.x_train, &train)?;
    rows::write_target(&args.y_train, &train)?;
    rows::write(&args.x_test, &test)?;
    rows::write_target(&args.y_test, &test)?;
    if n_dropped > 0 {
        println!("{n_dropped} rows without a price were left out");
    }
    println!("{} train rows, {} test rows", train.n_rows(), test.n_rows());
    Ok(())
}
