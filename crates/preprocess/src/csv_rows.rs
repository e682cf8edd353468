//! Reads the columns of a schema from CSV, one record at a time.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;

use crate::column::ColumnBuilder;
use crate::line_counter::LineCounter;
use crate::{Column, ColumnKind, Error, InputSchema, Position, Result};

/// Bytes read at a time.
const BUFFER: usize = 1 << 16;
/// Characters of a field that an error message repeats.
const SHOWN: usize = 40;

/// The columns of a CSV, in the order of the schema, and the line of each row.
pub(crate) struct CsvColumns {
    pub(crate) columns: Vec<Column>,
    pub(crate) target: Option<Vec<f64>>,
    pub(crate) lines: Vec<u64>,
}

pub(crate) fn read(
    input: impl Read,
    path: Option<&Arc<Path>>,
    schema: &InputSchema,
) -> Result<CsvColumns> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true) // the width is checked here, to say where
        .buffer_capacity(BUFFER)
        .from_reader(LineCounter::new(input));
    let io = |source: csv::Error| {
        let path = path.map(|path| path.to_path_buf());
        Error::Io { path, source: source.into() }
    };
    let mut record = ByteRecord::new();
    let has_header = reader.read_byte_record(&mut record).map_err(io)?;
    let header = Header { path, record: has_header.then_some(&record) };
    let (mut fields, mut target) = header.fields(schema)?;
    let width = record.len();

    let mut lines = Vec::new();
    while reader.read_byte_record(&mut record).map_err(io)? {
        let row = lines.len();
        let start = record.position().map_or(0, csv::Position::byte);
        let line = reader.get_mut().line_from(start);
        let position = || Position::new(path.cloned(), Some(line), row);
        if record.len() != width {
            let found = record.len();
            return Err(Error::RaggedRow { position: position(), expected: width, found });
        }
        for field in fields.iter_mut().chain(&mut target) {
            field.push(&record, schema, &position)?;
        }
        lines.push(line);
    }
    let finish = |field: Field<'_>| field.values.finish();
    let target = match target.map(finish) {
        Some(Column::Numeric(values)) => Some(values),
        _ => None,
    };
    Ok(CsvColumns { columns: fields.into_iter().map(finish).collect(), target, lines })
}

/// The first record, which names the columns.
struct Header<'a> {
    path: Option<&'a Arc<Path>>,
    record: Option<&'a ByteRecord>,
}

impl Header<'_> {
    /// Finds the columns of the schema, and its target if that is there.
    fn fields<'s>(&self, schema: &'s InputSchema) -> Result<(Vec<Field<'s>>, Option<Field<'s>>)> {
        let mut fields = Vec::new();
        for (name, kind) in schema.columns() {
            let place = self.find(name)?;
            let place = place.ok_or_else(|| Error::MissingColumn {
                path: self.path_buf(),
                column: name.to_owned(),
            })?;
            fields.push(Field::new(name, kind, place));
        }
        let target = match schema.target() {
            None => None,
            Some(name) => {
                let place = self.find(name)?;
                place.map(|place| Field::new(name, ColumnKind::Numeric, place))
            }
        };
        Ok((fields, target))
    }

    fn find(&self, name: &str) -> Result<Option<usize>> {
        let record = self.record.ok_or_else(|| Error::NoHeader { path: self.path_buf() })?;
        let places = (0..).zip(record).filter(|(_, field)| *field == name.as_bytes());
        let mut places = places.map(|(place, _)| place);
        let (first, second) = (places.next(), places.next());
        if let (Some(first), Some(second)) = (first, second) {
            return Err(Error::DuplicateHeader {
                path: self.path_buf(),
                column: name.to_owned(),
                first: first + 1,
                second: second + 1,
            });
        }
        Ok(first)
    }

    fn path_buf(&self) -> Option<PathBuf> {
        self.path.map(|path| path.to_path_buf())
    }
}

/// A column being read: its place in the file, and its values so far.
struct Field<'s> {
    name: &'s str,
    place: usize,
    values: ColumnBuilder,
}

impl<'s> Field<'s> {
    fn new(name: &'s str, kind: ColumnKind, place: usize) -> Self {
        Self { name, place, values: ColumnBuilder::new(kind) }
    }

    fn push(
        &mut self,
        record: &ByteRecord,
        schema: &InputSchema,
        position: &dyn Fn() -> Position,
    ) -> Result<()> {
        let bytes = record.get(self.place).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|error| Error::InvalidUtf8 {
            position: position(),
            column: self.name.to_owned(),
            byte: error.valid_up_to(),
        })?;
        push_cell(&mut self.values, self.name, text, schema, position)
    }
}

/// Appends a field to the column it belongs to.
pub(crate) fn push_cell(
    values: &mut ColumnBuilder,
    column: &str,
    text: &str,
    schema: &InputSchema,
    position: &dyn Fn() -> Position,
) -> Result<()> {
    match values {
        ColumnBuilder::Categorical(words) if schema.is_missing_token(text) => words.push_missing(),
        ColumnBuilder::Categorical(words) => words.push(column, text)?,
        ColumnBuilder::Numeric(values) => {
            let text = text.trim_ascii();
            let value = if schema.is_missing_token(text) {
                f64::NAN
            } else {
                number(text, column, position)?
            };
            values.push(value);
        }
    }
    Ok(())
}

fn number(text: &str, column: &str, position: &dyn Fn() -> Position) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) if value.is_infinite() => {
            Err(Error::InfiniteNumber { position: position(), column: column.to_owned() })
        }
        // "nan" parses, but only a missing token is missing.
        _ => Err(Error::NotANumber {
            position: position(),
            column: column.to_owned(),
            text: shown(text),
        }),
    }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
