//! One file: read, predict, write, compare.

use std::{error, sync::Arc, time::Duration};

use datafusion::{
    common::Column,
    dataframe::DataFrame,
    error::DataFusionError,
    logical_expr::Expr,
    prelude::{CsvReadOptions, ParquetReadOptions},
};

use crate::{
    Engine, Error, Location, Model, Result, ScoredFile,
    input::{Format, Input},
    output::{Note, Output, Written},
};

pub(crate) struct Job {
    pub(crate) engine: Engine,
    pub(crate) model: Model,
    pub(crate) input: Location,
    pub(crate) output: Output,
    pub(crate) prediction: Arc<str>,
    pub(crate) attempts: u32,
    pub(crate) pause: Duration,
}

/// A file that is done.
#[derive(Debug)]
pub(crate) struct Scored {
    pub(crate) file: ScoredFile,
    pub(crate) skipped: bool,
}

impl Job {
    /// Does the job, unless it is done, and tries again what may go better another time.
    pub(crate) async fn run(self) -> Result<Scored> {
        let mut pause = self.pause;
        let mut attempt = 1;
        loop {
            match self.attempt(attempt).await {
                Err(error) if attempt < self.attempts && may_go_better(&error) => {
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(&self, attempt: u32) -> Result<Scored> {
        let stores = self.engine.stores();
        let input = Input::open(&self.input, stores).await?;
        input.check(&self.input, &self.model, &self.prediction)?;
        if let Some((note, found)) = self.output.find(stores).await?
            && note == self.note(&input, &found)
        {
            return Ok(Scored { file: note.file, skipped: true });
        }
        let said = self.score(&input).await.map_err(|source| Error::Job {
            file: self.input.to_string(),
            attempts: attempt,
            source: Box::new(source),
        })?;
        // A CSV does not say how many rows it has.
        let read = input.rows.unwrap_or(said);
        let written = self.output.rows_written(stores).await?;
        if read != said || read != written {
            let (file, written) =
                (self.input.to_string(), if read == said { written } else { said });
            return Err(Error::RowCount { file, read, written });
        }
        let written = self.output.publish(read, stores).await?;
        let note = self.note(&input, &written);
        self.output.remember(&note, stores).await?;
        Ok(Scored { file: note.file, skipped: false })
    }

    async fn score(&self, input: &Input) -> Result<u64, DataFusionError> {
        let rows = self.read(input).await?;
        let columns =
            self.model.columns().map(|(name, _)| Expr::Column(Column::from_name(name))).collect();
        let predict = self.model.predict_from(input.format.cells()).call(columns);
        self.output.write(rows.with_column(&self.prediction, predict)?).await
    }

    async fn read(&self, input: &Input) -> Result<DataFrame, DataFusionError> {
        let context = self.engine.context();
        let name = self.input.file_name();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let url = self.input.url().as_str();
        match input.format {
            Format::Csv => {
                let options = CsvReadOptions::new()
                    .has_header(true)
                    .schema(&input.schema)
                    .newlines_in_values(true)
                    .file_extension(extension);
                context.read_csv(url, options).await
            }
            Format::Parquet => {
                let options = ParquetReadOptions {
                    file_extension: extension,
                    schema: Some(&input.schema),
                    ..ParquetReadOptions::default()
                };
                context.read_parquet(url, options).await
            }
        }
    }

    /// What there is to know of an output that was made now.
    fn note(&self, input: &Input, written: &Written) -> Note {
        Note {
            bundle: self.model.fingerprint().to_string(),
            prediction: self.prediction.as_ref().to_owned(),
            file: ScoredFile {
                input: self.input.clone(),
                input_bytes: input.bytes,
                input_version: input.version.clone(),
                output: self.output.file.clone(),
                output_bytes: written.bytes,
                rows: written.rows,
            },
            output_version: written.version.clone(),
        }
    }
}

/// Whether the next attempt may do what this one did not. Storage and clusters have bad moments; what is wrong with a file, or
/// with its rows, stays wrong.
fn may_go_better(error: &Error) -> bool {
    match error {
        Error::Job { source, .. } => !is_refusal(source.as_ref()),
        Error::Storage { source, .. } => !matches!(
            source,
            object_store::Error::NotFound { .. }
                | object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
        ),
        Error::RowCount { .. } => true,
        _ => false,
    }
}

/// Whether the bundle refused rows, which the engine only passes on.
fn is_refusal(error: &(dyn error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(Error::Rows(_) | Error::OtherBundle { .. }) = error.downcast_ref() {
            return true;
        }
        cause = error.source();
    }
    false
}
