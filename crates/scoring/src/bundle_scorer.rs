use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ndarray::ArrayView2;
use spinney_artifact::{Error, ModelBundle};
use spinney_forest::Error as ForestError;
use spinney_preprocess::{Error as DataError, FeatureMatrix, InputSchema, Record, Table};

use crate::{
    ErrorCode, Guess, GuessKind, InitError, InputField, ModelIdentity, ScoreError, ScoreRequest,
    ScoreResponse, Scorer, bundle_fields, field_check, guess::Guessed, input_monitor::InputMonitor,
};

/// Bodies up to this length hold a hundred rows or so, which take less than handing them to another thread does a few times.
const QUICK_BYTES: usize = 32 << 10;

/// Scores with a [`ModelBundle`], and with nothing else: transformer and forest cannot come apart.
///
/// Unless a request [allows it](ScoreRequest::may_guess), it guesses nothing. A missing column, a value of the wrong kind, a
/// missing value where the model was trained with none, or a feature that the model makes itself is refused with the record
/// and the column, and so is everything else that is wrong with the request, in one answer. A missing value that has an
/// imputer, or that the forest was trained with, is fine. A category that the model has not seen is scored as none of those
/// it knows, and reported.
#[derive(Debug)]
pub struct BundleScorer {
    bundle: ModelBundle,
    model: ModelIdentity,
    fields: Vec<InputField>,
    /// Features that are made of a column, with its name.
    made: BTreeMap<String, String>,
    monitor: InputMonitor,
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
        let fields = bundle_fields::fields(bundle.transformer());
        let made = bundle_fields::made(bundle.transformer().params());
        let monitor = InputMonitor::new(bundle.metadata().ranges());
        Self { bundle, model, fields, made, monitor }
    }

    /// Loads a bundle from its file, or from the one file `*.bundle` in a folder or in a folder in it, as Azure ML mounts models.
    ///
    /// # Errors
    ///
    /// If there is no such file, or more than one, or it is no valid bundle.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, InitError> {
        let path = path.as_ref();
        let file = if path.is_dir() { find_bundle(path)? } else { path.to_owned() };
        Ok(Self::new(ModelBundle::load(file)?))
    }

    /// The table of a request that has the usual form, unless a client sets features there that the model makes.
    fn quick_table(&self, request: &ScoreRequest) -> Option<Table> {
        let mut has_made = false;
        let observe = |name: &str| has_made |= self.made.contains_key(name);
        let table = request.quick_table(self.bundle.input_schema(), observe)?;
        (!has_made).then_some(table)
    }

    fn run_strictly(&self, request: &ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        if let Some(table) = self.quick_table(request)
            && let Ok(response) = self.score_strictly(&table)
        {
            return Ok(response);
        }
        let records = request.records()?;
        let has_made = records
            .iter()
            .any(|record| record.iter().any(|(name, _)| self.made.contains_key(name)));
        let table = Table::from_records(&records, self.bundle.input_schema());
        let scored = table.map_err(|error| data_refusal(&error));
        let scored = scored.and_then(|table| self.score_strictly(&table));
        match scored {
            Ok(response) if !has_made => Ok(response),
            scored => {
                let wrong = field_check::check(&self.fields, &self.made, &records);
                if wrong.is_empty() { scored } else { Err(ScoreError::of_fields(wrong)) }
            }
        }
    }

    fn score_strictly(&self, table: &Table) -> Result<ScoreResponse, ScoreError> {
        let features = self.transform(table)?;
        if let Some(missing) = features.report().untrained_missing().first() {
            let (row, column) = (missing.first_row(), missing.name());
            let message = field_check::untrained_missing(row, column);
            return Err(ScoreError::new(ErrorCode::MissingValue, message).at(row, column));
        }
        self.score(table, &features, features.view(), Vec::new())
    }

    fn run_guessing(&self, request: &ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        if let Some(table) = self.quick_table(request)
            && table.n_rows() > 0
        {
            let features = self.transform(&table)?;
            return self.score(&table, &features, features.view(), Vec::new());
        }
        let rows = request.records()?;
        let params = self.bundle.transformer().params();
        let mut guessed = Guessed::new(&rows, params)?;
        let table = Table::from_records(&guessed.records, self.bundle.input_schema());
        let table = table.map_err(|error| data_refusal(&error))?;
        let features = self.transform(&table)?;
        let x = guessed.features(&rows, &self.made, &features)?;
        self.score(&table, &features, x.view(), guessed.guesses)
    }

    /// Predicts from `x`: the features of the table, or what a client has made of them.
    fn score(
        &self,
        table: &Table,
        features: &FeatureMatrix,
        x: ArrayView2<'_, f64>,
        guesses: Vec<Guess>,
    ) -> Result<ScoreResponse, ScoreError> {
        let predictions = self.bundle.predictor().predict(x);
        let predictions = predictions.map_err(|error| self.refusal(error.into()))?;
        let predictions = predictions.into_raw_vec_and_offset().0;
        Ok(self.response(predictions, table, features, guesses))
    }

    fn transform(&self, table: &Table) -> Result<FeatureMatrix, ScoreError> {
        self.bundle.transform(table).map_err(|error| self.refusal(error))
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

    fn response(
        &self,
        predictions: Vec<f64>,
        table: &Table,
        features: &FeatureMatrix,
        mut guesses: Vec<Guess>,
    ) -> ScoreResponse {
        let report = features.report();
        guesses.extend(report.untrained_missing().iter().map(|missing| Guess {
            column: missing.name().to_owned(),
            kind: GuessKind::UntrainedMissing,
            rows: missing.n_rows(),
        }));
        let unseen = report.unseen_categories().iter();
        let (missing_values, out_of_range) = self.monitor.look_at(table);
        ScoreResponse {
            predictions,
            unseen_categories: unseen
                .map(|unseen| (unseen.name().to_owned(), unseen.n_rows()))
                .collect(),
            missing_values,
            out_of_range,
            guesses,
        }
    }
}

impl Scorer for BundleScorer {
    fn init(model_dir: &Path) -> Result<Self, InitError> {
        Self::load(model_dir)
    }

    fn run(&self, request: ScoreRequest) -> Result<ScoreResponse, ScoreError> {
        if request.may_guess() { self.run_guessing(&request) } else { self.run_strictly(&request) }
    }

    /// Scores a row of known categories alone and among others, which must give the same finite number.
    fn self_test(&self) -> Result<(), ScoreError> {
        let record: Record =
            self.fields.iter().map(|field| (field.name(), field.example())).collect();
        let score = |n_rows: usize| {
            let records = vec![record.clone(); n_rows];
            self.run(ScoreRequest::from_records(records))
        };
        let (alone, among) = (score(1)?.predictions, score(17)?.predictions);
        let is_same =
            |number: &f64| alone.first().map(|one| one.to_bits()) == Some(number.to_bits());
        if alone.iter().all(|number| number.is_finite()) && among.iter().all(is_same) {
            Ok(())
        } else {
            let message = "the model predicts no number, or another one among other rows";
            Err(ScoreError::new(ErrorCode::Internal, message))
        }
    }

    fn is_quick(&self, n_bytes: usize) -> bool {
        n_bytes <= QUICK_BYTES
    }

    fn input_schema(&self) -> Option<&InputSchema> {
        Some(self.bundle.input_schema())
    }

    fn input_fields(&self) -> Vec<InputField> {
        self.fields.clone()
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

/// The one bundle in a folder, or in a folder in it.
fn find_bundle(folder: &Path) -> Result<PathBuf, InitError> {
    let mut found = Vec::new();
    let mut folders = Vec::new();
    let entries = |folder: &Path| -> Result<Vec<PathBuf>, InitError> {
        let entries =
            fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
    };
    for path in entries(folder)? {
        if path.is_dir() {
            folders.push(path);
        } else {
            found.push(path);
        }
    }
    for folder in &folders {
        found.extend(entries(folder)?);
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "bundle"));
    found.sort();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err(format!("{}: there is no file `*.bundle`", folder.display()).into()),
        [one, two, ..] => {
            let (one, two) = (one.display(), two.display());
            Err(format!("{}: which bundle, {one} or {two}?", folder.display()).into())
        }
    }
}
