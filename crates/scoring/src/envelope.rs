//! The forms in which clients of Azure ML send rows.
//!
//! Each is told from the others by its shape. What could be two of them is refused rather than guessed.

use serde::Deserialize;
use serde_json::value::RawValue;
use spinney_preprocess::{Record, Value};

use crate::{ErrorCode, ScoreError, ordered_object::OrderedObject};

/// Names under which clients wrap their rows.
pub(crate) const WRAPPERS: [&str; 7] =
    ["data", "input_data", "dataframe_split", "dataframe_records", "instances", "inputs", "Inputs"];

/// Wrappers within wrappers: nobody sends more.
const MAX_DEPTH: usize = 3;

/// Reads the rows of a body. With `repeat` a single value beside lists is repeated, as pandas does.
pub(crate) fn read(text: &str, repeat: bool) -> Result<Vec<Record>, ScoreError> {
    let body: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    match repeat.then(|| mixed_columns(body)).flatten() {
        Some(object) => repeated_columns(&object?),
        None => rows(body, MAX_DEPTH),
    }
}

/// An object of lists and single values, as it is or as `data`.
fn mixed_columns(body: &RawValue) -> Option<Result<OrderedObject<'_>, ScoreError>> {
    let object = match (kind(body) == b'{').then(|| parse::<OrderedObject<'_>>(body))? {
        Ok(object) => object,
        Err(error) => return Some(Err(error)),
    };
    if let Some(inner) = object.get("data").filter(|inner| kind(inner) == b'{') {
        return mixed_columns(inner);
    }
    let n_lists = object.iter().filter(|(_, value)| kind(value) == b'[').count();
    let n_objects = object.iter().filter(|(_, value)| kind(value) == b'{').count();
    (n_lists > 0 && n_objects == 0 && n_lists < object.len()).then_some(Ok(object))
}

fn repeated_columns(object: &OrderedObject<'_>) -> Result<Vec<Record>, ScoreError> {
    let mut lists = Columns::new();
    let mut singles: Vec<(&str, Value)> = Vec::new();
    for (name, value) in object.iter() {
        if kind(value) == b'[' {
            lists.push((name.to_owned(), parse(value)?));
        } else {
            singles.push((name, parse(value)?));
        }
    }
    let mut records = columns(lists)?;
    for record in &mut records {
        for (name, value) in &singles {
            record.insert(*name, value.clone());
        }
    }
    Ok(records)
}

fn rows(body: &RawValue, depth: usize) -> Result<Vec<Record>, ScoreError> {
    match kind(body) {
        b'[' => list(body),
        b'{' if depth > 0 => object(body, depth - 1),
        b'{' => Err(wrong_shape("objects within objects")),
        _ => Err(wrong_shape("something else")),
    }
}

/// A list of records, or of tensors as the Open Inference Protocol has them.
fn list(body: &RawValue) -> Result<Vec<Record>, ScoreError> {
    let items: Vec<&RawValue> = parse(body)?;
    if let Some(tensors) = tensors(&items)? {
        return columns(tensors);
    }
    items.into_iter().enumerate().map(|(row, item)| record(row, item)).collect()
}

fn record(row: usize, item: &RawValue) -> Result<Record, ScoreError> {
    match kind(item) {
        b'{' => parse(item),
        b'[' => {
            let message = format!(
                "row {row} is a list: without the names of the columns nobody knows what is what"
            );
            Err(ScoreError::new(ErrorCode::WrongShape, message).at_row(row))
        }
        _ => {
            let message = format!("row {row} is not an object with a value for each column");
            Err(ScoreError::new(ErrorCode::WrongShape, message).at_row(row))
        }
    }
}

fn object(body: &RawValue, depth: usize) -> Result<Vec<Record>, ScoreError> {
    let object: OrderedObject<'_> = parse(body)?;
    if let (Some(names), Some(data)) = (object.get("columns"), object.get("data"))
        && kind(names) == b'['
    {
        return split(names, data);
    }
    for name in WRAPPERS {
        if let Some(inner) = object.get(name)
            && holds_rows(inner)
        {
            return if name == "Inputs" { designer(inner, depth) } else { rows(inner, depth) };
        }
    }
    let kinds = |wanted: &[u8]| object.iter().filter(|(_, v)| wanted.contains(&kind(v))).count();
    match object.len() {
        0 => Err(wrong_shape("an empty object")),
        n if kinds(b"[") == n => {
            let columns_of =
                |(name, values): (&str, &RawValue)| Ok((name.to_owned(), parse(values)?));
            columns(object.iter().map(columns_of).collect::<Result<_, ScoreError>>()?)
        }
        n if kinds(b"{") == n => indexed_columns(&object),
        _ if kinds(b"[{") == 0 => Ok(vec![parse(body)?]),
        _ => {
            let is_odd = |(_, value): &(&str, &RawValue)| !b"[{".contains(&kind(value));
            let column = object.iter().find(is_odd).map_or("", |(name, _)| name);
            let message = "some columns are lists and others single values: send lists, or records";
            Err(ScoreError::new(ErrorCode::WrongShape, message).at(None, column))
        }
    }
}

/// Whether a wrapper's value holds rows. A list of plain values is a column that is called so.
fn holds_rows(inner: &RawValue) -> bool {
    match kind(inner) {
        b'{' => true,
        // What comes first in the list, or its end.
        b'[' => inner.get()[1..].trim_ascii_start().starts_with(['[', '{', ']']),
        _ => false,
    }
}

/// `Inputs` holds one named input, as Azure ML's designer has it, or any other form.
fn designer(inner: &RawValue, depth: usize) -> Result<Vec<Record>, ScoreError> {
    if kind(inner) == b'{' {
        let inputs: OrderedObject<'_> = parse(inner)?;
        if let Some((name, only)) = inputs.iter().next()
            && inputs.len() == 1
            && !WRAPPERS.contains(&name)
            && holds_rows(only)
        {
            return rows(only, depth);
        }
    }
    rows(inner, depth)
}

/// pandas' `orient="split"`: names once, then rows of values.
fn split(names: &RawValue, data: &RawValue) -> Result<Vec<Record>, ScoreError> {
    let names: Vec<String> = parse(names)?;
    let rows: Vec<&RawValue> = parse(data)?;
    let record = |(row, values): (usize, &RawValue)| {
        if kind(values) != b'[' {
            let message =
                format!("row {row} is not a list of values, one for each name in `columns`");
            return Err(ScoreError::new(ErrorCode::WrongShape, message).at_row(row));
        }
        let values: Vec<Value> = parse(values)?;
        if values.len() != names.len() {
            let (expected, found) = (names.len(), values.len());
            let message = format!("row {row} has {found} values for {expected} columns");
            return Err(ScoreError::new(ErrorCode::WrongShape, message).at_row(row));
        }
        Ok(names.iter().cloned().zip(values).collect())
    };
    rows.into_iter().enumerate().map(record).collect()
}

/// A list of values for each column, all of one length.
fn columns(columns: Columns) -> Result<Vec<Record>, ScoreError> {
    let n_rows = columns.first().map_or(0, |(_, values)| values.len());
    if let Some((name, values)) = columns.iter().find(|(_, values)| values.len() != n_rows) {
        let (found, first) = (values.len(), &columns[0].0);
        let message =
            format!("column `{name}` has {found} values, but column `{first}` has {n_rows}");
        return Err(ScoreError::new(ErrorCode::WrongShape, message).at(None, name));
    }
    let mut records = vec![Record::new(); n_rows];
    for (name, values) in columns {
        for (record, value) in records.iter_mut().zip(values) {
            record.insert(name.clone(), value);
        }
    }
    Ok(records)
}

/// pandas' `orient="columns"`: for each column an object with a value for each index. Rows come in the order of the first
/// column's indices; a column that lacks one is not in that row.
fn indexed_columns(object: &OrderedObject<'_>) -> Result<Vec<Record>, ScoreError> {
    let mut indices: Vec<String> = Vec::new();
    let mut records: Vec<Record> = Vec::new();
    for (column, (name, values)) in object.iter().enumerate() {
        let values: OrderedObject<'_> = parse(values)?;
        if column == 0 {
            indices = values.iter().map(|(index, _)| index.to_owned()).collect();
            records = vec![Record::new(); indices.len()];
        }
        if let Some((index, _)) =
            values.iter().find(|(index, _)| !indices.iter().any(|i| i == index))
        {
            let message = format!("column `{name}` has an index that the first column lacks");
            let row = index.parse().ok();
            return Err(ScoreError::new(ErrorCode::WrongShape, message).at(row, name));
        }
        for (record, index) in records.iter_mut().zip(&indices) {
            if let Some(value) = values.get(index) {
                record.insert(name, parse::<Value>(value)?);
            }
        }
    }
    Ok(records)
}

/// Names and values of columns.
type Columns = Vec<(String, Vec<Value>)>;

/// Tensors by name, one for each column, if the items are such.
fn tensors(items: &[&RawValue]) -> Result<Option<Columns>, ScoreError> {
    #[derive(Deserialize)]
    struct Tensor {
        name: String,
        shape: Vec<u64>,
        #[serde(rename = "datatype")]
        _datatype: String,
        data: Vec<Value>,
    }
    let Some(first) = items.first() else { return Ok(None) };
    if kind(first) != b'{' {
        return Ok(None);
    }
    let first: OrderedObject<'_> = parse(first)?;
    if !["name", "shape", "datatype", "data"].iter().all(|key| first.get(key).is_some()) {
        return Ok(None);
    }
    let tensor = |item: &&RawValue| {
        let tensor: Tensor = parse(item)?;
        let [n_rows, rest @ ..] = &tensor.shape[..] else {
            return Err(wrong_tensor(&tensor.name, "has no shape"));
        };
        if rest.iter().any(|&size| size != 1) {
            return Err(wrong_tensor(&tensor.name, "has more than one value for each row"));
        }
        if *n_rows != tensor.data.len() as u64 {
            return Err(wrong_tensor(
                &tensor.name,
                "has another number of values than its shape says",
            ));
        }
        Ok((tensor.name, tensor.data))
    };
    items.iter().map(tensor).collect::<Result<_, _>>().map(Some)
}

fn wrong_tensor(name: &str, problem: &str) -> ScoreError {
    ScoreError::new(ErrorCode::WrongShape, format!("the tensor `{name}` {problem}")).at(None, name)
}

/// The first byte of a value tells what it is.
fn kind(value: &RawValue) -> u8 {
    value.get().as_bytes().first().copied().unwrap_or_default()
}

fn parse<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Result<T, ScoreError> {
    serde_json::from_str(value.get()).map_err(malformed)
}

/// The parser's message names line and column of the text, and what it expected there, but repeats no value.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn malformed(error: serde_json::Error) -> ScoreError {
    let code = if error.is_data() { ErrorCode::WrongShape } else { ErrorCode::MalformedJson };
    let what = if error.is_data() {
        "the body has not the form it should"
    } else {
        "the body is not JSON"
    };
    ScoreError::new(code, format!("{what}: {error}"))
}

fn wrong_shape(found: &str) -> ScoreError {
    let message = format!(
        "the body must hold rows: a list of records, a list of values for each column, or one of these as `data`, \
         `input_data`, `instances` or `inputs`, but it is {found}"
    );
    ScoreError::new(ErrorCode::WrongShape, message)
}
