//! Learns the workshop's transform params from the Ames data: `cargo run -p preprocess-ames`
#![allow(clippy::print_stdout, reason = "a program talks")]

use spinney_preprocess::{Impute, InputSchema, Ordinal, Preprocessor, Table};

const AMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/AmesHousing.csv");

fn main() -> anyhow::Result<()> {
    let schema = InputSchema::builder()
        .numeric(["LotFrontage", "GrLivArea", "GarageArea"])
        .categorical(["Neighborhood", "HouseStyle", "ExterQual", "MasVnrType"])
        .numeric(["YearBuilt", "YrSold", "OverallQual"])
        .target("SalePrice")
        .build()?;
    let plan = Preprocessor::builder(&schema)
        .difference("HouseAge", "YrSold", "YearBuilt")
        .clip("OverallQual", 1..=10)
        .impute("LotFrontage", Impute::Mean)
        .impute("MasVnrType", Impute::MostFrequent)
        .ordinal("ExterQual", Ordinal::levels(["Po", "Fa", "TA", "Gd", "Ex"]).missing("TA"))
        .one_hot(["Neighborhood", "HouseStyle", "MasVnrType"])
        .build()?;

    let (train, test) = Table::from_csv_path(AMES, &schema)?.train_test_split(0.2, 123)?;
    let fitted = plan.fit(&train)?;
    let features = fitted.transform(&test)?;

    println!("{}", fitted.params().to_json());
    println!("{} train rows; test rows as {:?} features", train.n_rows(), features.view().dim());
    Ok(())
}
