//! Recorded requests in the styles of the workshop's scripts: whatever those score is scored to the same bits, guesses included.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use std::fs;

use app::{Answer, post, router};
use axum::http::StatusCode;
use serde_json::{Value, json};
use spinney_scoring::{AnswerStyle, ServerOptions};

fn vectors() -> Vec<Value> {
    let folder = fs::read_dir(workshop::fixture("scoring/vectors")).unwrap();
    let mut vectors: Vec<Value> = folder
        .map(|entry| serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap())
        .collect();
    vectors.sort_by_key(|vector| vector["id"].to_string());
    assert_eq!(vectors.len(), 81);
    vectors
}

async fn answer(style: AnswerStyle, body: &Value) -> Answer {
    let options = ServerOptions::default().answer_style(style);
    post(router(workshop::scorer(), options), body.as_str().unwrap().to_owned()).await
}

#[tokio::test]
async fn whatever_the_first_script_scores_is_answered_with_its_bytes() {
    let mut n_scored = 0;
    for vector in vectors() {
        let (request, response) = (&vector["les1"]["request"], &vector["les1"]["response"]);
        let expected = response["body"].as_str().unwrap();
        if !expected.starts_with("\"{\\\"predictions") {
            continue;
        }
        let answer = answer(AnswerStyle::JsonString, &request["body"]).await;
        assert_eq!(answer.text, expected, "{}", vector["id"]);
        n_scored += 1;
    }
    assert_eq!(n_scored, 45);
}

#[tokio::test]
async fn whatever_the_second_script_scores_is_answered_with_its_bytes() {
    let mut n_scored = 0;
    for vector in vectors() {
        let (request, response) = (&vector["les2"]["request"], &vector["les2"]["response"]);
        if response["status"] != 200 {
            continue;
        }
        let answer = answer(AnswerStyle::List, &request["body"]).await;
        assert_eq!(answer.text, response["body"].as_str().unwrap(), "{}", vector["id"]);
        n_scored += 1;
    }
    assert_eq!(n_scored, 45);
}

/// What rests on a guess is refused in the native style, and scored with a word about it in the others.
#[tokio::test]
async fn guesses_are_reported_or_refused() {
    for (name, guesses) in [
        ("014_garagearea_missing_all", "GarageArea=absent-everywhere:1"),
        (
            "017_grlivarea_missing_one_of_two",
            "GrLivArea=absent-in-row:1, GrLivArea=untrained-missing:1",
        ),
        ("021_yrsold_null", "YrSold=untrained-missing:1, HouseAge=untrained-missing:1"),
        ("032_neighborhood_number", "Neighborhood=number-as-word:1"),
        ("041_exterqual_int", "ExterQual=number-as-no-word:1"),
        ("047_str_lotfrontage", "LotFrontage=text-as-number:1"),
        ("112_disc_injected_dummy", "Neighborhood_NridgHt=feature-of-client:1"),
    ] {
        let vector = workshop::vector(&format!("{name}.json"));
        let body = &vector["les1"]["request"]["body"];
        let lenient = answer(AnswerStyle::JsonString, body).await;
        assert_eq!(lenient.headers["x-spinney-guesses"], guesses, "{name}");
        let strict = answer(AnswerStyle::Native, body).await;
        assert_eq!(strict.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {}", strict.text);
        assert!(!strict.headers.contains_key("x-spinney-guesses"));
    }
}

#[tokio::test]
async fn what_no_script_scores_is_refused_in_every_style() {
    for name in [
        "010_lotfrontage_missing_all",
        "050_str_grlivarea_comma",
        "052_str_overallqual",
        "054_str_both_years",
        "057_list_in_cell",
        "062_extra_key_duplicate_dummy",
        "064_infinity_token",
        "071_empty_list",
        "098_bad_json",
    ] {
        let vector = workshop::vector(&format!("{name}.json"));
        let body = &vector["les1"]["request"]["body"];
        for style in [AnswerStyle::List, AnswerStyle::JsonString] {
            let answer = answer(style, body).await;
            assert!(answer.status.is_client_error(), "{name} {style} {}", answer.text);
            assert!(answer.json()["error"]["code"].is_string(), "{name}");
        }
    }
}

#[tokio::test]
async fn errors_hide_in_answers_if_asked_to() {
    let options =
        ServerOptions::default().answer_style(AnswerStyle::JsonString).errors_in_answers(true);
    let answer = post(router(workshop::scorer(), options), "[]").await;
    assert_eq!(answer.status, StatusCode::OK);
    let inner: Value = serde_json::from_str(answer.json().as_str().unwrap()).unwrap();
    assert_eq!(inner, json!({"error": "there are no rows"}));
}
