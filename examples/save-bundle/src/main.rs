//! Bundles transformer and forest, reloads the file and shows that both predict alike: `cargo run -p save-bundle`
#![allow(clippy::print_stdout, reason = "a program talks")]

use anyhow::ensure;
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{InputSchema, Preprocessor, Table, TrainingRanges};

const AMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/AmesHousing.csv");

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "small-ames.bundle".to_owned());
    let schema = InputSchema::builder()
        .numeric(["GrLivArea", "YearBuilt"])
        .categorical(["Neighborhood"])
        .target("SalePrice")
        .build()?;
    let table = Table::from_csv_path(AMES, &schema)?;
    let plan = Preprocessor::builder(&schema).one_hot(["Neighborhood"]).build()?;
    let (transformer, x) = plan.fit_transform(&table)?;
    let params = RandomForest::params().n_estimators(20).seed(42);
    let forest = params.fit_arrays(x.view(), table.target()?.into())?;

    let metadata =
        BundleMetadata::new("small-ames", "1").training_ranges(TrainingRanges::of(&table));
    let bundle = ModelBundle::new(transformer, forest, metadata)?;
    bundle.save(&path)?;
    let reloaded = ModelBundle::load(&path)?;

    ensure!(bundle.predict(&table)? == reloaded.predict(&table)?);
    println!("{path}: {} ({} features)", reloaded.fingerprint(), reloaded.feature_schema().len());
    Ok(())
}
