//! What the workshop decided: columns, steps, names, and the request it sends.

use spinney_preprocess::{Impute, InputSchema, Ordinal, Preprocessor, Result};

pub(crate) const AMES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/AmesHousing.csv");
pub(crate) const BUNDLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/ames-pipeline/ames.bundle");
pub(crate) const MODEL_NAME: &str = "ames-housing-model";

/// Two houses, the second with gaps as Python writes them and a neighborhood that is not in Ames.
pub(crate) const REQUEST: &str = include_str!("../../../fixtures/requests/workshop.json");

pub(crate) fn schema() -> Result<InputSchema> {
    InputSchema::builder()
        .numeric(["LotFrontage", "GrLivArea", "GarageArea"])
        .categorical(["Neighborhood", "HouseStyle", "ExterQual", "MasVnrType"])
        .numeric(["YearBuilt", "YrSold", "OverallQual"])
        .target("SalePrice")
        .build()
}

pub(crate) fn plan(schema: &InputSchema) -> Result<Preprocessor> {
    Preprocessor::builder(schema)
        .difference("HouseAge", "YrSold", "YearBuilt")
        .clip("OverallQual", 1..=10)
        .impute("LotFrontage", Impute::Mean)
        .impute("MasVnrType", Impute::MostFrequent)
        .ordinal("ExterQual", Ordinal::levels(["Po", "Fa", "TA", "Gd", "Ex"]).missing("TA"))
        .one_hot(["Neighborhood", "HouseStyle", "MasVnrType"])
        .build()
}
