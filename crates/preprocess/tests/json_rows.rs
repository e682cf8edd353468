//! JSON read straight into a table is JSON read into records and made a table of.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use spinney_preprocess::{Error, InputSchema, Record, Table};

fn schema() -> InputSchema {
    let schema = InputSchema::builder().numeric(["a", "b"]).categorical(["w"]).target("y");
    schema.build().unwrap()
}

/// The detour over records, where the text is a list of objects.
fn by_records(json: &str, schema: &InputSchema) -> Result<Table, Error> {
    let records: Vec<Record> =
        serde_json::from_str(json).map_err(|source| Error::JsonRows { source })?;
    Table::from_records(&records, schema)
}

/// Everything a table shows; NaN equals NaN.
fn shown(table: &Table) -> String {
    let columns: Vec<_> =
        table.columns().map(|(name, column)| format!("{name} {column:?}")).collect();
    format!(
        "{} {columns:?} {:?}",
        table.n_rows(),
        table.target().map_err(|error| error.to_string())
    )
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (-1e3..1e3_f64).prop_map(|number| number.to_string()),
        4 => "\"[xyzé]\"",
        1 => Just("null".to_owned()),
        1 => prop::sample::select(vec![
            "true", "false", "-0.0", "9007199254740993", "18446744073709551615", "-5", "1e308", "1e400",
            "\"\\u00e9\\n\"", "\"\"", "[1, [2]]", "{\"a\": {}}", "[]", "{}",
        ]).prop_map(str::to_owned),
    ]
}

/// A value of the kind that the column holds, mostly.
fn member() -> impl Strategy<Value = String> {
    let number = prop_oneof![9 => (-1e3..1e3_f64).prop_map(|x| x.to_string()), 1 => value()];
    let word = prop_oneof![9 => "\"[xyzé]\"", 1 => value()];
    prop_oneof![
        3 => (prop::sample::select(vec!["a", "b", "y"]), number).boxed(),
        2 => (Just("w"), word).boxed(),
        1 => (prop::sample::select(vec!["", "aa", "a\\\"", "w_x"]), value()).boxed(),
    ]
    .prop_map(|(name, value)| format!("\"{name}\": {value}"))
}

/// Objects that have all columns, perhaps twice, in any order.
fn object() -> impl Strategy<Value = String> {
    let all = (-9..9_i32, "[xyz]").prop_map(|(number, word)| {
        vec![format!("\"a\": {number}"), "\"b\": null".to_owned(), format!("\"w\": \"{word}\"")]
    });
    (prop::option::weighted(0.95, all), prop::collection::vec(member(), 0..4))
        .prop_map(|(all, more)| all.into_iter().flatten().chain(more).collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|members| format!("{{{}}}", members.join(", ")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn a_list_of_objects_gives_the_table_of_its_records(objects in prop::collection::vec(object(), 0..6)) {
        let json = format!(" [{}] ", objects.join(" ,\n"));
        match (Table::from_json(&json, &schema()), by_records(&json, &schema())) {
            (Ok(found), Ok(expected)) => prop_assert_eq!(shown(&found), shown(&expected)),
            // What is no value is met in its turn: a row before it may be refused first.
            (Err(_), Err(Error::JsonRows { .. })) => {}
            (Err(found), Err(expected)) => prop_assert_eq!(found.to_string(), expected.to_string()),
            (found, expected) => prop_assert!(false, "{:?} {:?}", found, expected),
        }
    }

    #[test]
    fn whatever_text_is_read_is_read_by_records_too(text in "[\\[\\]{}:,\"abwy0-9.e \\\\-]{0,60}") {
        if let Ok(table) = Table::from_json(&text, &schema()) {
            prop_assert_eq!(shown(&table), shown(&by_records(&text, &schema()).unwrap()));
        }
    }
}

#[test]
fn what_is_no_list_of_objects_is_refused() {
    for json in [
        "",
        "{}",
        "[",
        "[1]",
        "[[1]]",
        "[{}",
        "null",
        "[{\"a\": NaN}]",
        "[{\"a\": 1e400}]",
        "[] []",
    ] {
        let error = Table::from_json(json, &schema()).unwrap_err();
        assert!(
            matches!(error, Error::JsonRows { .. } | Error::MissingField { .. }),
            "{json}: {error}"
        );
        assert!(by_records(json, &schema()).is_err(), "{json}");
    }
}

#[test]
fn depth_is_no_danger() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let json = format!(r#"[{{"a": 1, "b": 2, "w": "x", "more": {deep}}}]"#);
    assert_eq!(Table::from_json(&json, &schema()).unwrap().n_rows(), 1);
    let json = format!(r#"[{{"b": 2, "w": "x", "a": {deep}}}]"#);
    let error = Table::from_json(&json, &schema()).unwrap_err();
    assert_eq!(error.to_string(), "row 0: column `a` is numeric, found an array");
}

#[test]
fn the_first_bad_row_is_named_whatever_follows() {
    let row = r#"{"a": 1, "b": 2, "w": "x"}"#;
    for (bad, message) in [
        (r#"{"a": 1, "w": "x"}"#, "row 1: column `b` is not there"),
        (r#"{"a": "1", "b": 2, "w": "x"}"#, "row 1: column `a` is numeric, found a string"),
        (r#"{"a": 1, "b": {}, "w": "x"}"#, "row 1: column `b` is numeric, found an object"),
        (r#"{"a": 1, "b": 2, "w": true}"#, "row 1: column `w` is categorical, found a boolean"),
    ] {
        let error = Table::from_json(&format!("[{row}, {bad}, broken"), &schema()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn names_that_no_column_has_are_told() {
    let json = r#"[{"a": 1, "b": 2, "w": "x", "other": 1}, {"more": [], "w": "", "b": 2, "a": 1}]"#;
    let mut names = Vec::new();
    let table = Table::from_json_with(json, &schema(), |name| names.push(name.to_owned())).unwrap();
    assert_eq!((table.n_rows(), names), (2, vec!["other".to_owned(), "more".to_owned()]));
}
