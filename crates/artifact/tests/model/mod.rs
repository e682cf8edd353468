//! A small model with every kind of step's neighbourhood: numbers with gaps, categories, a derived column.

use ndarray::ArrayView1;
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::RandomForest;
use spinney_preprocess::{Impute, InputSchema, Preprocessor, Table};

const CSV: &str = "\
area,built,sold,style,price
50,1990,2008,flat,100.5
80,,2009,house,200
90,1950,2010,house,250
65,2001,2008,loft,180
NA,1970,2007,flat,120
120,2005,2010,,320
";

pub(crate) fn table() -> Table {
    let schema = InputSchema::builder()
        .numeric(["area", "built", "sold"])
        .categorical(["style"])
        .target("price")
        .build()
        .unwrap();
    Table::from_csv_reader(CSV.as_bytes(), &schema).unwrap()
}

pub(crate) fn bundle(seed: u32) -> ModelBundle {
    let table = table();
    let plan = Preprocessor::builder(table.schema())
        .difference("age", "sold", "built")
        .impute("area", Impute::Mean)
        .one_hot(["style"])
        .build()
        .unwrap();
    let (transformer, x) = plan.fit_transform(&table).unwrap();
    let y = ArrayView1::from(table.target().unwrap());
    let forest = RandomForest::params().n_estimators(5).seed(seed).fit_arrays(x.view(), y).unwrap();
    let metadata = BundleMetadata::new("prices", "1").metric("r2", 0.5).training("seed", seed);
    ModelBundle::new(transformer, forest, metadata).unwrap()
}
