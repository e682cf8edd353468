//! A JSON list of objects, read into columns without a [`Record`](crate::Record) in between.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::column::ColumnBuilder;
use crate::{Column, ColumnKind, Error, InputSchema, Position, Result, ValueKind};

/// What the rows held.
pub(crate) struct JsonColumns {
    pub(crate) columns: Vec<Column>,
    pub(crate) target: Option<Vec<f64>>,
    pub(crate) n_rows: usize,
}

/// Reads rows from front to back; `unknown` gets each name that the schema has not.
pub(crate) fn read(
    json: &str,
    schema: &InputSchema,
    unknown: &mut dyn FnMut(&str),
) -> Result<JsonColumns> {
    let mut rows = Rows::new(schema, unknown);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = deserializer.deserialize_seq(&mut rows).and_then(|()| deserializer.end());
    match (rows.refused.take(), read) {
        (Some(error), _) => Err(error),
        (None, Err(source)) => Err(Error::JsonRows { source }),
        (None, Ok(())) => rows.finish(),
    }
}

/// One value of an object, with its text where it stands in the input if that is possible.
enum Cell<'de> {
    Absent,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'de, str>),
    Array,
    Object,
}

struct Rows<'s> {
    schema: &'s InputSchema,
    unknown: &'s mut dyn FnMut(&str),
    /// Which column each name of the last object was. Objects of one client look alike, so that a comparison with the name of
    /// that column mostly saves the search.
    places: Vec<Place>,
    columns: Vec<ColumnBuilder>,
    /// NaN where missing.
    target: Vec<f64>,
    has_target: bool,
    target_error: Option<Error>,
    n_rows: usize,
    refused: Option<Error>,
}

#[derive(Clone, Copy)]
enum Place {
    Column(usize),
    Target,
    Unknown,
}

impl<'s> Rows<'s> {
    fn new(schema: &'s InputSchema, unknown: &'s mut dyn FnMut(&str)) -> Self {
        Self {
            schema,
            unknown,
            places: Vec::with_capacity(schema.columns().len()),
            columns: schema.columns().map(|(_, kind)| ColumnBuilder::new(kind)).collect(),
            target: Vec::new(),
            has_target: false,
            target_error: None,
            n_rows: 0,
            refused: None,
        }
    }

    fn finish(self) -> Result<JsonColumns> {
        if let Some(error) = self.target_error {
            return Err(error);
        }
        Ok(JsonColumns {
            columns: self.columns.into_iter().map(ColumnBuilder::finish).collect(),
            target: self.has_target.then_some(self.target),
            n_rows: self.n_rows,
        })
    }

    /// Which column the `at`-th name of an object is.
    fn place(&mut self, at: usize, name: &str) -> Place {
        if let Some(&Place::Column(column)) = self.places.get(at)
            && self.schema.name(column) == Some(name)
        {
            return Place::Column(column);
        }
        let place = match self.schema.place(name) {
            Some(column) => Place::Column(column),
            None if self.schema.target() == Some(name) => Place::Target,
            None => {
                (self.unknown)(name);
                Place::Unknown
            }
        };
        match self.places.get_mut(at) {
            Some(last) => *last = place,
            None => self.places.push(place),
        }
        place
    }

    fn push(&mut self, cells: &mut [Cell<'_>], target: &Cell<'_>) -> Result<()> {
        let row = self.n_rows;
        let columns = self.columns.iter_mut().zip(self.schema.columns()).zip(cells);
        for ((builder, (name, kind)), cell) in columns {
            let cell = std::mem::replace(cell, Cell::Absent);
            if let Cell::Absent = cell {
                return Err(Error::MissingField { row, column: name.to_owned() });
            }
            match (builder, cell) {
                (ColumnBuilder::Categorical(words), Cell::Text(word)) => words.push(name, &word)?,
                (ColumnBuilder::Categorical(words), Cell::Null) => words.push_missing(),
                (ColumnBuilder::Numeric(numbers), cell) => numbers.push(number(&cell, row, name)?),
                (_, cell) => return Err(wrong_value(row, name, kind, &cell)),
            }
        }
        if let Some(name) = self.schema.target() {
            self.has_target |= !matches!(target, Cell::Absent);
            match number(target, row, name) {
                Ok(number) => self.target.push(number),
                Err(error) => drop(self.target_error.get_or_insert(error)),
            }
        }
        self.n_rows += 1;
        Ok(())
    }
}

fn number(cell: &Cell<'_>, row: usize, column: &str) -> Result<f64> {
    match cell {
        Cell::Absent | Cell::Null => Ok(f64::NAN),
        Cell::Bool(value) => Ok(f64::from(u8::from(*value))),
        Cell::Number(number) if number.is_infinite() => Err(Error::InfiniteNumber {
            position: Position::new(None, None, row),
            column: column.to_owned(),
        }),
        Cell::Number(number) => Ok(*number),
        cell => Err(wrong_value(row, column, ColumnKind::Numeric, cell)),
    }
}

fn wrong_value(row: usize, column: &str, expected: ColumnKind, cell: &Cell<'_>) -> Error {
    let found = match cell {
        Cell::Absent | Cell::Null => ValueKind::Null,
        Cell::Bool(_) => ValueKind::Bool,
        Cell::Number(_) => ValueKind::Number,
        Cell::Text(_) => ValueKind::String,
        Cell::Array => ValueKind::Array,
        Cell::Object => ValueKind::Object,
    };
    Error::WrongValue { row, column: column.to_owned(), expected, found }
}

/// The list.
impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        let mut cells: Vec<Cell<'de>> = Vec::new();
        while list.next_element_seed(Row { rows: &mut *self, cells: &mut cells })?.is_some() {}
        Ok(())
    }
}

/// One object. The cells are there for all rows: only the first makes them.
struct Row<'r, 's, 'de> {
    rows: &'r mut Rows<'s>,
    cells: &'r mut Vec<Cell<'de>>,
}

impl<'de> DeserializeSeed<'de> for Row<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> std::result::Result<(), D::Error> {
        value.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a value for each column")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<(), A::Error> {
        let Self { rows, cells } = self;
        cells.resize_with(rows.columns.len(), || Cell::Absent);
        let mut target = Cell::Absent;
        let mut at = 0;
        while let Some(place) = object.next_key_seed(Name { rows: &mut *rows, at })? {
            at += 1;
            match place {
                Place::Column(column) => {
                    let cell = object.next_value()?;
                    if let Some(place) = cells.get_mut(column) {
                        *place = cell;
                    }
                }
                Place::Target => target = object.next_value()?,
                // Looked at as a record would: what is no value at all is refused.
                Place::Unknown => drop(object.next_value::<Cell<'de>>()?),
            }
        }
        rows.push(cells, &target).map_err(|error| {
            rows.refused = Some(error);
            A::Error::custom("a row is refused")
        })
    }
}

/// A name, looked up where it stands.
struct Name<'r, 's> {
    rows: &'r mut Rows<'s>,
    at: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> std::result::Result<Place, D::Error> {
        value.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> std::result::Result<Place, E> {
        Ok(self.rows.place(self.at, name))
    }
}

impl<'de> serde::Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> std::result::Result<Self, D::Error> {
        value.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Number(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Cell<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Array)
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut object: A,
    ) -> std::result::Result<Cell<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Object)
    }
}
