//! A small model with every kind of step's neighbourhood: numbers with gaps, categories, a derived column.

use ndarray::{Array1, Array2, ArrayView1};
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::{MaxFeatures, RandomForest, Splitter};
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
    let metadata = BundleMetadata::new("prices", "1").metric("r2", 0.5).parameter("seed", seed);
    ModelBundle::new(transformer, forest, metadata).unwrap()
}

/// Forests of six kinds on random numbers, some of them missing.
#[allow(dead_code, reason = "not every test binary uses it")]
pub(crate) fn random(n_rows: usize, n_features: usize, kind: i32, seed: u32) -> ModelBundle {
    let names: Vec<String> = (0..n_features).map(|feature| format!("f{feature}")).collect();
    let schema = InputSchema::builder().numeric(names.iter().map(String::as_str)).build().unwrap();
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let mut x = Array2::from_shape_simple_fn((n_rows, n_features), &mut random);
    x.iter_mut().filter(|value| **value < 0.1).for_each(|value| *value = f64::NAN);
    let y = Array1::from_shape_simple_fn(n_rows, &mut random);
    let whole = y.mapv(|y| (y * 1e6).round());
    let weight = Array1::from_shape_simple_fn(n_rows, || random() + 0.1);
    let params = RandomForest::params().n_estimators(3).seed(seed);
    let params = params.max_features(MaxFeatures::Sqrt);
    let forest = match kind {
        0 => params.fit_arrays(x.view(), y.view()),
        1 => params.fit_arrays(x.view(), whole.view()),
        2 => params.max_leaf_nodes(Some(7)).fit_arrays(x.view(), y.view()),
        3 => params.bootstrap(false).fit_weighted(x.view(), y.view(), weight.view()),
        4 => params.splitter(Splitter::Random).fit_arrays(x.view(), y.view()),
        _ => params.ccp_alpha(0.01).min_samples_leaf(3_usize).fit_arrays(x.view(), whole.view()),
    };
    let csv = format!("{}\n{}\n", names.join(","), vec!["1"; n_features].join(","));
    let table = Table::from_csv_reader(csv.as_bytes(), &schema).unwrap();
    let transformer = Preprocessor::builder(&schema).build().unwrap().fit(&table).unwrap();
    ModelBundle::new(transformer, forest.unwrap(), BundleMetadata::new("random", "1")).unwrap()
}
