//! Models that are written as ONNX, with rows to try them on.
#![allow(dead_code, reason = "each test binary uses its share")]

use std::path::Path;

use ndarray::ArrayView1;
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_forest::{Node, RandomForest, Split, Tree};
use spinney_preprocess::{
    Column, Drop, Impute, InputSchema, OneHot, Ordinal, Preprocessor, PreprocessorBuilder, Record,
    Table, Unseen, Value,
};

/// The workshop's model, and the rows it was not trained on.
pub(crate) fn workshop() -> (ModelBundle, Table) {
    let schema = InputSchema::builder()
        .numeric(["LotFrontage", "GrLivArea", "GarageArea"])
        .categorical(["Neighborhood", "HouseStyle", "ExterQual", "MasVnrType"])
        .numeric(["YearBuilt", "YrSold", "OverallQual"])
        .target("SalePrice")
        .build()
        .unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/AmesHousing.csv");
    let table = Table::from_csv_path(file, &schema).unwrap();
    let (train, test) = table.train_test_split(0.2, 123).unwrap();
    let quality = Ordinal::levels(["Po", "Fa", "TA", "Gd", "Ex"]).missing("TA");
    let plan = Preprocessor::builder(&schema)
        .difference("HouseAge", "YrSold", "YearBuilt")
        .clip("OverallQual", 1..=10)
        .impute("LotFrontage", Impute::Mean)
        .impute("MasVnrType", Impute::MostFrequent)
        .ordinal("ExterQual", quality)
        .one_hot(["Neighborhood", "HouseStyle", "MasVnrType"]);
    (fit(plan, &train, 100), test)
}

/// Every step with every option, on numbers that `f32` cannot tell apart, with gaps in training and unseen words after it.
pub(crate) fn every_step() -> Vec<(String, ModelBundle, Table)> {
    let schema = InputSchema::builder()
        .numeric(["close", "scaled", "gaps"])
        .categorical(["word", "level"])
        .target("y")
        .build()
        .unwrap();
    let records: Vec<Record> = (0..400).map(record).collect();
    let train = Table::from_records(&records[..300], &schema).unwrap();
    let all = Table::from_records(&records, &schema).unwrap();
    let blocks = [
        OneHot::new(),
        OneHot::new().drop(Drop::First),
        OneHot::new().drop(Drop::IfBinary),
        OneHot::new().min_frequency(40).unseen(Unseen::Infrequent),
        OneHot::new().max_categories(2).drop(Drop::IfBinary).unseen(Unseen::Infrequent),
        OneHot::new().max_categories(1).drop(Drop::First).unseen(Unseen::Infrequent),
    ];
    let numbers = || Ordinal::mapping([("a", 0.1), ("c", -7.5), ("b", 1e300 / 1e299)]);
    let mut models = Vec::new();
    for (number, block) in blocks.into_iter().enumerate() {
        for filled in [false, true] {
            let mut plan = Preprocessor::builder(&schema);
            if filled {
                plan = plan
                    .impute("gaps", Impute::Median)
                    .impute("close", Impute::constant(1.0))
                    .impute("word", Impute::constant("w2"))
                    .impute("level", Impute::constant("nowhere"));
            }
            plan = plan.difference("gap", "close", "scaled").clip("gap", -0.5..=0.7);
            plan = plan.min_max_scale("scaled").standard_scale("close").clip("gaps", 3.0..);
            plan = match number {
                0 => plan.ordinal("level", numbers()).drop(["gaps"]),
                1 => plan.ordinal("level", numbers().missing("b")).standard_scale("level"),
                2 => plan.drop(["level"]),
                _ => plan.ordinal("level", numbers().missing_value(-1.0)),
            };
            let name = format!("block {number}, filled: {filled}");
            let plan = plan.one_hot_with("word", block.clone());
            models.push((name, fit(plan, &train, 20), all.clone()));
        }
    }
    models
}

fn record(number: u32) -> Record {
    let share = |factor: u32, of: u32| f64::from(number.wrapping_mul(factor) % of) / f64::from(of);
    let gap = |every: u32, value: f64| (!number.is_multiple_of(every)).then_some(value);
    // Neighbours closer than those of f32, on both sides of what it rounds to.
    let close = 1.0 + 1.7e-8 * (share(7919, 97) * 97.0);
    let scaled = 0.1 + share(104_729, 211) / 3.0;
    let word = match number % 13 {
        0 if number >= 300 => "unseen".to_owned(),
        place => format!("w{}", place * place % 5),
    };
    let level = ["a", "b", "c", "d"][(number / 3 % 4) as usize];
    let y = (close - 1.0) * 1e7 + scaled * 10.0 + f64::from(number % 13) * share(31, 17);
    let mut record = Record::new();
    record.insert("close", gap(8, close));
    record.insert("scaled", gap(9, scaled));
    record.insert("gaps", gap(5, share(37, 11) * 11.0));
    record.insert("word", (!number.is_multiple_of(10)).then_some(word));
    record.insert("level", (!number.is_multiple_of(7)).then_some(level));
    record.insert("y", y);
    record
}

/// The rows with every third value missing, another one in each column.
pub(crate) fn with_gaps(table: &Table) -> Table {
    let rows = 0..table.n_rows();
    let records: Vec<Record> = rows
        .map(|row| {
            let mut record = Record::new();
            for (place, (name, column)) in table.columns().enumerate() {
                let value = match column {
                    _ if (row + place) % 3 == 0 => Value::Null,
                    Column::Numeric(numbers) if numbers[row].is_nan() => Value::Null,
                    Column::Numeric(numbers) => Value::from(numbers[row]),
                    Column::Categorical(words) => Value::from(words.get(row)),
                    _ => unreachable!("there are two kinds of columns"),
                };
                record.insert(name, value);
            }
            record
        })
        .collect();
    Table::from_records(&records, table.schema()).unwrap()
}

pub(crate) fn fit(plan: PreprocessorBuilder, train: &Table, n_trees: usize) -> ModelBundle {
    let (transformer, x) = plan.build().unwrap().fit_transform(train).unwrap();
    let y = ArrayView1::from(train.target().unwrap());
    let params = RandomForest::params().n_estimators(n_trees).seed(42);
    let forest = params.fit_arrays(x.view(), y).unwrap();
    ModelBundle::new(transformer, forest, BundleMetadata::new("model", "1")).unwrap()
}

/// A split between two neighbouring `f32`s, at a number that no `f32` is, and one at infinity.
pub(crate) fn edge_of_f32() -> (ModelBundle, Table) {
    let leaf = |value| Node { split: None, value, ..node() };
    let split = |feature, threshold, left, right| Split {
        feature,
        threshold,
        missing_go_to_left: left == 1,
        left,
        right,
    };
    let between = f64::from(1.0_f32.next_up()).midpoint(1.0);
    let nodes = vec![
        Node { split: Some(split(0, between, 1, 2)), ..node() },
        leaf(0.1),
        Node { split: Some(split(0, f64::INFINITY, 3, 4)), ..node() },
        leaf(-0.0),
        leaf(1e-30),
    ];
    let csv = "x\n1\n1.00000005\n1.00000007\n1.0000001\n1.00000012\n3e38\nNA\n";
    let bundle = one_tree(nodes);
    let table = Table::from_csv_reader(csv.as_bytes(), bundle.input_schema()).unwrap();
    (bundle, table)
}

pub(crate) fn single_leaf(value: f64) -> ModelBundle {
    one_tree(vec![Node { value, ..node() }])
}

fn node() -> Node {
    Node { split: None, value: 0.0, impurity: 0.0, n_node_samples: 1, weighted_n_node_samples: 1.0 }
}

fn one_tree(nodes: Vec<Node>) -> ModelBundle {
    let schema = InputSchema::builder().numeric(["x"]).build().unwrap();
    let table = Table::from_csv_reader("x\n1\n".as_bytes(), &schema).unwrap();
    let transformer = Preprocessor::builder(&schema).build().unwrap().fit(&table).unwrap();
    let tree = Tree::from_nodes(nodes, 1).unwrap();
    let forest = RandomForest::from_trees(vec![tree], 1).unwrap();
    ModelBundle::new(transformer, forest, BundleMetadata::new("tree", "1")).unwrap()
}
