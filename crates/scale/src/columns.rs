//! Arrow arrays to the columns of a table.

use std::iter;

use datafusion::{
    arrow::{
        array::{AnyDictionaryArray, Array, ArrayRef, AsArray},
        compute::{CastOptions, cast_with_options},
        datatypes::{DataType, Float64Type},
    },
    error::Result as EngineResult,
};
use spinney_preprocess::TableBuilder;

use crate::{Error, model::Kind};

/// Whether a column of the bundle takes arrays of a type.
pub(crate) fn accepts(kind: Kind, data_type: &DataType) -> bool {
    match (kind, data_type) {
        // All values of a null column are missing.
        (_, DataType::Null) | (Kind::Numeric, DataType::Boolean) => true,
        (kind, DataType::Dictionary(_, values)) => accepts(kind, values),
        (Kind::Numeric, data_type) => data_type.is_numeric(),
        (Kind::Categorical, data_type) => is_text(data_type),
    }
}

/// Whether arrays of a type hold text, as all columns of a CSV do.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Gives a table an array of numbers or words, of a type that [`accepts`] admits. Null is missing, and so is NaN.
pub(crate) fn push(
    table: &mut TableBuilder<'_>,
    column: &str,
    kind: Kind,
    array: &ArrayRef,
) -> EngineResult<()> {
    match kind {
        Kind::Numeric => push_numbers(table, column, array),
        Kind::Categorical => push_words(table, column, array),
    }
}

fn push_numbers(table: &mut TableBuilder<'_>, column: &str, array: &ArrayRef) -> EngineResult<()> {
    let Some(numbers) = array.as_primitive_opt::<Float64Type>() else {
        return push_numbers(table, column, &exact_cast(array, &DataType::Float64)?);
    };
    refused(match numbers.null_count() {
        0 => table.numbers(column, numbers.values().iter().map(|number| Some(*number))),
        _ => table.numbers(column, numbers),
    })
}

fn push_words(table: &mut TableBuilder<'_>, column: &str, array: &ArrayRef) -> EngineResult<()> {
    refused(match array.data_type() {
        DataType::Utf8 => table.words(column, array.as_string::<i32>()),
        DataType::LargeUtf8 => table.words(column, array.as_string::<i64>()),
        DataType::Utf8View => table.words(column, array.as_string_view()),
        DataType::Dictionary(_, _) => {
            return push_encoded(table, column, array.as_any_dictionary());
        }
        _ => return push_words(table, column, &exact_cast(array, &DataType::Utf8View)?),
    })
}

fn push_encoded(
    table: &mut TableBuilder<'_>,
    column: &str,
    dictionary: &dyn AnyDictionaryArray,
) -> EngineResult<()> {
    if dictionary.values().is_empty() {
        return refused(table.words(column, iter::repeat_n(None, dictionary.len())));
    }
    let words = exact_cast(dictionary.values(), &DataType::Utf8View)?;
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let keys = keys.map(|(row, key)| dictionary.keys().is_valid(row).then_some(key));
    refused(table.encoded_words(column, words.as_string_view(), keys))
}

/// Gives a table an array of a CSV's fields. An empty field, which the CSV reader makes null, is empty here.
pub(crate) fn push_csv(
    table: &mut TableBuilder<'_>,
    column: &str,
    array: &ArrayRef,
) -> EngineResult<()> {
    let fields = exact_cast(array, &DataType::Utf8View)?;
    let fields = fields.as_string_view().iter().map(Option::unwrap_or_default);
    refused(table.csv_fields(column, fields))
}

/// Casts an array; a value that the other type does not have is an error.
fn exact_cast(array: &ArrayRef, data_type: &DataType) -> EngineResult<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(array, data_type, &options)?)
}

fn refused(pushed: Result<(), spinney_preprocess::Error>) -> EngineResult<()> {
    Ok(pushed.map_err(|error| Error::Rows(error.into()))?)
}
