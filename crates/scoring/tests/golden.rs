//! The workshop's requests, answered with the numbers of its Python stack, through the router in process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test may fail by panicking, and compares bits"
)]

mod app;
mod workshop;

use app::{post, router};
use axum::http::StatusCode;
use serde_json::json;
use spinney_scoring::{Key, ServerOptions};

#[tokio::test]
async fn the_workshops_request_with_bare_nan() {
    let app = router(workshop::scorer(), ServerOptions::default());
    let answer = post(app, workshop::request("workshop.json")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text, r#"{"predictions":[210830.93,232084.33666666667]}"#);
    // "Amsterdam", and the missing quality is no unseen one.
    assert_eq!(answer.headers["x-spinney-unseen"], "Neighborhood=1");
}

#[tokio::test]
async fn the_second_lessons_request() {
    let app = router(workshop::scorer(), ServerOptions::default());
    let answer = post(app, workshop::request("workshop_lesson2.json")).await;
    assert_eq!(answer.text, r#"{"predictions":[205980.87]}"#);
    assert!(!answer.headers.contains_key("x-spinney-unseen"));
}

/// Recorded requests whose answer does not rest on a guess: the same bits as the workshop's Python stack.
#[tokio::test]
async fn recorded_requests() {
    for name in [
        "001_single_record",
        "002_three_records",
        "004_int_lotfrontage",
        "005_key_order_shuffled",
        "007_lotfrontage_null_among_rows",
        "008_lotfrontage_NaN_token",
        "011_garagearea_null",
        "012_garagearea_null_among_rows",
        "015_garagearea_zero",
        "028_neighborhood_unknown",
        "030_neighborhood_space",
        "031_neighborhood_NWAmes",
        "034_housestyle_unknown",
        "035_masvnrtype_null",
        "040_exterqual_unknown",
        "044_overallqual_10",
        "045_overallqual_clip_low",
        "055_bool_overallqual",
        "060_extra_key_houseage",
        "067_large_ok",
        "068_big_int_64bit",
        "070_duplicate_json_keys",
        "105_test_rows_100",
        "107_float32_cast_just_above_threshold",
        "108_float32_cast_at_threshold",
        "110_disc_unknown_neighborhood",
        "111_disc_unknown_no_injection",
        "114_disc_float32_at",
        "115_disc_unknown_in_batch",
    ] {
        let vector = workshop::vector(&format!("{name}.json"));
        for lesson in ["les1", "les2"] {
            let body = vector[lesson]["request"]["body"].as_str().unwrap().to_owned();
            let app = router(workshop::scorer(), ServerOptions::default());
            let answer = post(app, body).await;
            let decoded = &vector[lesson]["decoded"];
            let expected = decoded.get("predictions").unwrap_or(decoded);
            assert_eq!(answer.json(), json!({"predictions": expected}), "{name} {lesson}");
        }
    }
}

#[tokio::test]
async fn answers_name_the_model() {
    let app = router(workshop::scorer(), ServerOptions::default());
    let answer = post(app, workshop::request("workshop.json")).await;
    assert_eq!(answer.headers["x-spinney-model"], "ames-housing");
    assert_eq!(answer.headers["x-spinney-model-version"], "1");
    let fingerprint = workshop::bundle().fingerprint().to_string();
    assert_eq!(answer.headers["x-spinney-fingerprint"], fingerprint);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn liveness_needs_no_key() {
    let options = ServerOptions::default().key(Key::new("secret"));
    let answer = app::get(router(workshop::scorer(), options), "/").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "Healthy"));
}
