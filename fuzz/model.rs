//! The small model that the fuzz targets share.

use std::sync::LazyLock;

use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{Impute, InputSchema, Ordinal, Preprocessor, Table};

pub static SCHEMA: LazyLock<InputSchema> = LazyLock::new(|| {
    let schema = InputSchema::builder().numeric(["a", "b"]).categorical(["c", "d"]).target("y");
    schema.build().expect("a valid schema")
});

pub static BUNDLE: LazyLock<ModelBundle> = LazyLock::new(|| train().expect("valid training data"));

fn train() -> Result<ModelBundle, Box<dyn std::error::Error>> {
    let csv = "a,b,c,d,y\n1,2,x,low,10\nNA,3,y,high,20\n3,4,x,NA,15\n4,5,z,low,30\n";
    let table = Table::from_csv_reader(csv.as_bytes(), &SCHEMA)?;
    let plan = Preprocessor::builder(&SCHEMA)
        .difference("e", "a", "b")
        .impute("a", Impute::Mean)
        .ordinal("d", Ordinal::levels(["low", "high"]).missing("low"))
        .one_hot(["c"])
        .build()?;
    let (transformer, x) = plan.fit_transform(&table)?;
    let params = RandomForest::params().n_estimators(3);
    let forest = params.fit_arrays(x.view(), table.target()?.into())?;
    Ok(ModelBundle::new(transformer, forest, BundleMetadata::new("fuzz", "1"))?)
}
