//! What pandas and scikit-learn make of the same rows, bit for bit. The values are in
//! `fixtures/expected`, beside the scripts that made them.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use spinney_numpy_random::RandomState;
use spinney_preprocess::{
    Column, DEFAULT_MISSING_TOKENS, Drop, Error, FeatureMatrix, Fill, FittedPreprocessor, Impute,
    InputSchema, OneHot, Ordinal, Preprocessor, PreprocessorBuilder, Record, StepParams, Table,
    TestSize, TrainSize, Unseen, Value, train_test_split,
};

fn fixture(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures")).join(path)
}

fn json(path: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(fixture(path)).unwrap()).unwrap()
}

fn expected() -> Json {
    json("expected/preprocess/preprocess.json")
}

fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json[name].as_array().unwrap()
}

fn named<'a>(cases: &'a [Json], name: &str) -> &'a Json {
    cases.iter().find(|case| case["name"] == name).unwrap()
}

/// A number, NaN for null.
fn number(json: &Json) -> f64 {
    if json.is_null() { f64::NAN } else { json.as_f64().unwrap() }
}

fn numbers(json: &[Json]) -> Vec<f64> {
    json.iter().map(number).collect()
}

fn strings(json: &[Json]) -> Vec<&str> {
    json.iter().map(|json| json.as_str().unwrap()).collect()
}

/// Equality bit for bit, where any NaN equals any other.
#[track_caller]
fn assert_same(found: &[f64], expected: &[f64], what: &str) {
    let bits = |values: &[f64]| -> Vec<u64> {
        let value = |value: &f64| if value.is_nan() { f64::NAN } else { *value };
        values.iter().map(|number| value(number).to_bits()).collect()
    };
    assert_eq!(bits(found), bits(expected), "{what}: {found:?} is not {expected:?}");
}

fn sha256(bytes: impl IntoIterator<Item = u8>) -> String {
    let hash = Sha256::digest(bytes.into_iter().collect::<Vec<_>>());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A table of one numeric column `x`.
fn numeric_table(values: &[f64]) -> Table {
    let schema = InputSchema::builder().numeric(["x"]).build().unwrap();
    let records: Vec<Record> =
        values.iter().map(|&value| Record::from([("x", value.into())])).collect();
    Table::from_records(&records, &schema).unwrap()
}

/// A table of categorical columns, each a list in `columns`.
fn categorical_table(columns: &Json) -> Table {
    let columns = columns.as_object().unwrap();
    let schema = InputSchema::builder().categorical(columns.keys()).build().unwrap();
    let n_rows = columns.values().next().unwrap().as_array().unwrap().len();
    let record = |row: usize| -> Record {
        columns.iter().map(|(name, values)| (name, Value::from(values[row].as_str()))).collect()
    };
    Table::from_records(&(0..n_rows).map(record).collect::<Vec<_>>(), &schema).unwrap()
}

fn fit(
    table: &Table,
    steps: impl FnOnce(PreprocessorBuilder) -> PreprocessorBuilder,
) -> Result<(FittedPreprocessor, FeatureMatrix), Error> {
    steps(Preprocessor::builder(table.schema())).build()?.fit_transform(table)
}

/// What the first step learned.
fn learned(
    table: &Table,
    steps: impl FnOnce(PreprocessorBuilder) -> PreprocessorBuilder,
) -> Result<StepParams, Error> {
    Ok(fit(table, steps)?.0.params().steps()[0].clone())
}

/// The numbers of a case: listed, or drawn as `random_column` of the script does.
fn case_numbers(case: &Json) -> Vec<f64> {
    if let Some(values) = case["values"].as_array() {
        return numbers(values);
    }
    let mut rng = RandomState::new(u32::try_from(case["seed"].as_u64().unwrap()).unwrap());
    let mut draw = |row: u64| {
        let number = rng.random_sample() * 1e3;
        if row.is_multiple_of(7) { f64::NAN } else { number }
    };
    (0..case["n"].as_u64().unwrap()).map(&mut draw).collect()
}

#[test]
fn missing_tokens_are_those_of_pandas() {
    assert_eq!(DEFAULT_MISSING_TOKENS.to_vec(), strings(items(&expected(), "na_values")));
}

#[test]
fn splits_are_those_of_scikit_learn() {
    for case in items(&expected(), "train_test_split") {
        if case["options"]["shuffle"] == false {
            continue; // not offered
        }
        let split = split(case).unwrap();
        for (rows, name) in [(split.train, "train"), (split.test, "test")] {
            assert_eq!(rows.len() as u64, case[name]["n"].as_u64().unwrap(), "{case}");
            let bytes = rows.iter().flat_map(|&row| u32::try_from(row).unwrap().to_le_bytes());
            assert_eq!(sha256(bytes), case[name]["sha256_u32le"].as_str().unwrap(), "{case}");
        }
    }
}

#[test]
fn splits_that_scikit_learn_refuses_are_refused() {
    for case in items(&expected(), "train_test_split_refused") {
        assert!(split(case).is_err(), "{case}");
    }
}

/// Splits by the arguments that the script gave to scikit-learn.
fn split(case: &Json) -> Result<spinney_preprocess::Split, Error> {
    let n = usize::try_from(case["n"].as_u64().unwrap()).unwrap();
    let count = |json: &Json| usize::try_from(json.as_u64().unwrap()).unwrap();
    let options = &case["options"];
    let train_size = match &options["train_size"] {
        Json::Null => None,
        size if size.is_u64() => Some(TrainSize::Count(count(size))),
        size => Some(TrainSize::Fraction(number(size))),
    };
    let test_size = match (&options["test_size"], train_size) {
        (Json::Null, None) => TestSize::Fraction(0.25),
        // Here the test size is always given: what training leaves.
        (Json::Null, Some(TrainSize::Count(train))) => TestSize::Count(n.saturating_sub(train)),
        (Json::Null, Some(TrainSize::Fraction(share))) => {
            TestSize::Count(n - (share * n as f64).floor() as usize)
        }
        (size, _) if size.is_u64() => TestSize::Count(count(size)),
        (size, _) => TestSize::Fraction(number(size)),
    };
    let seed = options["random_state"].as_u64().unwrap_or(0);
    train_test_split(n, test_size, train_size, u32::try_from(seed).unwrap())
}

#[test]
fn numbers_are_imputed_as_by_pandas() {
    let expected = expected();
    for case in items(&expected, "impute_random").iter().chain(items(&expected, "impute_numbers")) {
        let values = case_numbers(case);
        let table = numeric_table(&values);
        let strategies =
            [("mean", Impute::Mean), ("median", Impute::Median), ("mode", Impute::MostFrequent)];
        for (name, impute) in strategies {
            match learned(&table, |plan| plan.impute("x", impute)) {
                Ok(StepParams::Impute { value: Fill::Number(value), .. }) => {
                    assert_same(&[value], &[number(&case[name])], name);
                }
                Err(Error::AllMissing { n_rows, .. }) => {
                    assert!(case[name].is_null() && n_rows == values.len(), "{case}");
                }
                other => unreachable!("{other:?}"),
            }
        }
    }
}

#[test]
fn categories_are_imputed_as_by_pandas() {
    for case in items(&expected(), "impute_strings") {
        let table = categorical_table(&serde_json::json!({ "x": case["values"] }));
        let impute = |plan: PreprocessorBuilder| plan.impute("x", Impute::MostFrequent);
        match learned(&table, |plan| impute(plan).one_hot(["x"])) {
            Ok(StepParams::Impute { value: Fill::Category(value), .. }) => {
                assert_eq!(value, case["pandas_mode"].as_str().unwrap());
            }
            Err(Error::AllMissing { .. }) => assert!(case["pandas_mode"].is_null(), "{case}"),
            other => unreachable!("{other:?}"),
        }
    }
}

#[test]
fn scaled_columns_are_those_of_scikit_learn() {
    let expected = expected();
    let new = numeric_table(&numbers(items(&expected, "scale_new_values")));
    for case in items(&expected, "scale").iter().filter(|case| case["name"] != "options") {
        let table = numeric_table(&case_numbers(case));
        let check = |scaler: &Json, fitted: &FittedPreprocessor, x: &FeatureMatrix| {
            let own = x.view().column(0).to_vec();
            let shown = numbers(
                scaler["transformed"]
                    .as_array()
                    .or(scaler["transformed_first5"].as_array())
                    .unwrap(),
            );
            assert_same(&own[..shown.len()], &shown, &case["name"].to_string());
            let bytes = own.iter().flat_map(|value| {
                // numpy has another NaN than Rust in places
                (if value.is_nan() { f64::NAN } else { *value }).to_le_bytes()
            });
            assert_eq!(
                sha256(bytes),
                scaler["transformed_sha256_f64le"].as_str().unwrap(),
                "{case}"
            );
            let later = fitted.transform(&new).unwrap().view().column(0).to_vec();
            let expected = numbers(items(scaler, "new_transformed"));
            assert_same(&later, &expected, &case["name"].to_string());
        };

        let (fitted, x) = fit(&table, |plan| plan.standard_scale("x")).unwrap();
        let scaler = &case["standard"];
        let [StepParams::StandardScale { mean, scale, .. }] = fitted.params().steps() else {
            unreachable!("one step")
        };
        let attributes = [&scaler["mean_"], &scaler["scale_"]].map(number);
        assert_same(&[*mean, *scale], &attributes, &case["name"].to_string());
        check(scaler, &fitted, &x);

        let (fitted, x) = fit(&table, |plan| plan.min_max_scale("x")).unwrap();
        let scaler = &case["min_max"];
        let [StepParams::MinMaxScale { min, max, .. }] = fitted.params().steps() else {
            unreachable!("one step")
        };
        let attributes = [&scaler["data_min_"], &scaler["data_max_"]].map(number);
        assert_same(&[*min, *max], &attributes, &case["name"].to_string());
        check(scaler, &fitted, &x);
    }
}

#[test]
fn one_hot_blocks_are_those_of_scikit_learn() {
    // scikit-learn has a category for missing values, a share of the rows as a limit, a named
    // category to drop, and categories that are given: not offered here.
    let not_offered =
        ["unsorted_and_missing", "min_frequency_fraction", "drop_named", "given_categories"];
    let expected = expected();
    let offered = |case: &&Json| !not_offered.contains(&case["name"].as_str().unwrap());
    let cases: Vec<&Json> = items(&expected, "one_hot_encoder").iter().filter(offered).collect();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let train = categorical_table(&case["train"]);
        let (fitted, x) = fit(&train, |plan| {
            plan.one_hot_with("colour", one_hot(&case["options"]))
                .one_hot_with("size", one_hot(&case["options"]))
        })
        .unwrap();
        assert_eq!(
            fitted.feature_schema().names(),
            strings(items(case, "feature_names")),
            "{case}"
        );
        assert_rows(&x, items(case, "train_rows"), case);
        if case.get("new").is_some() {
            let new = fitted.transform(&categorical_table(&case["new"])).unwrap();
            assert_rows(&new, items(case, "new_rows"), case);
            let unseen: Vec<_> = new
                .report()
                .unseen_categories()
                .iter()
                .map(|count| (count.name(), count.n_rows(), count.first_row()))
                .collect();
            assert_eq!(unseen, [("colour", 1, 1), ("size", 1, 2)]);
        }
    }
}

fn one_hot(options: &Json) -> OneHot {
    let limit = |name: &str| options[name].as_u64().map(|n| usize::try_from(n).unwrap());
    let mut one_hot = OneHot::new();
    if let Some(n) = limit("min_frequency") {
        one_hot = one_hot.min_frequency(n);
    }
    if let Some(n) = limit("max_categories") {
        one_hot = one_hot.max_categories(n);
    }
    match options["drop"].as_str() {
        Some("first") => one_hot = one_hot.drop(Drop::First),
        Some("if_binary") => one_hot = one_hot.drop(Drop::IfBinary),
        _ => {}
    }
    if options["handle_unknown"] == "infrequent_if_exist" {
        one_hot = one_hot.unseen(Unseen::Infrequent);
    }
    one_hot
}

#[track_caller]
fn assert_rows(x: &FeatureMatrix, rows: &[Json], case: &Json) {
    assert_eq!(x.n_rows(), rows.len(), "{case}");
    for (found, expected) in x.view().rows().into_iter().zip(rows) {
        let expected = numbers(expected.as_array().unwrap());
        assert_same(&found.to_vec(), &expected, &case["name"].to_string());
    }
}

#[test]
fn categories_are_sorted_by_code_point() {
    let expected = expected();
    let case = named(items(&expected, "one_hot_encoder"), "unsorted_and_missing");
    let (fitted, _) =
        fit(&categorical_table(&case["train"]), |plan| plan.one_hot(["grade", "veneer"])).unwrap();
    let names = fitted.feature_schema().names();
    // The last category of scikit-learn is the missing one; here, as in pandas, it is no category.
    let (missing, present) = items(case, "feature_names").split_last().unwrap();
    assert_eq!(missing, "veneer_nan");
    assert_eq!(names, strings(present));
}

#[test]
fn features_are_ordered_as_by_get_dummies() {
    let expected = expected();
    let input = &expected["get_dummies_input"];
    let schema = InputSchema::builder()
        .numeric(["area"])
        .categorical(["style"])
        .numeric(["frontage"])
        .categorical(["zone"])
        .numeric(["class"])
        .build()
        .unwrap();
    let value = |json: &Json| match json {
        Json::String(text) => Value::from(text.as_str()),
        json => Value::from(json.as_f64()),
    };
    let record = |row: usize| -> Record {
        let columns = input.as_object().unwrap().iter();
        columns.map(|(name, values)| (name, value(&values[row]))).collect()
    };
    let table = Table::from_records(&[0, 1, 2, 3].map(record), &schema).unwrap();
    for (name, one_hot, columns) in [
        ("default", OneHot::new(), ["style", "zone"]),
        ("columns_in_given_order", OneHot::new(), ["zone", "style"]),
        ("drop_first", OneHot::new().drop(Drop::First), ["style", "zone"]),
    ] {
        let case = named(items(&expected, "get_dummies"), name);
        let [first, second] = columns;
        let (fitted, x) = fit(&table, |plan| {
            plan.one_hot_with(first, one_hot.clone()).one_hot_with(second, one_hot)
        })
        .unwrap();
        assert_eq!(fitted.feature_schema().names(), strings(items(case, "columns")), "{name}");
        assert_rows(&x, items(case, "rows"), case);
    }
}

#[test]
fn an_ordinal_column_is_mapped_and_filled_as_by_pandas() {
    let expected = expected();
    let case = &expected["map_fillna"];
    let table = categorical_table(&serde_json::json!({ "x": case["values"] }));
    let mapping = || {
        let mapping = case["map"].as_object().unwrap();
        Ordinal::mapping(mapping.iter().map(|(category, value)| (category, number(value))))
    };
    let (_, x) = fit(&table, |plan| plan.ordinal("x", mapping())).unwrap();
    assert_same(&x.view().column(0).to_vec(), &numbers(items(case, "mapped")), "without missing");
    let fill = number(&case["fill"]);
    let (_, x) = fit(&table, |plan| plan.ordinal("x", mapping().missing_value(fill))).unwrap();
    assert_same(&x.view().column(0).to_vec(), &numbers(items(case, "filled")), "with missing");
    let unseen = &x.report().unseen_categories()[0];
    assert_eq!((unseen.name(), unseen.n_rows(), unseen.first_row()), ("x", 1, 5));
}

#[test]
fn numbers_are_clipped_as_by_pandas() {
    let expected = expected();
    let case = &expected["clip"];
    let table = numeric_table(&numbers(items(case, "values")));
    let (_, x) = fit(&table, |plan| plan.clip("x", 1..=10)).unwrap();
    assert_same(&x.view().column(0).to_vec(), &numbers(items(case, "clipped")), "clip");
}

/// The workshop's schema: ten raw columns of Ames, Iowa.
fn workshop_schema() -> InputSchema {
    InputSchema::builder()
        .numeric(["LotFrontage", "GrLivArea", "GarageArea"])
        .categorical(["Neighborhood", "HouseStyle", "ExterQual", "MasVnrType"])
        .numeric(["YearBuilt", "YrSold", "OverallQual"])
        .target("SalePrice")
        .build()
        .unwrap()
}

/// The workshop's plan: 48 features.
fn workshop_plan() -> Preprocessor {
    Preprocessor::builder(&workshop_schema())
        .difference("HouseAge", "YrSold", "YearBuilt")
        .clip("OverallQual", 1..=10)
        .impute("LotFrontage", Impute::Mean)
        .impute("MasVnrType", Impute::MostFrequent)
        .ordinal("ExterQual", Ordinal::levels(["Po", "Fa", "TA", "Gd", "Ex"]).missing("TA"))
        .one_hot(["Neighborhood", "HouseStyle", "MasVnrType"])
        .build()
        .unwrap()
}

fn f32_bits(path: &str) -> Vec<u32> {
    let bytes = fs::read(fixture(path)).unwrap();
    let (numbers, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty());
    numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
}

fn f64_values(path: &str) -> Vec<f64> {
    let bytes = fs::read(fixture(path)).unwrap();
    let (numbers, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty());
    numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

#[track_caller]
fn assert_f32_bits(x: &FeatureMatrix, path: &str) {
    let found: Vec<u32> = x.view().iter().map(|value| (*value as f32).to_bits()).collect();
    assert_eq!(found, f32_bits(path), "{path}");
}

#[test]
fn workshop_features_are_those_of_pandas() {
    let expected = json("expected/workshop/workshop.json");
    let houses = Table::from_csv_path(fixture("AmesHousing.csv"), &workshop_schema()).unwrap();
    let (houses, n_dropped) = houses.drop_missing_target().unwrap();
    assert_eq!((houses.n_rows(), n_dropped), (2930, 0));
    let (train, test) = houses.train_test_split(0.2, 123).unwrap();
    assert_eq!((train.n_rows(), test.n_rows()), (2344, 586));
    assert_same(
        train.target().unwrap(),
        &f64_values("expected/workshop/ames_y_train_2344_f64le.bin"),
        "train target",
    );
    assert_same(
        test.target().unwrap(),
        &f64_values("expected/workshop/ames_y_test_586_f64le.bin"),
        "test target",
    );

    let (fitted, x_train) = workshop_plan().fit_transform(&train).unwrap();
    assert_eq!(fitted.feature_schema().names(), strings(items(&expected, "feature_names")));
    let fills: Vec<&Fill> = fitted
        .params()
        .steps()
        .iter()
        .filter_map(|step| match step {
            StepParams::Impute { value, .. } => Some(value),
            _ => None,
        })
        .collect();
    let mean = number(&expected["lotfrontage_mean"]);
    let mode = expected["masvnrtype_mode"].as_str().unwrap();
    assert_eq!(fills, [&Fill::Number(mean), &Fill::Category(mode.to_owned())]);

    assert_eq!(fitted.params().trained_with_missing(), ["GarageArea"]);
    let garage = fitted.feature_schema().position("GarageArea").unwrap();
    assert!(x_train.view()[[335, garage]].is_nan());
    assert!(x_train.report().is_empty());
    assert_f32_bits(&x_train, "expected/workshop/ames_X_train_2344x48_f32le.bin");
    let x_test = fitted.transform(&test).unwrap();
    assert_f32_bits(&x_test, "expected/workshop/ames_X_test_586x48_f32le.bin");
}

#[test]
fn workshop_params_are_readable_and_stable() {
    let houses = Table::from_csv_path(fixture("AmesHousing.csv"), &workshop_schema()).unwrap();
    let (train, _) = houses.train_test_split(0.2, 123).unwrap();
    let fitted = workshop_plan().fit(&train).unwrap();
    let json: Json = serde_json::from_str(&fitted.params().to_json()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(
        json["steps"][2],
        serde_json::json!({
            "step": "impute", "column": "LotFrontage", "strategy": "mean", "value": 69.41871165644172
        })
    );
    assert!(matches!(&houses.column("Neighborhood"), Some(Column::Categorical(_))));
    // A change of this hash orphans every bundle there is.
    assert_eq!(
        fitted.feature_schema().hash().to_string(),
        "d730b36e20a9986c1c9479e405c4e5b29cb42a5ec3535240195ee447046505ed"
    );
}

#[test]
fn workshop_requests_become_rows() {
    let houses = Table::from_csv_path(fixture("AmesHousing.csv"), &workshop_schema()).unwrap();
    let (train, _) = houses.train_test_split(0.2, 123).unwrap();
    let fitted = workshop_plan().fit(&train).unwrap();
    // Python writes NaN for a missing value, which is no JSON: the server's business, not this
    // crate's.
    let text =
        fs::read_to_string(fixture("requests/workshop.json")).unwrap().replace("NaN", "null");
    let records: Vec<Record> = serde_json::from_str(&text).unwrap();
    let x = fitted.transform(&Table::from_records(&records, &workshop_schema()).unwrap()).unwrap();
    let value =
        |row: usize, name: &str| x.view()[[row, fitted.feature_schema().position(name).unwrap()]];
    assert_same(
        &[value(0, "HouseAge"), value(0, "Neighborhood_NAmes"), value(1, "LotFrontage")],
        &[5.0, 1.0, 69.41871165644172],
        "request",
    );
    assert_same(&[value(1, "ExterQual")], &[3.0], "missing quality");
    let unseen = &x.report().unseen_categories()[0];
    assert_eq!((unseen.name(), unseen.n_rows(), unseen.first_row()), ("Neighborhood", 1, 1));
    assert!(x.report().untrained_missing().is_empty());
}
