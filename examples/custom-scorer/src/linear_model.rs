use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use spinney_preprocess::{ColumnKind, Record, Value};
use spinney_scoring::{
    ErrorCode, FieldError, InitError, InputField, ScoreError, ScoreRequest, ScoreResponse, Scorer,
};

/// A linear regression: an intercept and a coefficient for each column.
#[derive(Debug, Deserialize)]
pub(crate) struct LinearModel {
    intercept: f64,
    coefficients: BTreeMap<String, f64>,
}

impl Scorer for LinearModel {
    /// Reads `linear.json` in the folder of the model.
    fn init(model_dir: &Path) -> Result<Self, InitError> {
        Ok(serde_json::from_slice(&fs::read(model_dir.join("linear.json"))?)?)
    }

    fn run(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        let records = request.records()?;
        let mut wrong = Vec::new();
        let predictions = records.iter().enumerate().map(|(row, record)| {
            let terms = self.coefficients.iter().map(|(column, coefficient)| {
                let number = number(row, record, column).map_err(|error| wrong.push(error));
                coefficient * number.unwrap_or_default()
            });
            self.intercept + terms.sum::<f64>()
        });
        let predictions = predictions.collect();
        if wrong.is_empty() {
            Ok(ScoreResponse::new(predictions))
        } else {
            Err(ScoreError::of_fields(wrong))
        }
    }

    /// What `swagger.json` says about a row.
    fn input_fields(&self) -> Vec<InputField> {
        let field = |name: &String| InputField::new(name, ColumnKind::Numeric).nullable(false);
        self.coefficients.keys().map(field).collect()
    }
}

fn number(row: usize, record: &Record, column: &str) -> Result<f64, FieldError> {
    let refuse = |code, what: &str| {
        let message = format!("row {row}: column `{column}` {what}");
        Err(FieldError::new(row, Some(column.to_owned()), code, message))
    };
    match record.get(column) {
        Some(Value::Number(number)) => Ok(*number),
        Some(_) => refuse(ErrorCode::InvalidValue, "holds no number"),
        None => refuse(ErrorCode::MissingColumn, "is not there"),
    }
}
