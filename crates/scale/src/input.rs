use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    error::DataFusionError,
};
use datafusion_datasource_parquet::metadata::DFParquetMetadata;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use crate::{Error, Location, Model, Result, Stores, columns, predict::Cells};

/// What a file holds, by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Parquet,
}

impl Format {
    pub(crate) fn of(location: &Location) -> Option<Self> {
        let name = location.file_name().to_ascii_lowercase();
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "parquet" | "parq" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }

    pub(crate) fn cells(self) -> Cells {
        match self {
            Self::Csv => Cells::Csv,
            Self::Parquet => Cells::Typed,
        }
    }
}

/// An input file, looked at before it is scored.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) format: Format,
    pub(crate) bytes: u64,
    /// What the storage calls this version of the file.
    pub(crate) version: String,
    pub(crate) schema: Schema,
    /// A CSV does not say how many there are.
    pub(crate) rows: Option<u64>,
}

impl Input {
    pub(crate) async fn open(location: &Location, stores: &Stores) -> Result<Self> {
        let format = Format::of(location)
            .ok_or_else(|| Error::UnknownFormat { file: location.to_string() })?;
        let store = stores.open(location)?;
        let meta = head(&store, location).await?;
        let (schema, rows) = match format {
            Format::Csv => (csv_schema(&store, location, &meta).await?, None),
            Format::Parquet => {
                let footer = footer(&store, &meta).await.map_err(|source| Error::Parquet {
                    file: location.to_string(),
                    source: Box::new(source),
                })?;
                let rows = u64::try_from(footer.metadata().file_metadata().num_rows()).ok();
                (footer.schema().as_ref().clone(), rows)
            }
        };
        let version = version(&meta);
        Ok(Self { format, bytes: meta.size, version, schema, rows })
    }

    /// Checks that the file has what the model needs, and no column of the predictions' name.
    pub(crate) fn check(&self, file: &Location, model: &Model, prediction: &str) -> Result<()> {
        let name = || file.to_string();
        let fields = self.schema.fields();
        for (place, field) in fields.iter().enumerate() {
            if fields.iter().take(place).any(|earlier| earlier.name() == field.name()) {
                return Err(Error::DuplicateColumn { file: name(), column: field.name().clone() });
            }
        }
        for (column, kind) in model.columns() {
            let field = self
                .schema
                .field_with_name(column)
                .map_err(|_| Error::MissingColumn { file: name(), column: column.to_owned() })?;
            let accepted = match self.format {
                Format::Csv => true,
                Format::Parquet => columns::accepts(kind.into(), field.data_type()),
            };
            if !accepted {
                return Err(Error::WrongType {
                    file: name(),
                    column: column.to_owned(),
                    expected: kind,
                    found: field.data_type().clone(),
                });
            }
        }
        if self.schema.field_with_name(prediction).is_ok() {
            let column = prediction.to_owned();
            return Err(Error::PredictionColumn { file: name(), column });
        }
        Ok(())
    }
}

/// What is known of a file without reading it.
pub(crate) async fn head(store: &Arc<dyn ObjectStore>, location: &Location) -> Result<ObjectMeta> {
    let read = store.head(&location.path()).await;
    read.map_err(|source| Error::Storage { action: "read", location: location.to_string(), source })
}

/// The version of a file: its tag, or the time of its last change in storage that gives none.
pub(crate) fn version(meta: &ObjectMeta) -> String {
    meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.to_rfc3339())
}

/// Reads the footer of a parquet file.
pub(crate) async fn footer(
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
) -> Result<ArrowReaderMetadata, DataFusionError> {
    let metadata = DFParquetMetadata::new(store, meta).fetch_metadata().await?;
    Ok(ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())?)
}

/// Bytes that the header line of a CSV may have.
const MAX_HEADER: u64 = 1 << 20;

/// The columns of a CSV: all of them text, as the file has them.
async fn csv_schema(
    store: &Arc<dyn ObjectStore>,
    location: &Location,
    meta: &ObjectMeta,
) -> Result<Schema> {
    let wrong = |problem: &str| Error::CsvHeader {
        file: location.to_string(),
        problem: problem.to_owned(),
    };
    if meta.size == 0 {
        return Err(wrong("the file is empty, there is no header line"));
    }
    let start = store.get_range(&meta.location, 0..meta.size.min(MAX_HEADER)).await;
    let start = start.map_err(|source| Error::Storage {
        action: "read",
        location: location.to_string(),
        source,
    })?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(start.as_ref());
    let mut header = csv::ByteRecord::new();
    let is_there = reader.read_byte_record(&mut header);
    if !is_there.map_err(|error| wrong(&error.to_string()))? {
        return Err(wrong("there is no header line"));
    }
    if meta.size > MAX_HEADER && reader.position().byte() >= MAX_HEADER {
        return Err(wrong("the header line has more than a million bytes"));
    }
    let names: Result<Vec<&str>, _> = header.iter().map(str::from_utf8).collect();
    let names = names.map_err(|_| wrong("the header line is not UTF-8"))?;
    let field = |name: &str| Field::new(name, DataType::Utf8, true);
    Ok(Schema::new(names.into_iter().map(field).collect::<Vec<_>>()))
}
