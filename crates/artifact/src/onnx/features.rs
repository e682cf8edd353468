//! The steps of a transformer as operators, in double precision as the steps themselves.

use prost::bytes::Bytes;
use spinney_preprocess::{ColumnKind, Fill, Level, StepKind, StepParams, TransformParams};

use super::{
    attribute, cannot_express,
    category_slots::CategorySlots,
    graph::{Graph, ML_DOMAIN},
    proto::DataType,
};
use crate::Result;

/// Adds the inputs and all steps, and returns the name of the matrix of features.
pub(super) fn add(graph: &mut Graph, params: &TransformParams) -> Result<String> {
    let mut columns = Columns { graph, columns: Vec::new(), blocks: Vec::new() };
    for (name, kind) in params.input_schema().columns() {
        columns.input(name, kind)?;
    }
    for step in params.steps() {
        columns.step(step)?;
    }
    Ok(columns.matrix())
}

/// The columns on their way to features: those of the schema, then the derived ones.
struct Columns<'g> {
    graph: &'g mut Graph,
    columns: Vec<(String, Value)>,
    /// Blocks of one-hot features in the order of their steps: they stand behind all other features.
    blocks: Vec<String>,
}

enum Value {
    /// The name of a tensor of numbers.
    Numbers(String),
    /// Words of an input, and the word for a missing one.
    Words { input: String, fill: Option<String> },
    /// No longer a column, by a one-hot or drop step.
    Gone,
}

impl Columns<'_> {
    fn input(&mut self, name: &str, kind: ColumnKind) -> Result<()> {
        let input = name.to_owned();
        let (value, of) = match kind {
            ColumnKind::Numeric => (Value::Numbers(input), DataType::Double),
            ColumnKind::Categorical => (Value::Words { input, fill: None }, DataType::String),
            other => {
                let part = format!("the {other} column `{name}`");
                return Err(cannot_express(part, "there is no type for it here"));
            }
        };
        self.graph.input(name, of);
        self.columns.push((name.to_owned(), value));
        Ok(())
    }

    fn step(&mut self, step: &StepParams) -> Result<()> {
        let kind = step.kind();
        match step {
            StepParams::Difference { output, minuend, subtrahend } => {
                let minuend = self.numbers(minuend, kind)?;
                let subtrahend = self.numbers(subtrahend, kind)?;
                let difference = self.graph.node("Sub", &[&minuend, &subtrahend], output);
                self.columns.push((output.clone(), Value::Numbers(difference)));
            }
            StepParams::Clip { column, min, max } => {
                let mut numbers = self.numbers(column, kind)?;
                // Not the operator Clip: what that makes of NaN is not said.
                for (end, beyond) in [(min, "Less"), (max, "Greater")] {
                    let Some(end) = *end else { continue };
                    let end = self.graph.doubles(&[end], column);
                    let outside = self.graph.node(beyond, &[&numbers, &end], column);
                    numbers = self.graph.node("Where", &[&outside, &end, &numbers], column);
                }
                self.set(column, Value::Numbers(numbers));
            }
            StepParams::Impute { column, value: Fill::Number(value), .. } => {
                let numbers = self.numbers(column, kind)?;
                let value = self.graph.doubles(&[*value], column);
                let missing = self.graph.node("IsNaN", &[&numbers], column);
                let filled = self.graph.node("Where", &[&missing, &value, &numbers], column);
                self.set(column, Value::Numbers(filled));
            }
            StepParams::Impute { column, value: Fill::Category(word), .. } => {
                check_word(word, column, kind)?;
                let (input, fill) = self.words(column, kind)?;
                let fill = Some(fill.unwrap_or_else(|| word.clone()));
                self.set(column, Value::Words { input, fill });
            }
            StepParams::Ordinal { column, mapping, missing } => {
                self.ordinal(column, mapping, missing.unwrap_or(f64::NAN))?;
            }
            StepParams::OneHot { column, categories, infrequent, drop, unseen } => {
                let slots = CategorySlots::new(column, categories, infrequent, *drop, *unseen)?;
                self.one_hot(column, &slots)?;
            }
            StepParams::StandardScale { column, mean, scale } => {
                self.arithmetic(column, kind, [("Sub", *mean), ("Div", *scale)])?;
            }
            StepParams::MinMaxScale { column, min, max } => {
                let (factor, offset) = min_max_factor(*min, *max);
                self.arithmetic(column, kind, [("Mul", factor), ("Add", offset)])?;
            }
            StepParams::Drop { column } => self.set(column, Value::Gone),
            other => {
                let part = format!("the step `{}`", other.kind());
                return Err(cannot_express(part, "there are no operators for it here"));
            }
        }
        Ok(())
    }

    /// The number of each category by its place in a table, at whose end the number for all others is.
    fn ordinal(&mut self, column: &str, mapping: &[Level], missing: f64) -> Result<()> {
        let kind = StepKind::Ordinal;
        for level in mapping {
            check_word(&level.category, column, kind)?;
        }
        let place = |level: usize| level as i64;
        let words = mapping.iter().map(|level| level.category.as_str()).zip((0..).map(place));
        let index = self.look_up(column, kind, words.collect(), mapping.len() as i64, None)?;
        let mut values: Vec<f64> = mapping.iter().map(|level| level.value).collect();
        values.push(missing);
        let table = self.graph.doubles(&values, column);
        let numbers = self.graph.node("Gather", &[&table, &index], column);
        self.set(column, Value::Numbers(numbers));
        Ok(())
    }

    /// The slot of each row, compared with the number of every slot.
    fn one_hot(&mut self, column: &str, slots: &CategorySlots<'_>) -> Result<()> {
        let words = slots.words();
        let slot =
            self.look_up(column, StepKind::OneHot, words, slots.unseen, Some(CategorySlots::NONE))?;
        let numbers = self.graph.ints(0..slots.n_features, column);
        let equal = self.graph.node("Equal", &[&slot, &numbers], column);
        let block = self.cast(&equal, DataType::Double, column);
        self.blocks.push(block);
        self.set(column, Value::Gone);
        Ok(())
    }

    /// A whole number for each word, `other` for those not listed, and `missing` where a word is missing and not filled.
    fn look_up(
        &mut self,
        column: &str,
        step: StepKind,
        mut words: Vec<(&str, i64)>,
        other: i64,
        missing: Option<i64>,
    ) -> Result<String> {
        let (input, fill) = self.words(column, step)?;
        let filled = fill.map(|fill| {
            words.iter().find(|(word, _)| *word == fill).map_or(other, |(_, number)| *number)
        });
        words.push(("", filled.or(missing).unwrap_or(other)));
        let keys = words.iter().map(|(word, _)| Bytes::copy_from_slice(word.as_bytes()));
        let attributes = vec![
            attribute::strings("keys_strings", keys),
            attribute::ints("values_int64s", words.iter().map(|(_, number)| *number)),
            attribute::int("default_int64", other),
        ];
        Ok(self.graph.node_with("LabelEncoder", ML_DOMAIN, &[&input], column, attributes))
    }

    fn arithmetic(
        &mut self,
        column: &str,
        step: StepKind,
        operations: [(&str, f64); 2],
    ) -> Result<()> {
        let mut numbers = self.numbers(column, step)?;
        for (op_type, operand) in operations {
            let operand = self.graph.doubles(&[operand], column);
            numbers = self.graph.node(op_type, &[&numbers, &operand], column);
        }
        self.set(column, Value::Numbers(numbers));
        Ok(())
    }

    /// Lays the features side by side, rounded to `f32` as the forest rounds them.
    fn matrix(mut self) -> String {
        let plain = self.columns.iter().filter_map(|(_, value)| match value {
            Value::Numbers(name) => Some(name.as_str()),
            Value::Words { .. } | Value::Gone => None,
        });
        let parts: Vec<&str> = plain.chain(self.blocks.iter().map(String::as_str)).collect();
        let axis = vec![attribute::int("axis", 1)];
        let matrix = self.graph.node_with("Concat", "", &parts, "features", axis);
        let rounded = self.cast(&matrix, DataType::Float, "features");
        self.cast(&rounded, DataType::Double, "features")
    }

    fn cast(&mut self, value: &str, to: DataType, place: &str) -> String {
        let to = vec![attribute::int("to", i64::from(i32::from(to)))];
        self.graph.node_with("Cast", "", &[value], place, to)
    }

    fn numbers(&self, column: &str, step: StepKind) -> Result<String> {
        match self.find(column) {
            Some(Value::Numbers(name)) => Ok(name.clone()),
            _ => Err(cannot_express(step_on(step, column), "the column holds no numbers")),
        }
    }

    fn words(&self, column: &str, step: StepKind) -> Result<(String, Option<String>)> {
        match self.find(column) {
            Some(Value::Words { input, fill }) => Ok((input.clone(), fill.clone())),
            _ => Err(cannot_express(step_on(step, column), "the column holds no words")),
        }
    }

    fn find(&self, column: &str) -> Option<&Value> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }

    fn set(&mut self, column: &str, value: Value) {
        if let Some(found) = self.columns.iter_mut().find(|(name, _)| name == column) {
            found.1 = value;
        }
    }
}

/// The empty string is how a missing word is given, so it cannot be a category as well.
pub(super) fn check_word(word: &str, column: &str, step: StepKind) -> Result<()> {
    if word.is_empty() {
        let problem = "the empty string is a category, but stands for a missing one there";
        return Err(cannot_express(step_on(step, column), problem));
    }
    Ok(())
}

fn step_on(step: StepKind, column: &str) -> String {
    format!("the step `{step}` on column `{column}`")
}

/// The factor and the offset that the step multiplies with and adds, to the last bit.
fn min_max_factor(min: f64, max: f64) -> (f64, f64) {
    let range = max - min;
    let factor = 1.0 / if range < 10.0 * f64::EPSILON { 1.0 } else { range };
    (factor, 0.0 - min * factor)
}
