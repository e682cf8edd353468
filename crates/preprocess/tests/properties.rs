//! What holds for any rows: CSV equals JSON, a batch equals its rows, params come back as they
//! were.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use spinney_preprocess::{
    Drop, FeatureMatrix, FittedPreprocessor, Impute, InputSchema, OneHot, Ordinal, Preprocessor,
    Record, Table, TestSize, TrainSize, TransformParams, Unseen, Value, train_test_split,
};

/// A raw row: two numbers, two words.
type Row = (Option<f64>, Option<f64>, Option<String>, Option<String>);

/// No missing tokens but the empty field, so that any other word is a category in CSV too.
fn schema() -> InputSchema {
    InputSchema::builder()
        .numeric(["a", "b"])
        .categorical(["v", "w"])
        .missing_tokens([""])
        .build()
        .unwrap()
}

/// A plan with every kind of step.
fn plan() -> Preprocessor {
    Preprocessor::builder(&schema())
        .difference("d", "b", "a")
        .clip("b", -1e3..=1e3)
        .impute("b", Impute::Mean)
        .impute("v", Impute::MostFrequent)
        .ordinal("v", Ordinal::levels(["x", "y", "z"]).missing_value(-0.0))
        .one_hot_with("w", OneHot::new().max_categories(3).unseen(Unseen::Infrequent))
        .standard_scale("b")
        .min_max_scale("d")
        .passthrough(["a"])
        .build()
        .unwrap()
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-1e6..1e6),
        (-10_i32..10).prop_map(f64::from),
        Just(-0.0),
        Just(5e-324),
        Just(0.1 + 0.2),
    ]
}

/// Words a CSV must quote among them; never empty.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[xyzé]", "[ ,\"\r\n\u{feff}NA#]{1,4}"]
}

fn rows(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Row>> {
    let (number, word) = (|| prop::option::of(number()), || prop::option::of(word()));
    prop::collection::vec((number(), number(), word(), word()), n)
}

/// Rows to learn from: the first is complete, so that there is something to learn in every column.
fn train_rows() -> impl Strategy<Value = Vec<Row>> {
    rows(0..20).prop_map(|mut rows| {
        rows.insert(0, (Some(1.5), Some(-2.0), Some("x".to_owned()), Some("y".to_owned())));
        rows
    })
}

fn records(rows: &[Row]) -> Vec<Record> {
    let record = |(a, b, v, w): &Row| {
        Record::from([
            ("a", (*a).into()),
            ("b", (*b).into()),
            ("v", v.clone().into()),
            ("w", w.clone().into()),
        ])
    };
    rows.iter().map(record).collect()
}

fn table(rows: &[Row]) -> Table {
    Table::from_records(&records(rows), &schema()).unwrap()
}

/// The rows as CSV, the columns in another order and one more of them.
fn csv(rows: &[Row]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["w", "extra", "b", "v", "a"]).unwrap();
    for (a, b, v, w) in rows {
        let number = |number: &Option<f64>| number.map_or(String::new(), |n| n.to_string());
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        writer.write_record([word(w), "?".to_owned(), number(b), word(v), number(a)]).unwrap();
    }
    writer.into_inner().unwrap()
}

/// The rows as the body of a request.
fn json(rows: &[Row]) -> String {
    let objects = rows.iter().map(
        |(a, b, v, w)| serde_json::json!({ "w": w, "v": v, "extra": [1, {}], "b": b, "a": a }),
    );
    serde_json::Value::from_iter(objects).to_string()
}

fn bits(x: &FeatureMatrix) -> Vec<u64> {
    x.view().iter().map(|value| value.to_bits()).collect()
}

fn fit(rows: &[Row]) -> FittedPreprocessor {
    plan().fit(&table(rows)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_csv_row_equals_a_json_record(train in train_rows(), new in rows(0..8)) {
        let fitted = fit(&train);
        let from_csv = Table::from_csv_reader(csv(&new).as_slice(), &schema()).unwrap();
        let parsed: Vec<Record> = serde_json::from_str(&json(&new)).unwrap();
        let from_json = Table::from_records(&parsed, &schema()).unwrap();
        prop_assert_eq!(&parsed.iter().map(|record| record.get("a").cloned()).collect::<Vec<_>>(),
            &new.iter().map(|row| Some(Value::from(row.0))).collect::<Vec<_>>());

        let x = fitted.transform(&from_csv).unwrap();
        let from_json = fitted.transform(&from_json).unwrap();
        prop_assert_eq!(bits(&x), bits(&from_json));
        prop_assert_eq!(bits(&x), bits(&fitted.transform(&table(&new)).unwrap()));
        prop_assert_eq!(x.report(), from_json.report());

        let from_csv = Table::from_csv_reader(csv(&train).as_slice(), &schema()).unwrap();
        let refitted = plan().fit(&from_csv).unwrap();
        prop_assert_eq!(refitted.feature_schema().hash(), fitted.feature_schema().hash());
    }

    #[test]
    fn a_batch_equals_its_rows(train in train_rows(), new in rows(0..8)) {
        let fitted = fit(&train);
        let batch = fitted.transform(&table(&new)).unwrap();
        let mut one_by_one = Vec::new();
        for row in &new {
            one_by_one.extend(bits(&fitted.transform(&table(std::slice::from_ref(row))).unwrap()));
        }
        prop_assert_eq!(bits(&batch), one_by_one);
    }

    #[test]
    fn no_row_is_lost(train in train_rows(), new in rows(0..8)) {
        let (fitted, x) = plan().fit_transform(&table(&train)).unwrap();
        prop_assert_eq!(x.n_rows(), train.len());
        prop_assert_eq!(bits(&x), bits(&fitted.transform(&table(&train)).unwrap()));
        prop_assert!(x.report().untrained_missing().is_empty());
        let x = fitted.transform(&table(&new)).unwrap();
        prop_assert_eq!(x.view().dim(), (new.len(), fitted.feature_schema().len()));
        prop_assert_eq!(x.n_features(), x.schema().names().len());
        for count in x.report().unseen_categories().iter().chain(x.report().untrained_missing()) {
            prop_assert!(count.n_rows() >= 1 && count.first_row() + count.n_rows() <= new.len());
        }
    }

    #[test]
    fn a_one_hot_block_has_at_most_one_one(train in train_rows(), new in rows(1..8)) {
        let columns = Preprocessor::builder(&schema())
            .one_hot(["v"])
            .one_hot_with("w", OneHot::new().min_frequency(2).drop(Drop::IfBinary))
            .drop(["a", "b"]);
        let fitted = columns.build().unwrap().fit(&table(&train)).unwrap();
        let x = fitted.transform(&table(&new)).unwrap();
        let names = fitted.feature_schema().names();
        for (row, raw) in x.view().rows().into_iter().zip(&new) {
            let ones = |prefix: &str| -> Vec<&str> {
                let ones = names.iter().zip(row).filter(|&(_, value)| *value > 0.0);
                ones.filter_map(|(name, _)| name.strip_prefix(prefix)).collect()
            };
            let seen = raw.2.as_ref().filter(|word| {
                train.iter().any(|row| row.2.as_ref() == Some(word))
            });
            prop_assert_eq!(ones("v_"), seen.map(String::as_str).into_iter().collect::<Vec<_>>());
            prop_assert!(ones("w_").len() <= 1);
        }
    }

    #[test]
    fn params_come_back_bit_for_bit(train in train_rows(), new in rows(0..8), fill: f64) {
        prop_assume!(fill.is_finite());
        let steps = Preprocessor::builder(&schema())
            .impute("a", Impute::constant(fill))
            .clip("b", fill..)
            .ordinal("v", Ordinal::mapping([("x", fill), ("é", -fill)]).missing("é"))
            .one_hot(["w"]);
        for plan in [plan(), steps.build().unwrap()] {
            let fitted = plan.fit(&table(&train)).unwrap();
            let json = fitted.params().to_json();
            let params = TransformParams::from_json(&json).unwrap();
            prop_assert_eq!(&params, fitted.params());
            prop_assert_eq!(params.to_json(), json);
            let compact = serde_json::to_string(&params).unwrap();
            let params: TransformParams = serde_json::from_str(&compact).unwrap();
            let reloaded = FittedPreprocessor::from_params(params).unwrap();
            prop_assert_eq!(reloaded.feature_schema(), fitted.feature_schema());
            let new = table(&new);
            let (x, y) = (fitted.transform(&new).unwrap(), reloaded.transform(&new).unwrap());
            prop_assert_eq!(bits(&x), bits(&y));
            prop_assert_eq!(x.report(), y.report());
        }
    }

    #[test]
    fn a_split_is_a_partition(n in 2_usize..300, share in 0.01..0.99, seed: u32) {
        if let Ok(split) = train_test_split(n, TestSize::Fraction(share), None, seed) {
            let mut rows = [split.train, split.test].concat();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
        let half = TrainSize::Count(n / 2);
        let split = train_test_split(n, TestSize::Count(1), Some(half), seed).unwrap();
        prop_assert_eq!((split.train.len(), split.test.len()), (n / 2, 1));
        prop_assert!(!split.train.contains(&split.test[0]));
    }

    #[test]
    fn rows_taken_are_rows_read(
        train in train_rows(),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let at: Vec<usize> = at.iter().map(|at| at.index(train.len())).collect();
        let taken = table(&train).take(&at).unwrap();
        let rows: Vec<Row> = at.iter().map(|&at| train[at].clone()).collect();
        for ((_, taken), (_, read)) in taken.columns().zip(table(&rows).columns()) {
            prop_assert_eq!(taken.as_categorical(), read.as_categorical());
        }
        let fitted = fit(&train);
        let (x, y) = (fitted.transform(&taken).unwrap(), fitted.transform(&table(&rows)).unwrap());
        prop_assert_eq!(bits(&x), bits(&y));
    }
}
