//! What is written: a parquet file, and beside it a note of what it was made of.

use std::{fs, io};

use datafusion::{
    arrow::{array::AsArray, datatypes::UInt64Type},
    common::config::TableParquetOptions,
    dataframe::{DataFrame, DataFrameWriteOptions},
    error::DataFusionError,
};
use object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};

use crate::{Error, Location, Result, ScoredFile, Stores, input};

/// The folder among the outputs that is the driver's own. Readers of data pass over names that begin like this.
const OWN: &str = "_spinney";

/// Rows of a group in an output file. The writer holds a group in memory, once for each file in work.
const ROW_GROUP: usize = 128 << 10;

/// Where an output goes.
///
/// An engine may leave a file that can be read and lacks rows when a job fails: DataFusion's writer closes the file whenever
/// its input ends, by an error too. So it writes to a place of the driver's own, and the file comes under its name when the
/// job has succeeded and the rows were counted.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) file: Location,
    unfinished: Location,
    note: Location,
}

/// What is known of a finished output. Another bundle, input or file in its place does not fit it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) bundle: String,
    pub(crate) prediction: String,
    pub(crate) file: ScoredFile,
    pub(crate) output_version: String,
}

/// An output that is there.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) version: String,
    pub(crate) rows: u64,
}

impl Output {
    pub(crate) fn new(folder: &Location, name: &str) -> Self {
        let own = folder.join(OWN);
        Self {
            file: folder.join(name),
            unfinished: own.join("unfinished").join(name),
            note: own.join(&format!("{name}.json")),
        }
    }

    /// Has the engine write rows, and returns how many it says there are. They are not under the output's name yet.
    pub(crate) async fn write(&self, rows: DataFrame) -> Result<u64, DataFusionError> {
        let mut options = TableParquetOptions::default();
        options.global.compression = Some("zstd(1)".to_owned());
        options.global.max_row_group_size = ROW_GROUP;
        options.global.allow_single_file_parallelism = false;
        let url = self.unfinished.url().as_str();
        let written = rows.write_parquet(url, DataFrameWriteOptions::new(), Some(options)).await?;
        let counts = written
            .iter()
            .filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>());
        Ok(counts.flat_map(|counts| counts.iter().flatten()).sum())
    }

    /// Counts the rows that were written.
    pub(crate) async fn rows_written(&self, stores: &Stores) -> Result<u64> {
        let store = stores.open(&self.unfinished)?;
        let meta = input::head(&store, &self.unfinished).await?;
        let footer = input::footer(&store, &meta).await.map_err(|source| Error::Parquet {
            file: self.unfinished.to_string(),
            source: Box::new(source),
        })?;
        Ok(u64::try_from(footer.metadata().file_metadata().num_rows()).unwrap_or_default())
    }

    /// Brings what was written under its name: by renaming, or in storage that cannot rename by copying, and deleting when the
    /// copy is there.
    pub(crate) async fn publish(&self, rows: u64, stores: &Stores) -> Result<Written> {
        let failed =
            |source| Error::Storage { action: "write", location: self.file.to_string(), source };
        let store = stores.open(&self.file)?;
        let (from, to) = (self.unfinished.path(), self.file.path());
        if self.file.file_path().is_some() {
            store.rename(&from, &to).await.map_err(failed)?;
        } else {
            store.copy(&from, &to).await.map_err(failed)?;
        }
        let meta = input::head(&store, &self.file).await?;
        let footer = input::footer(&store, &meta).await.map_err(|source| Error::Parquet {
            file: self.file.to_string(),
            source: Box::new(source),
        })?;
        let found = footer.metadata().file_metadata().num_rows();
        if u64::try_from(found) != Ok(rows) {
            let written = u64::try_from(found).unwrap_or_default();
            return Err(Error::RowCount { file: self.file.to_string(), read: rows, written });
        }
        if self.file.file_path().is_none() {
            store.delete(&from).await.map_err(failed)?;
        }
        Ok(Written { bytes: meta.size, version: input::version(&meta), rows })
    }

    /// Notes that the output is finished.
    pub(crate) async fn remember(&self, note: &Note, stores: &Stores) -> Result<()> {
        let name = || self.note.to_string();
        let json =
            serde_json::to_vec(note).map_err(|source| Error::Manifest { file: name(), source })?;
        let put = stores.open(&self.note)?.put(&self.note.path(), json.into()).await;
        put.map(|_| ()).map_err(|source| Error::Storage {
            action: "write",
            location: name(),
            source,
        })
    }

    /// Looks for a finished output, whose note says what it was made of.
    pub(crate) async fn find(&self, stores: &Stores) -> Result<Option<(Note, Written)>> {
        let store = stores.open(&self.note)?;
        let failed = |location: &Location, source| Error::Storage {
            action: "read",
            location: location.to_string(),
            source,
        };
        let json = match store.get(&self.note.path()).await {
            Ok(object) => object.bytes().await.map_err(|error| failed(&self.note, error))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(&self.note, error)),
        };
        // A note that cannot be read is none: the file is done again.
        let Ok(note) = serde_json::from_slice::<Note>(&json) else { return Ok(None) };
        match store.head(&self.file.path()).await {
            Ok(meta) => {
                let (bytes, version, rows) = (meta.size, input::version(&meta), note.file.rows);
                Ok(Some((note, Written { bytes, version, rows })))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&self.file, error)),
        }
    }
}

/// Makes the folder that outputs go to, where storage has folders, and takes away what a run that was killed has left.
pub(crate) fn prepare(folder: &Location) -> Result<()> {
    let Some(path) = folder.file_path() else { return Ok(()) };
    fs::create_dir_all(&path).map_err(|source| Error::Folder {
        action: "make",
        path: path.clone(),
        source,
    })?;
    clean(folder)
}

/// Takes away unfinished files on this machine. Elsewhere each is written over by the next attempt.
pub(crate) fn clean(folder: &Location) -> Result<()> {
    let Some(path) = folder.file_path() else { return Ok(()) };
    let unfinished = path.join(OWN).join("unfinished");
    match fs::remove_dir_all(&unfinished) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Folder { action: "clean", path: unfinished, source })
        }
        _ => Ok(()),
    }
}
