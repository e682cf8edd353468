//! Makes the bundles that later releases have to read: `cargo run -p spinney-artifact --example freeze_bundles`.
//!
//! They go to fixtures/bundles/v{FORMAT_VERSION}, with what they predict. A folder that is there is never made again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a program for developers")]

use std::{fs, path::Path};

use serde_json::{Value, json};
use spinney_artifact::{FORMAT_VERSION, ModelBundle};
use spinney_preprocess::Record;

#[path = "../tests/model/mod.rs"]
mod model;

fn main() {
    let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bundles");
    let folder = bundles.join(format!("v{FORMAT_VERSION}"));
    assert!(!folder.exists(), "{} is frozen", folder.display());
    fs::create_dir_all(&folder).unwrap();
    let kinds = ["real", "whole", "best_first", "weighted", "extra_trees", "pruned"];
    let random = (0..).zip(kinds).map(|(kind, name)| (name, model::random(60, 12, kind, 3)));
    let mut expected = Vec::new();
    for (name, bundle) in random.chain([("prices", model::bundle(7))]) {
        let file = format!("{name}.bundle");
        bundle.save(folder.join(&file)).unwrap();
        let rows = rows(&bundle);
        let records: Vec<Record> = serde_json::from_value(rows.clone().into()).unwrap();
        let predictions = bundle.predict_records(&records).unwrap().to_vec();
        expected.push(json!({
            "file": file,
            "fingerprint": bundle.fingerprint().to_string(),
            "rows": rows,
            "predictions": predictions,
        }));
    }
    let text = serde_json::to_string_pretty(&expected).unwrap();
    fs::write(folder.join("expected.json"), text + "\n").unwrap();
}

/// Rows that go left and right everywhere, some of their values missing.
fn rows(bundle: &ModelBundle) -> Vec<Value> {
    let words = ["flat", "house", "castle"];
    let row = |row: usize| {
        let columns = bundle.input_schema().columns().enumerate();
        columns
            .map(|(column, (name, kind))| {
                let place = row * 7 + column * 3;
                let value = match kind.to_string().as_str() {
                    _ if place.is_multiple_of(5) => Value::Null,
                    "categorical" => words[place % 3].into(),
                    _ if name.starts_with('f') => ((place % 11) as f64 / 11.0).into(),
                    _ => (place % 13 * 200).into(),
                };
                (name.to_owned(), value)
            })
            .collect()
    };
    (0..20).map(|number| Value::Object(row(number))).collect()
}
