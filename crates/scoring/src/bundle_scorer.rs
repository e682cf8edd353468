use spinney_artifact::{Error, ModelBundle};
use spinney_forest::Error as ForestError;
use spinney_preprocess::{Error as DataError, Table};

use crate::{ErrorCode, ModelIdentity, ScoreError, ScoreRequest, ScoreResponse, Scorer};

/// Scores with a [`ModelBundle`], and with nothing else: transformer and forest cannot come apart.
///
/// It guesses nothing. A missing column, a value of the wrong kind, or a missing value where the model was trained with none
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
        let table = Table::from_records(&request.records, self.bundle.input_schema())
            .map_err(|error| data_refusal(&error))?;
        let features = self.bundle.transform(&table).map_err(|error| self.refusal(error))?;
        if let Some(missing) = features.report().untrained_missing().first() {
            let (row, column) = (missing.first_row(), missing.name());
            let message = format!(
                "row {row}: `{column}` is missing, but the model was trained without missing values in it"
            );
            return Err(ScoreError::new(ErrorCode::MissingValue, message).at(row, column));
        }
        let predictions =
            self.bundle.predict_features(&features).map_err(|error| self.refusal(error))?;
        let unseen = features.report().unseen_categories().iter();
        Ok(ScoreResponse {
            predictions: predictions.to_vec(),
            unseen_categories: unseen
                .map(|unseen| (unseen.name().to_owned(), unseen.n_rows()))
                .collect(),
        })
    }

    fn model(&self) -> Option<&ModelIdentity> {
        Some(&self.model)
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
