//! Answering as the workshop's scoring scripts do, which guess where [`BundleScorer`](crate::BundleScorer) refuses.
//!
//! pandas makes one table of all rows before it looks at any: a column that no row has is filled with 0 at the end, one that some
//! rows lack is missing there, and what is no word where words are expected is none of them. Each guess is reported.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;
use spinney_preprocess::{ColumnKind, FeatureMatrix, Record, StepParams, TransformParams, Value};

use crate::{ErrorCode, Guess, GuessKind, ScoreError};

/// Rows as the transformer takes them, and what was guessed on the way.
#[derive(Debug)]
pub(crate) struct Guessed {
    pub(crate) records: Vec<Record>,
    pub(crate) guesses: Vec<Guess>,
}

/// What the steps do with a column decides what pandas lets pass in it.
#[derive(Default)]
struct Roles<'a> {
    /// Columns that some step asks for by name.
    named: BTreeSet<&'a str>,
    /// Columns that are computed with before they become features: text fails there.
    computed: BTreeSet<&'a str>,
    ordinal: BTreeSet<&'a str>,
}

impl<'a> Roles<'a> {
    fn new(params: &'a TransformParams) -> Self {
        let mut roles = Self::default();
        for step in params.steps() {
            match step {
                StepParams::Difference { minuend, subtrahend, .. } => {
                    roles.named.extend([minuend.as_str(), subtrahend]);
                    roles.computed.extend([minuend.as_str(), subtrahend]);
                }
                StepParams::Clip { column, .. }
                | StepParams::StandardScale { column, .. }
                | StepParams::MinMaxScale { column, .. } => {
                    roles.named.insert(column);
                    roles.computed.insert(column);
                }
                StepParams::Ordinal { column, .. } => {
                    roles.named.insert(column);
                    roles.ordinal.insert(column);
                }
                StepParams::Impute { column, .. }
                | StepParams::OneHot { column, .. }
                | StepParams::Drop { column } => {
                    roles.named.insert(column);
                }
                _ => {}
            }
        }
        roles
    }
}

impl Guessed {
    /// Fills what rows lack, and makes of values what pandas would.
    pub(crate) fn new(rows: &[Record], params: &TransformParams) -> Result<Self, ScoreError> {
        let roles = Roles::new(params);
        if rows.is_empty() {
            return Err(ScoreError::new(ErrorCode::WrongShape, "there are no rows"));
        }
        let mut guessed = Self { records: vec![Record::new(); rows.len()], guesses: Vec::new() };
        for (column, kind) in params.input_schema().columns() {
            if rows.iter().all(|row| row.get(column).is_none()) {
                guessed.fill_absent(column, kind, &roles)?;
                continue;
            }
            for (number, row) in rows.iter().enumerate() {
                let value = match row.get(column) {
                    None => guessed.guess(column, GuessKind::AbsentInRow, Value::Null),
                    Some(value) => guessed.value(number, column, kind, value, &roles)?,
                };
                guessed.records[number].insert(column, value);
            }
        }
        Ok(guessed)
    }

    fn fill_absent(
        &mut self,
        column: &str,
        kind: ColumnKind,
        roles: &Roles<'_>,
    ) -> Result<(), ScoreError> {
        if kind != ColumnKind::Numeric || roles.named.contains(column) {
            let message = format!("no row has the column `{column}`");
            return Err(ScoreError::new(ErrorCode::MissingColumn, message).at(None, column));
        }
        let zero = self.guess(column, GuessKind::AbsentEverywhere, Value::Number(0.0));
        for record in &mut self.records {
            record.insert(column, zero.clone());
        }
        Ok(())
    }

    fn value(
        &mut self,
        row: usize,
        column: &str,
        kind: ColumnKind,
        value: &Value,
        roles: &Roles<'_>,
    ) -> Result<Value, ScoreError> {
        let guess = match (kind, value) {
            (ColumnKind::Numeric, Value::String(text)) if !roles.computed.contains(column) => {
                let number = text.trim().parse().ok().filter(|number: &f64| !number.is_infinite());
                let number = number.ok_or_else(|| {
                    let message =
                        format!("row {row}: column `{column}` holds text that is no number");
                    ScoreError::new(ErrorCode::InvalidValue, message).at(row, column)
                })?;
                let number = if number.is_nan() { Value::Null } else { Value::Number(number) };
                (GuessKind::TextAsNumber, number)
            }
            (ColumnKind::Categorical, Value::Number(_) | Value::Bool(_))
                if roles.ordinal.contains(column) =>
            {
                (GuessKind::NumberAsNoWord, Value::Null)
            }
            (ColumnKind::Categorical, Value::Number(number)) => {
                (GuessKind::NumberAsWord, Value::String(number.to_string()))
            }
            (ColumnKind::Categorical, Value::Bool(flag)) => {
                let word = if *flag { "True" } else { "False" };
                (GuessKind::NumberAsWord, Value::String(word.to_owned()))
            }
            _ => return Ok(value.clone()),
        };
        Ok(self.guess(column, guess.0, guess.1))
    }

    fn guess(&mut self, column: &str, kind: GuessKind, value: Value) -> Value {
        let is_same = |guess: &&mut Guess| guess.column == column && guess.kind == kind;
        match self.guesses.iter_mut().find(is_same) {
            Some(guess) => guess.rows += 1,
            None => self.guesses.push(Guess { column: column.to_owned(), kind, rows: 1 }),
        }
        value
    }

    /// The features, in which clients may set those of a category that no row of theirs has.
    pub(crate) fn features(
        &mut self,
        rows: &[Record],
        made: &BTreeMap<String, String>,
        features: &FeatureMatrix,
    ) -> Result<Array2<f64>, ScoreError> {
        let mut x = features.view().to_owned();
        for (place, name) in features.schema().names().iter().enumerate() {
            if !made.contains_key(name) || rows.iter().all(|row| row.get(name).is_none()) {
                continue;
            }
            if x.column(place).iter().any(|value| *value != 0.0) {
                let message =
                    format!("column `{name}` is there twice: of its own, and from a category");
                return Err(ScoreError::new(ErrorCode::InvalidValue, message).at(None, name));
            }
            for (row, record) in rows.iter().enumerate() {
                x[[row, place]] = match record.get(name) {
                    None | Some(Value::Null) => f64::NAN,
                    Some(Value::Number(number)) => *number,
                    Some(Value::Bool(flag)) => f64::from(u8::from(*flag)),
                    Some(_) => {
                        let message = format!("row {row}: column `{name}` holds no number");
                        return Err(ScoreError::new(ErrorCode::InvalidValue, message).at(row, name));
                    }
                };
                self.guess(name, GuessKind::FeatureOfClient, Value::Null);
            }
        }
        Ok(x)
    }
}
