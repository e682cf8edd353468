//! The workshop's model, trained once for a test binary.
#![allow(dead_code, reason = "each test binary uses its share")]

use std::{fs, path::PathBuf, sync::LazyLock};

use ndarray::ArrayView1;
use serde_json::Value;
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{Impute, InputSchema, Ordinal, Preprocessor, Table};
use spinney_scoring::BundleScorer;

static BUNDLE: LazyLock<ModelBundle> = LazyLock::new(train);

pub(crate) fn bundle() -> ModelBundle {
    BUNDLE.clone()
}

pub(crate) fn scorer() -> BundleScorer {
    BundleScorer::new(bundle())
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

pub(crate) fn request(name: &str) -> String {
    fs::read_to_string(fixture("requests").join(name)).unwrap()
}

pub(crate) fn vector(name: &str) -> Value {
    let text = fs::read_to_string(fixture("scoring/vectors").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn train() -> ModelBundle {
    let schema = InputSchema::builder()
        .numeric(["LotFrontage", "GrLivArea", "GarageArea"])
        .categorical(["Neighborhood", "HouseStyle", "ExterQual", "MasVnrType"])
        .numeric(["YearBuilt", "YrSold", "OverallQual"])
        .target("SalePrice")
        .build()
        .unwrap();
    let table = Table::from_csv_path(fixture("AmesHousing.csv"), &schema).unwrap();
    let (train, _) = table.train_test_split(0.2, 123).unwrap();
    let quality = Ordinal::levels(["Po", "Fa", "TA", "Gd", "Ex"]).missing("TA");
    let plan = Preprocessor::builder(&schema)
        .difference("HouseAge", "YrSold", "YearBuilt")
        .clip("OverallQual", 1..=10)
        .impute("LotFrontage", Impute::Mean)
        .impute("MasVnrType", Impute::MostFrequent)
        .ordinal("ExterQual", quality)
        .one_hot(["Neighborhood", "HouseStyle", "MasVnrType"])
        .build()
        .unwrap();
    let (transformer, x) = plan.fit_transform(&train).unwrap();
    let y = ArrayView1::from(train.target().unwrap());
    let forest = RandomForest::params().seed(42).fit_arrays(x.view(), y).unwrap();
    let bundle = ModelBundle::new(transformer, forest, BundleMetadata::new("ames-housing", "1"));
    let bundle = bundle.unwrap();
    // Once for all clones.
    bundle.predictor();
    let _ = bundle.fingerprint();
    bundle
}
