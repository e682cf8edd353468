//! A table made of columns is the table of the same rows.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use spinney_preprocess::{Error, InputSchema, Record, Table};

fn schema() -> InputSchema {
    InputSchema::builder().numeric(["a"]).categorical(["w"]).build().unwrap()
}

/// Everything a table shows, numbers by their bits.
fn shown(table: &Table) -> (Vec<u64>, Vec<Option<String>>) {
    let numbers = table.column("a").unwrap().as_numeric().unwrap();
    let words = table.column("w").unwrap().as_categorical().unwrap();
    let bits = numbers.iter().map(|number| if number.is_nan() { 0 } else { number.to_bits() + 1 });
    (bits.collect(), words.iter().map(|word| word.map(str::to_owned)).collect())
}

fn rows() -> impl Strategy<Value = Vec<(Option<f64>, Option<String>)>> {
    let number = prop_oneof![(-1e6..1e6), Just(-0.0), Just(5e-324), Just(1e308)];
    let word = prop_oneof!["[a-z]", "[xyzé ,\"NA]{0,3}"];
    prop::collection::vec((prop::option::of(number), prop::option::of(word)), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn columns_give_the_table_of_records(rows in rows(), more in prop::collection::vec("[a-z]", 0..4)) {
        let records: Vec<Record> = rows
            .iter()
            .map(|(a, w)| Record::from([("a", (*a).into()), ("w", w.clone().into())]))
            .collect();
        let expected = Table::from_records(&records, &schema()).unwrap();

        let schema = schema();
        let mut plain = Table::builder(&schema);
        plain.words("w", rows.iter().map(|(_, w)| w.as_deref())).unwrap();
        plain.numbers("a", rows.iter().map(|(a, _)| *a)).unwrap();
        let plain = plain.finish().unwrap();
        prop_assert_eq!(plain.n_rows(), rows.len());
        prop_assert_eq!(shown(&plain), shown(&expected));

        // A dictionary with unused words, words twice, and a missing one.
        let mut dictionary: Vec<Option<&str>> = more.iter().map(|word| Some(word.as_str())).collect();
        dictionary.extend(rows.iter().map(|(_, w)| w.as_deref()));
        let mut encoded = Table::builder(&schema);
        encoded.numbers("a", rows.iter().map(|(a, _)| Some(a.unwrap_or(f64::NAN)))).unwrap();
        let keys = rows.iter().zip(more.len()..).map(|((_, w), key)| {
            // Missing by its key or by its word.
            (w.is_some() || key % 2 == 0).then_some(key)
        });
        encoded.encoded_words("w", dictionary, keys).unwrap();
        prop_assert_eq!(shown(&encoded.finish().unwrap()), shown(&expected));
    }

    #[test]
    fn csv_fields_give_the_table_of_the_csv(
        rows in prop::collection::vec(("[ 0-9.e+-]{0,6}|nan|NA|1e400", "[xyNA]{0,3}| NA"), 0..12)
    ) {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["w", "a"]).unwrap();
        for (a, w) in &rows {
            csv.write_record([w, a]).unwrap();
        }
        let expected = Table::from_csv_reader(csv.into_inner().unwrap().as_slice(), &schema());

        let schema = schema();
        let mut builder = Table::builder(&schema);
        builder.csv_fields("w", rows.iter().map(|(_, w)| w.as_str())).unwrap();
        let numbers = builder.csv_fields("a", rows.iter().map(|(a, _)| a.as_str()));
        match (numbers.and_then(|()| builder.finish()), expected) {
            (Ok(found), Ok(expected)) => prop_assert_eq!(shown(&found), shown(&expected)),
            (Err(found), Err(expected)) => {
                prop_assert_eq!(found.row(), expected.row());
                prop_assert_eq!(found.column(), expected.column());
            }
            (found, expected) => prop_assert!(false, "{found:?} {expected:?}"),
        }
    }
}

#[test]
fn says_which_column_is_wrong() {
    let schema = schema();
    let said = |give: fn(&mut spinney_preprocess::TableBuilder<'_>) -> Result<(), Error>| {
        let mut builder = Table::builder(&schema);
        let error = give(&mut builder).and_then(|()| builder.finish().map(|_| ())).unwrap_err();
        error.to_string()
    };
    assert_eq!(said(|_| Ok(())), "input column `a` is not there");
    assert_eq!(said(|table| table.numbers("b", [])), "there is no input column `b`");
    assert_eq!(
        said(|table| table.numbers("w", [Some(1.0)])),
        "input column `w` is categorical, found a numeric one"
    );
    assert_eq!(
        said(|table| table.words("a", [Some("x")])),
        "input column `a` is numeric, found a categorical one"
    );
    assert_eq!(
        said(|table| table.numbers("a", [None]).and_then(|()| table.numbers("a", [None]))),
        "column `a` is named twice"
    );
    assert_eq!(
        said(|table| table.numbers("a", [None, None]).and_then(|()| table.words("w", [None]))),
        "input column `w` has 1 row, those before it 2"
    );
    assert_eq!(
        said(|table| table.numbers("a", [Some(1.0), Some(f64::NEG_INFINITY)])),
        "row 1: column `a` has an infinite number"
    );
    assert_eq!(
        said(|table| table.encoded_words("w", [Some("x")], [Some(0), Some(1)])),
        "row 1: column `w` refers to a word that is not in its dictionary"
    );
}

#[test]
fn no_rows_are_a_table() {
    let schema = schema();
    let mut builder = Table::builder(&schema);
    builder.numbers("a", []).unwrap();
    builder.encoded_words("w", [Some("x")], []).unwrap();
    assert_eq!(builder.finish().unwrap().n_rows(), 0);
}
