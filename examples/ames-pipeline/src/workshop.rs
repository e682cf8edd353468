//! What the workshop decided: columns, steps, names, and the request it sends.

use std::num::ParseFloatError;

use spinney_preprocess::{
    FittedPreprocessor, Impute, InputSchema, Ordinal, Preprocessor, Result, StepParams, TestSize,
};

pub(crate) const AMES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/AmesHousing.csv");
pub(crate) const BUNDLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/ames-pipeline/ames.bundle");
pub(crate) const PAGE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/ames-pipeline/report.html");
pub(crate) const MODEL_NAME: &str = "ames-housing-model";
/// How the names of the features begin that tell the neighborhood.
pub(crate) const NEIGHBORHOOD: &str = "Neighborhood_";
pub(crate) const DEPLOYMENT: &str = "blue";
pub(crate) const SERVING_MACHINE: &str = "Standard_D2as_v4";
pub(crate) const SERVING_PORT: u16 = 5001;

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

/// Reads how many rows to hold out: a count, or else a fraction.
pub(crate) fn test_size(text: &str) -> std::result::Result<TestSize, ParseFloatError> {
    text.parse().map(TestSize::Count).or_else(|_| text.parse().map(TestSize::Fraction))
}

/// What the steps have learned, in lines.
pub(crate) fn said_of(transformer: &FittedPreprocessor) -> String {
    let mut lines = vec![format!("{} features", transformer.feature_schema().len())];
    for step in transformer.params().steps() {
        if let StepParams::Impute { column, strategy, value } = step {
            lines.push(format!("{column}: {strategy} {value}"));
        }
    }
    lines.join("\n")
}
