//! What the columns of a bundle's rows may hold, read off its transformer.

use std::collections::BTreeMap;

use spinney_preprocess::{
    ColumnKind, FittedPreprocessor, Record, StepParams, Table, TransformParams, Value,
};

use crate::InputField;

/// No category of anything.
const UNKNOWN_WORD: &str = "\u{fffd}\u{0}";

/// Describes each column. What a column may lack is tried out: a row with a gap, or with an unknown word, passes or does not.
pub(crate) fn fields(transformer: &FittedPreprocessor) -> Vec<InputField> {
    let schema = transformer.input_schema();
    let fields: Vec<InputField> = schema
        .columns()
        .map(|(name, kind)| InputField::new(name, kind).words(words(transformer.params(), name)))
        .collect();
    let whole: Record = fields.iter().map(|field| (field.name(), field.example())).collect();
    let passes = |column: &str, value: Value| {
        let mut record = whole.clone();
        record.insert(column, value);
        let table = Table::from_records(&[record], schema);
        let features = table.and_then(|table| transformer.transform(&table));
        features.is_ok_and(|features| features.report().untrained_missing().is_empty())
    };
    fields
        .into_iter()
        .map(|field| {
            let nullable = passes(field.name(), Value::Null);
            let only_words = field.kind() == ColumnKind::Categorical
                && !passes(field.name(), Value::from(UNKNOWN_WORD));
            field.nullable(nullable).only_words(only_words)
        })
        .collect()
}

/// The words that a step knows of a column, in the step's order.
fn words<'a>(params: &'a TransformParams, name: &str) -> Vec<&'a str> {
    let known = params.steps().iter().filter_map(|step| match step {
        StepParams::OneHot { column, categories, infrequent, .. } if column == name => {
            Some(categories.iter().chain(infrequent).map(String::as_str).collect())
        }
        StepParams::Ordinal { column, mapping, .. } if column == name => {
            Some(mapping.iter().map(|level| level.category.as_str()).collect())
        }
        _ => None,
    });
    known.flat_map(|words: Vec<&str>| words).collect()
}

/// The features that are made of a column's categories, with the column. One that is a column too is not among them.
pub(crate) fn made(params: &TransformParams) -> BTreeMap<String, String> {
    let encoded: Vec<&str> = params
        .steps()
        .iter()
        .filter_map(|step| match step {
            StepParams::OneHot { column, .. } => Some(column.as_str()),
            _ => None,
        })
        .collect();
    let is_input = |name: &str| params.input_schema().columns().any(|(column, _)| column == name);
    let of = |name: &String| {
        let made_of =
            |column: &&&str| name.strip_prefix(**column).is_some_and(|rest| rest.starts_with('_'));
        let column = encoded.iter().find(made_of)?;
        (!is_input(name)).then(|| (name.clone(), (*column).to_owned()))
    };
    params.features().iter().filter_map(of).collect()
}
