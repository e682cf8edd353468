//! Everything that is wrong with a request in one answer, with what would be right, and without the values.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{post, router};
use serde_json::{Value, json};
use spinney_scoring::{AnswerStyle, ServerOptions};

fn record() -> Value {
    let body: Value = serde_json::from_str(&workshop::request("workshop_lesson2.json")).unwrap();
    body["data"][0].clone()
}

async fn details(options: ServerOptions, body: Value) -> (String, Vec<Value>) {
    let answer = post(router(workshop::scorer(), options), body.to_string()).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let error = answer.json()["error"].clone();
    (error["message"].as_str().unwrap().to_owned(), error["details"].as_array().unwrap().clone())
}

#[tokio::test]
async fn all_fields_are_named_at_once() {
    let (mut first, mut third) = (record(), record());
    first.as_object_mut().unwrap().remove("GarageArea");
    first["GrLivArea"] = json!("big");
    third["YrSold"] = Value::Null;
    third["Neighborhood"] = json!(7);
    third["HouseStyle_1Story"] = json!(1);
    let (message, details) =
        details(ServerOptions::default(), json!([first, record(), third])).await;
    assert_eq!(message, "row 0: column `GrLivArea` is numeric, found a string; details has all 5");
    let places: Vec<(u64, &str, &str)> = details
        .iter()
        .map(|detail| {
            let text = |name: &str| detail[name].as_str().unwrap();
            (detail["row"].as_u64().unwrap(), text("field"), text("code"))
        })
        .collect();
    assert_eq!(
        places,
        [
            (0, "GrLivArea", "InvalidValue"),
            (0, "GarageArea", "MissingColumn"),
            (2, "Neighborhood", "InvalidValue"),
            (2, "YrSold", "MissingValue"),
            (2, "HouseStyle_1Story", "UnexpectedField"),
        ]
    );
    assert_eq!(details[0]["allowed"], json!({"type": "number"}));
    assert_eq!(details[3]["allowed"], json!({"type": "number"}));
    let words = details[2]["allowed"]["description"].as_str().unwrap();
    assert!(words.starts_with("known: Blmngtn, Blueste, ") && words.contains("NAmes"), "{words}");
    assert!(details.iter().all(|detail| detail.get("value").is_none()));
}

/// What may be null is what the model was trained with gaps in, or fills.
#[tokio::test]
async fn what_is_allowed_is_what_passes() {
    let server = spinney_scoring::Server::of(workshop::scorer(), ServerOptions::default());
    let deployment = &server.endpoint().deployments()[0];
    assert_eq!(deployment.model().unwrap().name, "ames-housing");
    let fields = spinney_scoring::Scorer::input_fields(&workshop::scorer());
    assert_eq!(fields.len(), 10);
    for field in fields {
        let mut row = record();
        row[field.name()] = Value::Null;
        let answer = post(server.router(), json!([row]).to_string()).await;
        assert_eq!(answer.status == 200, field.is_nullable(), "{}", field.name());
        assert!(field.admits("nobody has heard of it"), "{}", field.name());
    }
}

#[tokio::test]
async fn values_are_repeated_only_if_asked_for() {
    let mut row = record();
    row["GrLivArea"] = json!("Kerkstraat 12");
    row["Neighborhood"] = json!([1, 2]);
    let (_, details) = details(ServerOptions::default().echo_values(true), json!([row])).await;
    assert_eq!(details[0]["value"], json!("Kerkstraat 12"));
    assert!(details[1].get("value").is_none(), "a list is not kept");
}

#[tokio::test]
async fn a_hundred_are_enough() {
    let (message, details) = details(ServerOptions::default(), json!(vec![json!({}); 50])).await;
    assert_eq!(details.len(), 100);
    assert_eq!(message, "row 0: column `LotFrontage` is not there; details has all 100");
}

#[tokio::test]
async fn records_in_other_forms_are_looked_at_alike() {
    let mut row = record();
    row["GrLivArea"] = json!("big");
    let columns: Value = row
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    for body in [json!({"data": [row]}), json!({"dataframe_records": [row]}), row.clone(), columns]
    {
        let (message, details) = details(ServerOptions::default(), body).await;
        assert_eq!(message, "row 0: column `GrLivArea` is numeric, found a string");
        assert_eq!(details.len(), 1);
    }
}

/// The quick way and the long one give the same bits, in every style.
#[tokio::test]
async fn forms_do_not_change_predictions() {
    let rows: Vec<Value> = (0..30)
        .map(|i| {
            let mut row = record();
            row["GrLivArea"] = json!(900 + 37 * i);
            row["LotFrontage"] = if i % 3 == 0 { Value::Null } else { json!(40.5 + f64::from(i)) };
            row["Neighborhood"] = json!(if i % 4 == 0 { "Nowhere" } else { "NAmes" });
            row
        })
        .collect();
    let names: Vec<String> = record().as_object().unwrap().keys().cloned().collect();
    let values: Vec<Vec<&Value>> =
        rows.iter().map(|row| names.iter().map(|name| &row[name]).collect()).collect();
    let split = json!({"columns": names, "data": values}).to_string();
    for style in [AnswerStyle::Native, AnswerStyle::List, AnswerStyle::JsonString] {
        let app = router(workshop::scorer(), ServerOptions::default().answer_style(style));
        let quick = post(app.clone(), json!({"data": rows}).to_string()).await;
        let long = post(app, split.clone()).await;
        assert_eq!(quick.status, 200);
        assert_eq!(quick.text, long.text);
        assert_eq!(quick.headers["x-spinney-unseen"], long.headers["x-spinney-unseen"]);
        assert_eq!(quick.headers["x-spinney-unseen"], "Neighborhood=8");
    }
}
