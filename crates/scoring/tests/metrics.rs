//! What Prometheus reads: counts of all that a client or an operator may want to know, and nothing that a client has sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod app;
mod workshop;

use app::{get, post, router};
use axum::Router;
use serde_json::{Value, json};
use spinney_artifact::{BundleMetadata, ModelBundle};
use spinney_preprocess::{Table, TrainingRanges};
use spinney_scoring::{AnswerStyle, BundleScorer, ServerOptions};

async fn metrics(app: &Router) -> String {
    let answer = get(app.clone(), "/metrics").await;
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    assert!(answer.text.ends_with("# EOF\n"));
    answer.text
}

fn assert_has(metrics: &str, lines: &[&str]) {
    for line in lines {
        assert!(metrics.lines().any(|found| found == *line), "{line} is not in\n{metrics}");
    }
}

fn record() -> Value {
    let body: Value = serde_json::from_str(&workshop::request("workshop_lesson2.json")).unwrap();
    body["data"][0].clone()
}

/// The workshop's bundle, with the ranges of its training data.
fn with_ranges() -> BundleScorer {
    let bundle = workshop::bundle();
    let table = Table::from_csv_path(workshop::fixture("AmesHousing.csv"), bundle.input_schema());
    let metadata = BundleMetadata::new("ames-housing", "2")
        .training_ranges(TrainingRanges::of(&table.unwrap()));
    let (transformer, forest) = (bundle.transformer().clone(), bundle.forest().clone());
    BundleScorer::new(ModelBundle::new(transformer, forest, metadata).unwrap())
}

#[tokio::test]
async fn what_is_scored_and_refused_is_counted() {
    let app = router(workshop::scorer(), ServerOptions::default());
    let mut odd = record();
    odd["LotFrontage"] = Value::Null;
    odd["Neighborhood"] = json!("Kerkstraat");
    post(app.clone(), json!([record(), odd, odd]).to_string()).await;
    post(app.clone(), "[1]").await;
    post(app.clone(), "nothing").await;
    let metrics = metrics(&app).await;
    assert_has(
        &metrics,
        &[
            r#"spinney_requests_total{status="200"} 1"#,
            r#"spinney_requests_total{status="422"} 1"#,
            r#"spinney_errors_total{code="WrongShape"} 1"#,
            r#"spinney_errors_total{code="MalformedJson"} 1"#,
            r#"spinney_rows_total{deployment="default"} 3"#,
            r#"spinney_scoring_duration_seconds_count{deployment="default"} 1"#,
            r#"spinney_unseen_categories_total{deployment="default",column="Neighborhood"} 2"#,
            r#"spinney_missing_values_total{deployment="default",column="LotFrontage"} 2"#,
            r#"spinney_traffic_percent{deployment="default"} 100"#,
            "spinney_queue_length 0",
        ],
    );
    let fingerprint = workshop::bundle().fingerprint().to_string();
    assert!(
        metrics.contains(&format!(r#"version="1",fingerprint="{fingerprint}"}} 1"#)),
        "{metrics}"
    );
    assert!(!metrics.contains("Kerkstraat"), "values are for nobody");
}

#[tokio::test]
async fn drift_is_counted_against_the_ranges_of_the_training() {
    let app = router(with_ranges(), ServerOptions::default());
    let mut rows = vec![record(); 4];
    rows[0]["GrLivArea"] = json!(1e6);
    rows[1]["GrLivArea"] = json!(1);
    rows[2]["GrLivArea"] = json!(2);
    // The ends of a range are in it, and a missing value is out of none.
    rows[3]["GrLivArea"] = json!(334);
    rows[3]["LotFrontage"] = Value::Null;
    assert_eq!(post(app.clone(), json!(rows).to_string()).await.status, 200);
    let metrics = metrics(&app).await;
    assert_has(
        &metrics,
        &[
            r#"spinney_out_of_range_total{deployment="default",column="GrLivArea",side="below"} 2"#,
            r#"spinney_out_of_range_total{deployment="default",column="GrLivArea",side="above"} 1"#,
        ],
    );
    assert!(!metrics.contains(r#"column="LotFrontage",side"#));
}

#[tokio::test]
async fn guesses_are_counted() {
    let app = router(workshop::scorer(), ServerOptions::default().answer_style(AnswerStyle::List));
    let mut row = record();
    row.as_object_mut().unwrap().remove("GarageArea");
    row["ExterQual"] = json!(4);
    assert_eq!(post(app.clone(), json!([row]).to_string()).await.status, 200);
    assert_has(
        &metrics(&app).await,
        &[
            r#"spinney_guesses_total{deployment="default",column="GarageArea",kind="absent-everywhere"} 1"#,
            r#"spinney_guesses_total{deployment="default",column="ExterQual",kind="number-as-no-word"} 1"#,
        ],
    );
}
