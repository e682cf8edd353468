//! HTTP equals the bundle in process, a batch equals single rows, bit for bit.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod app;
mod workshop;

use app::{post, router};
use serde_json::Value;
use spinney_preprocess::{Record, Table};
use spinney_scoring::ServerOptions;

fn predictions(answer: &app::Answer) -> Vec<f64> {
    serde_json::from_value(answer.json()["predictions"].clone()).unwrap()
}

#[tokio::test]
async fn http_equals_the_bundle_and_a_batch_equals_single_rows() {
    let vector = workshop::vector("105_test_rows_100.json");
    let body = vector["les1"]["request"]["body"].as_str().unwrap();
    let records: Vec<Record> = serde_json::from_str(body).unwrap();
    let expected = workshop::bundle().predict_records(&records).unwrap();
    let app = router(workshop::scorer(), ServerOptions::default());
    assert_eq!(predictions(&post(app.clone(), body.to_owned()).await), expected.to_vec());
    let rows: Vec<Value> = serde_json::from_str(body).unwrap();
    for (row, expected) in rows.into_iter().zip(expected) {
        let answer = post(app.clone(), format!("[{row}]")).await;
        assert_eq!(predictions(&answer)[0].to_bits(), expected.to_bits());
    }
}

/// The hold-out rows of the CSV, sent as JSON, are answered with the CSV's predictions.
#[tokio::test]
async fn json_rows_equal_csv_rows() {
    let bundle = workshop::bundle();
    let csv =
        Table::from_csv_path(workshop::fixture("AmesHousing.csv"), bundle.input_schema()).unwrap();
    let (_, test) = csv.train_test_split(0.2, 123).unwrap();
    let expected = bundle.predict(&test).unwrap();
    let mut rows = vec![serde_json::Map::new(); test.n_rows()];
    for (name, column) in test.columns() {
        for (row, object) in rows.iter_mut().enumerate() {
            let value = match (column.as_numeric(), column.as_categorical()) {
                (Some(numbers), _) => Value::from(Some(numbers[row]).filter(|n| !n.is_nan())),
                (_, Some(words)) => Value::from(words.get(row)),
                _ => panic!("a column of neither kind"),
            };
            object.insert(name.to_owned(), value);
        }
    }
    let app = router(workshop::scorer(), ServerOptions::default());
    let answer = post(app, serde_json::to_string(&rows).unwrap()).await;
    assert_eq!(predictions(&answer), expected.to_vec());
}
