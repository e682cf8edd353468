use ndarray::Array1;
use spinney_artifact::{Error, ModelBundle};
use spinney_forest::Error as ForestError;
use spinney_preprocess::{Error as DataError, FeatureMatrix, InputSchema, Record, Table};

use crate::{
    ErrorCode, Guess, GuessKind, ModelIdentity, ScoreError, ScoreRequest, ScoreResponse, Scorer,
    guess::Guessed,
};

/// Scores with a [`ModelBundle`], and with nothing else: transformer and forest cannot come apart.
///
/// Unless a request [allows it](ScoreRequest::guess), it guesses nothing. A missing column, a value of the wrong kind, or a missing value where the model was trained with none
/// is refused with the record and the column. A missing value that has an imputer, or that the forest was trained with, is
/// fine. A category that the model has not seen is scored as none of those it knows, and reported.
#[derive(Debug)]
pub struct BundleScorer {
    bundle: ModelBundle,
    model: ModelIdentity,
}

impl BundleScorer {
    /// Takes a bundle, and compiles its forest: the first request is not to wait for that.
    #[must_use]
    pub fn new(bundle: ModelBundle) -> Self {
        bundle.predictor();
        let model = ModelIdentity {
            name: bundle.metadata().name().to_owned(),
            version: bundle.metadata().version().to_owned(),
            fingerprint: bundle.fingerprint().to_string(),
        };
        Self { bundle, model }
    }

    fn score_strictly(&self, records: &[Record]) -> Result<ScoreResponse, ScoreError> {
        let features = self.transform(records)?;
        if let Some(missing) = features.report().untrained_missing().first() {
            let (row, column) = (missing.first_row(), missing.name());
            let message = format!(
                "row {row}: `{column}` is missing, but the model was trained without missing values in it"
            );
            return Err(ScoreError::new(ErrorCode::MissingValue, message).at(row, column));
        }
        let predictions = self.bundle.predict_features(&features);
        let predictions = predictions.map_err(|error| self.refusal(error))?;
        Ok(response(&predictions, &features, Vec::new()))
    }

    fn score_guessing(&self, rows: &[Record]) -> Result<ScoreResponse, ScoreError> {
        let params = self.bundle.transformer().params();
        let mut guessed = Guessed::new(rows, params)?;
        let features = self.transform(&guessed.records)?;
        let x = guessed.features(rows, params, &features)?;
        let predictions = self.bundle.predictor().predict(x.view());
        let predictions = predictions.map_err(|error| self.refusal(error.into()))?;
        let missing = features.report().untrained_missing().iter().map(|missing| Guess {
            column: missing.name().to_owned(),
            kind: GuessKind::UntrainedMissing,
            rows: missing.n_rows(),
        });
        let guesses = guessed.guesses.into_iter().chain(missing).collect();
        Ok(response(&predictions, &features, guesses))
    }

    fn transform(&self, records: &[Record]) -> Result<FeatureMatrix, ScoreError> {
        let table = Table::from_records(records, self.bundle.input_schema())
            .map_err(|error| data_refusal(&error))?;
        self.bundle.transform(&table).map_err(|error| self.refusal(error))
    }

    fn refusal(&self, error: Error) -> ScoreError {
        match error {
            Error::Preprocess(error) => data_refusal(&error),
            Error::Forest(ForestError::InfiniteFeature { row, column }) => {
                let names = self.bundle.feature_schema().names();
                let feature = names.get(column).map_or("", String::as_str);
                let message = format!("row {row}: feature `{feature}` is too large for the forest");
                ScoreError::new(ErrorCode::InvalidValue, message).at(row, feature)
            }
            error => {
                tracing::error!(%error, "the bundle could not score");
                ScoreError::internal()
            }
        }
    }
}

impl Scorer for BundleScorer {
    fn score(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        if request.guess {
            self.score_guessing(&request.records)
        } else {
            self.score_strictly(&request.records)
        }
    }

    fn input_schema(&self) -> Option<&InputSchema> {
        Some(self.bundle.input_schema())
    }

    fn model(&self) -> Option<&ModelIdentity> {
        Some(&self.model)
    }
}

fn response(
    predictions: &Array1<f64>,
    features: &FeatureMatrix,
    guesses: Vec<Guess>,
) -> ScoreResponse {
    let unseen = features.report().unseen_categories().iter();
    ScoreResponse {
        predictions: predictions.to_vec(),
        unseen_categories: unseen
            .map(|unseen| (unseen.name().to_owned(), unseen.n_rows()))
            .collect(),
        guesses,
    }
}

fn data_refusal(error: &DataError) -> ScoreError {
    let code = match error {
        DataError::MissingField { .. } => ErrorCode::MissingColumn,
        _ => ErrorCode::InvalidValue,
    };
    let refusal = ScoreError::new(code, error.to_string());
    match error.column() {
        Some(column) => refusal.at(error.row(), column),
        None => refusal,
    }
}
