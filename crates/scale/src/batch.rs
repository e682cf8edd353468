use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use url::Url;

use crate::{
    Engine, Error, Location, Manifest, Model, Result, ScoredFile,
    job::{Job, Scored},
    output::{self, Output},
};

/// Scores files: each input becomes an output of the same name in another folder, as parquet, with the predictions as one more
/// column.
///
/// Each file is a job of its own, and a job is one task on one core; so many files as are [in flight](Self::in_flight) are
/// worked on at the same time. A job that fails is tried again. An output appears when it is complete and its rows were
/// counted; a note in the folder `_spinney` says what it was made of, so that a run which was interrupted can be started again
/// and does only what is left. When all files are done, a [`Manifest`] is written.
///
/// Inputs are parquet (`.parquet`, `.parq`, `.pq`) or CSV (`.csv`, with a header line). The columns of an output are those of
/// its input; the fields of a CSV have no types, so they stay text, and are read by the bundle's rules for CSV when they are
/// scored. Rows are in the order of the input if the engine has one partition.
///
/// # Examples
///
/// ```no_run
/// use spinney_scale::{Batch, Engine, EngineOptions, Location, Model};
///
/// # async fn score() -> spinney_scale::Result<()> {
/// let engine = Engine::embedded(&EngineOptions::default())?;
/// let model = Model::load(&Location::parse("ames.bundle")?, engine.stores()).await?;
/// let inputs = vec![Location::parse("houses-1.csv")?, Location::parse("houses-2.parquet")?];
/// let batch = Batch::new(model, inputs, Location::parse("predictions")?);
/// let manifest = batch.run(&engine, |done| println!("{}: {} rows", done.file.output, done.file.rows)).await?;
/// println!("{} rows", manifest.rows);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Batch {
    model: Model,
    inputs: Vec<Location>,
    output: Location,
    in_flight: NonZeroUsize,
    attempts: u32,
    pause: Duration,
    prediction: Arc<str>,
}

/// A file that is done, for those who watch.
#[derive(Debug)]
pub struct Done<'a> {
    /// The file.
    pub file: &'a ScoredFile,
    /// Whether it was done before.
    pub skipped: bool,
    /// Files that are done, this one included.
    pub n_done: usize,
    /// All files.
    pub n_files: usize,
}

impl Batch {
    /// Plans to score files into a folder.
    pub fn new(model: Model, inputs: Vec<Location>, output: Location) -> Self {
        Self {
            model,
            inputs,
            output,
            in_flight: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            attempts: 4,
            pause: Duration::from_secs(1),
            prediction: "prediction".into(),
        }
    }

    /// Files to work on at the same time: at first the cores of this machine. For a cluster, as many as its executors have.
    pub fn in_flight(self, files: NonZeroUsize) -> Self {
        Self { in_flight: files, ..self }
    }

    /// How often a file is tried before the batch fails, 4 times at first and at least once, with a pause in between that is
    /// twice as long each time. What another attempt would not change, wrong columns for instance, is not tried again.
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// The first pause between attempts, a second at first.
    pub fn pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The name of the column with the predictions, at first `prediction`.
    pub fn prediction_column(self, name: &str) -> Self {
        Self { prediction: name.into(), ..self }
    }

    /// Scores the files that are not done yet, and tells `watch` of each that is.
    ///
    /// The first file that fails for good ends the run: no further file is begun, and those in flight are finished. What is
    /// done stays done.
    ///
    /// # Errors
    ///
    /// Before anything is scored: [`Error::NoInput`], [`Error::UnknownFormat`], [`Error::SameOutput`],
    /// [`Error::OverwritesInput`]. Of a file, which is named: [`Error::Storage`], [`Error::Parquet`], [`Error::CsvHeader`],
    /// [`Error::MissingColumn`], [`Error::WrongType`], [`Error::DuplicateColumn`], [`Error::PredictionColumn`],
    /// [`Error::RowCount`], and [`Error::Job`] if the engine could not do it.
    pub async fn run(&self, engine: &Engine, mut watch: impl FnMut(Done<'_>)) -> Result<Manifest> {
        let outputs = self.outputs()?;
        output::prepare(&self.output)?;

        let n_files = self.inputs.len();
        let mut files: Vec<Option<ScoredFile>> = vec![None; n_files];
        let mut open = self.inputs.iter().cloned().zip(outputs).enumerate();
        let mut running = JoinSet::new();
        let mut failed = None;
        let mut n_done = 0;
        loop {
            while failed.is_none() && running.len() < self.in_flight.get() {
                let Some((place, (input, output))) = open.next() else { break };
                let job = self.job(engine, input, &output);
                running.spawn(async move { (place, job.run().await) });
            }
            let Some(finished) = running.join_next().await else { break };
            match finished {
                Ok((place, Ok(Scored { file, skipped }))) => {
                    n_done += 1;
                    watch(Done { file: &file, skipped, n_done, n_files });
                    if let Some(slot) = files.get_mut(place) {
                        *slot = Some(file);
                    }
                }
                Ok((_, Err(error))) => failed = failed.or(Some(error)),
                Err(panicked) => {
                    let source = std::io::Error::other(panicked);
                    failed = failed.or(Some(Error::Thread { source }));
                }
            }
        }
        output::clean(&self.output)?;
        if let Some(error) = failed {
            return Err(error);
        }
        let manifest = self.manifest(files.into_iter().flatten().collect());
        manifest.write(&self.output, engine.stores()).await?;
        Ok(manifest)
    }

    fn job(&self, engine: &Engine, input: Location, output: &Location) -> Job {
        Job {
            engine: engine.clone(),
            model: self.model.clone(),
            input,
            output: Output::new(&self.output, &output.file_name()),
            prediction: Arc::clone(&self.prediction),
            attempts: self.attempts,
            pause: self.pause,
        }
    }

    /// The output of each input: no two the same, none an input.
    fn outputs(&self) -> Result<Vec<Location>> {
        if self.inputs.is_empty() {
            return Err(Error::NoInput { location: String::new() });
        }
        let mut inputs: BTreeMap<Url, &Location> = BTreeMap::new();
        let mut outputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let name = input.file_name();
            let unknown = || Error::UnknownFormat { file: input.to_string() };
            crate::input::Format::of(input).ok_or_else(unknown)?;
            let (stem, _) = name.rsplit_once('.').ok_or_else(unknown)?;
            let output = self.output.join(&format!("{stem}.parquet"));
            if let Some(first) = inputs.insert(output.url().clone(), input) {
                return Err(Error::SameOutput {
                    first: first.to_string(),
                    second: input.to_string(),
                    output: output.to_string(),
                });
            }
            outputs.push(output);
        }
        match self.inputs.iter().find(|input| inputs.contains_key(input.url())) {
            Some(input) => Err(Error::OverwritesInput { file: input.to_string() }),
            None => Ok(outputs),
        }
    }

    fn manifest(&self, files: Vec<ScoredFile>) -> Manifest {
        let metadata = self.model.bundle().metadata();
        Manifest {
            version: 1,
            model: metadata.name().to_owned(),
            model_version: metadata.version().to_owned(),
            bundle: self.model.fingerprint(),
            prediction: self.prediction.as_ref().to_owned(),
            rows: files.iter().map(|file| file.rows).sum(),
            files,
        }
    }
}
