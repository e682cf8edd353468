//! Every form in which clients of Azure ML send rows is answered alike, or refused by what is wrong with it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{post, router};
use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};
use spinney_scoring::ServerOptions;

/// The records of the workshop's first request, without its bare NaN.
fn records() -> Vec<Value> {
    let text = workshop::request("workshop.json").replace("NaN", "null");
    serde_json::from_str(&text).unwrap()
}

fn names() -> Vec<String> {
    records()[0].as_object().unwrap().keys().cloned().collect()
}

fn split(records: &[Value]) -> Value {
    let row = |record: &Value| names().iter().map(|name| record[name].clone()).collect::<Vec<_>>();
    json!({"columns": names(), "data": records.iter().map(row).collect::<Vec<_>>()})
}

fn columns(records: &[Value]) -> Value {
    let column = |name: &String| {
        let values: Vec<Value> = records.iter().map(|record| record[name].clone()).collect();
        (name.clone(), values.into())
    };
    Value::Object(names().iter().map(column).collect())
}

fn indexed(records: &[Value]) -> Value {
    let column = |name: &String| {
        let values = records.iter().enumerate();
        let values = values.map(|(row, record)| ((row * 7).to_string(), record[name].clone()));
        (name.clone(), Value::Object(values.collect()))
    };
    Value::Object(names().iter().map(column).collect())
}

fn tensors(records: &[Value]) -> Value {
    let tensor = |name: &String| {
        let data: Vec<Value> = records.iter().map(|record| record[name].clone()).collect();
        json!({"name": name, "shape": [data.len(), 1], "datatype": "FP64", "data": data})
    };
    names().iter().map(tensor).collect()
}

async fn answer(body: &Value) -> (StatusCode, Value) {
    let app = router(workshop::scorer(), ServerOptions::default());
    let answer = post(app, body.to_string()).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn every_envelope_is_understood() {
    let rows = records();
    let with_index = {
        let mut split = split(&rows);
        split["index"] = json!([5, 9]);
        split
    };
    for body in [
        json!(rows),
        json!({"data": rows}),
        json!({"input_data": rows}),
        json!({"input_data": split(&rows)}),
        json!({"input_data": {"columns": names(), "index": [0, 1], "data": split(&rows)["data"]}, "params": {}}),
        json!({"dataframe_split": with_index}),
        json!({"dataframe_records": rows}),
        json!({"instances": rows, "signature_name": "serving_default"}),
        json!({"inputs": columns(&rows)}),
        json!({"inputs": tensors(&rows), "id": "7"}),
        json!({"Inputs": {"data": rows}, "GlobalParameters": 1.0}),
        json!({"Inputs": {"WebServiceInput0": rows}, "GlobalParameters": {}}),
        split(&rows),
        columns(&rows),
        json!({"data": columns(&rows)}),
        indexed(&rows),
    ] {
        let expected = json!({"predictions": [210_830.93, 232_084.336_666_666_67]});
        assert_eq!(answer(&body).await, (StatusCode::OK, expected), "{body}");
    }
    let one = answer(&rows[0]).await;
    assert_eq!(one, (StatusCode::OK, json!({"predictions": [210_830.93]})));
}

#[tokio::test]
async fn no_rows_in_any_envelope_are_no_predictions() {
    for body in [
        json!([]),
        json!({"data": []}),
        json!({"input_data": {"columns": names(), "data": []}}),
        json!({"inputs": columns(&[])}),
    ] {
        assert_eq!(answer(&body).await, (StatusCode::OK, json!({"predictions": []})), "{body}");
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_an_envelope() {
    let rows = records();
    let (mut ragged, mut short, mut mixed) = (columns(&rows), split(&rows), columns(&rows));
    ragged["GrLivArea"] = json!([1500]);
    short["data"][1].as_array_mut().unwrap().pop();
    mixed["YrSold"] = json!(2010);
    let mut other_index = indexed(&rows);
    other_index["YrSold"]["3"] = json!(2010);
    let mut matrix = tensors(&rows);
    matrix[0]["shape"] = json!([1, 2]);
    let mut long = tensors(&rows);
    long[0]["shape"] = json!([3]);
    for (body, problem) in [
        (ragged, "column `GrLivArea` has 1 values, but column `ExterQual` has 2"),
        (short, "row 1 has 9 values for 10 columns"),
        (mixed, "some columns are lists and others single values"),
        (other_index, "column `YrSold` has an index that the first column lacks"),
        (json!({"inputs": matrix}), "the tensor `ExterQual` has more than one value for each row"),
        (json!({"inputs": long}), "another number of values than its shape says"),
        (json!([[1, 2], [3, 4]]), "row 0 is a list: without the names of the columns"),
        (json!({"columns": ["a"], "data": [1]}), "row 0 is not a list of values"),
        (json!({"columns": [1], "data": [[1]]}), "the body has not the form it should"),
        (json!({}), "an empty object"),
        (json!({"data": {"data": {"data": {"data": []}}}}), "objects within objects"),
        (json!(7), "something else"),
    ] {
        let (status, refusal) = answer(&body).await;
        let error = &refusal["error"];
        assert_eq!((status.as_u16(), error["code"].as_str()), (422, Some("WrongShape")), "{body}");
        assert!(error["message"].as_str().unwrap().contains(problem), "{error}");
    }
}

/// A column may have a wrapper's name.
#[tokio::test]
async fn a_column_called_data_is_a_column() {
    let mut body = columns(&records());
    body["data"] = json!([1, 2]);
    assert_eq!(answer(&body).await.0, StatusCode::OK);
    body["inputs"] = json!(["a", "b"]);
    assert_eq!(answer(&body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn infinite_numbers_are_named_in_every_envelope() {
    for (body, row, column) in [
        (r#"{"GrLivArea": [1, Infinity]}"#, Some(1), Some("GrLivArea")),
        (r#"{"columns": ["GrLivArea"], "data": [[1], [1e400]]}"#, Some(1), None),
        (r#"{"inputs": {"GrLivArea": [-Infinity]}}"#, Some(0), Some("GrLivArea")),
    ] {
        let app = router(workshop::scorer(), ServerOptions::default());
        let (status, code, _, found_row, found_column) = post(app, body).await.refusal();
        assert_eq!((status, code.as_str()), (422, "InvalidValue"), "{body}");
        assert_eq!((found_row, found_column.as_deref()), (row, column), "{body}");
    }
}

fn any_envelope() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        Just(json!(["GrLivArea"])),
    ];
    let name = prop_oneof![
        Just("data"),
        Just("columns"),
        Just("inputs"),
        Just("Inputs"),
        Just("input_data"),
        Just("name"),
        Just("shape"),
        Just("datatype"),
        Just("GrLivArea"),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let object =
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_envelope_is_answered_with_a_server_error(body in any_envelope()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, _) = runtime.block_on(answer(&body));
        prop_assert!(status == StatusCode::OK || status.is_client_error(), "{body} {status}");
    }
}
