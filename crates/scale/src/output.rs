//! What is written: a parquet file that says what it was made of.

use std::{fs, io};

use datafusion::{common::config::TableParquetOptions, dataframe::DataFrame, error::DataFusionError};
use datafusion::{
    arrow::{array::AsArray, datatypes::UInt64Type},
    dataframe::DataFrameWriteOptions,
};
use serde::{Deserialize, Serialize};

use crate::{Error, Location, Model, Result, Stores, input::{self, Input}};

/// The key of [`Origin`] in a file's metadata.
const KEY: &str = "spinney";

/// Rows of a group in an output file. The writer holds a group in memory, once for each file in work.
const ROW_GROUP: usize = 128 << 10;

/// What an output was made of. It is in the output, so that a file with the right origin needs no second look elsewhere.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    input: Location,
    bytes: u64,
    version: String,
    bundle: String,
    prediction: String,
}

/// An output that is there.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
}

impl Origin {
    pub(crate) fn new(location: &Location, input: &Input, model: &Model, prediction: &str) -> Self {
        Self {
            input: location.clone(),
            bytes: input.bytes,
            version: input.version.clone(),
            bundle: model.fingerprint().to_string(),
            prediction: prediction.to_owned(),
        }
    }

    /// Writes rows to a file, and returns how many the writer says there are.
    ///
    /// The file appears under its name when it is complete: locally a file of another name is renamed, elsewhere the parts of
    /// an upload are joined.
    pub(crate) async fn write(
        &self,
        rows: DataFrame,
        output: &Location,
    ) -> Result<u64, DataFusionError> {
        let mut options = TableParquetOptions::default();
        options.global.compression = Some("zstd(1)".to_owned());
        options.global.max_row_group_size = ROW_GROUP;
        options.global.allow_single_file_parallelism = false;
        options.key_value_metadata.insert(KEY.to_owned(), Some(self.to_json()?));
        let written = rows
            .write_parquet(output.url().as_str(), DataFrameWriteOptions::new(), Some(options))
            .await?;
        let counts = written.iter().filter_map(|batch| {
            batch.columns().first()?.as_primitive_opt::<UInt64Type>()
        });
        Ok(counts.flat_map(|counts| counts.iter().flatten()).sum())
    }

    /// Looks for a complete output of this origin.
    pub(crate) async fn find(&self, output: &Location, stores: &Stores) -> Result<Option<Written>> {
        let store = stores.open(output)?;
        let meta = match input::head(&store, output).await {
            Ok(meta) => meta,
            Err(Error::Storage { source: object_store::Error::NotFound { .. }, .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // What cannot be read is not what was written: it is written again.
        let Ok(footer) = input::footer(&store, &meta).await else { return Ok(None) };
        let file = footer.metadata().file_metadata();
        let pairs = file.key_value_metadata().map(Vec::as_slice).unwrap_or_default();
        let origin = pairs.iter().find(|pair| pair.key == KEY);
        let origin = origin.and_then(|pair| pair.value.as_deref());
        if origin != Some(&self.to_json()?) {
            return Ok(None);
        }
        let rows = u64::try_from(file.num_rows()).unwrap_or_default();
        Ok(Some(Written { bytes: meta.size, rows }))
    }

    fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::Plan)
    }
}

/// Makes the folder that outputs go to, where storage has folders, and takes away what a process that was killed has left of
/// the outputs: files of their names with `#` and a number behind.
pub(crate) fn prepare(folder: &Location, names: &[String]) -> Result<()> {
    let Some(path) = folder.file_path() else { return Ok(()) };
    let failed = |action: &'static str| {
        let path = path.clone();
        move |source| Error::Folder { action, path, source }
    };
    fs::create_dir_all(&path).map_err(failed("make"))?;
    for entry in fs::read_dir(&path).map_err(failed("read"))? {
        let entry = entry.map_err(failed("read"))?;
        let name = entry.file_name();
        let Some((stem, number)) = name.to_str().and_then(|name| name.rsplit_once('#')) else {
            continue;
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && names.iter().any(|name| name == stem) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("clean")(error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
