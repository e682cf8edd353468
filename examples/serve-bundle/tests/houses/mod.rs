//! Houses: a bundle with columns of each kind, rows for it, and what it predicts.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test binary uses its share, and a test may fail by panicking"
)]

use std::path::{Path, PathBuf};

use ndarray::ArrayView1;
use serde_json::{Value, json};
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{Impute, InputSchema, Ordinal, Preprocessor, Table};

/// A bundle with a column of each kind: numbers, numbers that may be missing, words of which only some are allowed, and any words. Prices
/// are multiplied.
pub(crate) fn houses(price: f64) -> ModelBundle {
    let schema = InputSchema::builder()
        .numeric(["area", "garage"])
        .categorical(["quality", "town"])
        .target("price")
        .build()
        .unwrap();
    let csv = "area,garage,quality,town,price\n50,0,TA,Ames,100\n80,20,Gd,Ames,200\n\
               90,,Gd,Boone,250\n120,40,TA,Nevada,260\n";
    let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
    let plan = Preprocessor::builder(&schema)
        .impute("garage", Impute::Mean)
        .ordinal("quality", Ordinal::levels(["Fa", "TA", "Gd"]))
        .one_hot(["town"])
        .build()
        .unwrap();
    let (transformer, x) = plan.fit_transform(&table).unwrap();
    let y = ArrayView1::from(table.target().unwrap()).mapv(|y| y * price);
    let forest = RandomForest::params().fit_arrays(x.view(), y.view()).unwrap();
    ModelBundle::new(transformer, forest, BundleMetadata::new("houses", "1")).unwrap()
}

/// Rows that such a bundle scores; the second lacks a garage, and is in a town that no row was in.
pub(crate) fn rows() -> Value {
    json!([
        {"area": 70, "garage": 20, "quality": "TA", "town": "Ames"},
        {"area": 85.5, "garage": null, "quality": "Gd", "town": "Zürich"},
        {"area": 130, "garage": 40, "quality": "Fa", "town": "Nevada"},
    ])
}

/// What a bundle predicts for rows in process.
pub(crate) fn predictions(bundle: &ModelBundle, rows: &Value) -> Vec<f64> {
    let records = serde_json::from_value::<Vec<_>>(rows.clone()).unwrap();
    bundle.predict_records(&records).unwrap().to_vec()
}

/// Saves a bundle in a folder.
pub(crate) fn save(bundle: &ModelBundle, folder: &Path) -> PathBuf {
    let path = folder.join("houses.bundle");
    bundle.save(&path).unwrap();
    path
}
