use std::collections::BTreeMap;

use crate::frame::{Cells, Frame};
use crate::layout::Layout;
use crate::one_hot::{Block, Slot};
use crate::report::ColumnCount;
use crate::{Error, Fill, Result, StepKind, StepParams, Table, ordinal, scale};

/// A step with its learned values, checked and ready to run: columns by place, categories in maps.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Difference {
        output: String,
        minuend: usize,
        subtrahend: usize,
    },
    Clip {
        place: usize,
        min: f64,
        max: f64,
    },
    FillNumbers {
        place: usize,
        value: f64,
    },
    FillWords {
        place: usize,
        column: String,
        word: String,
    },
    Ordinal {
        place: usize,
        column: String,
        values: BTreeMap<String, f64>,
        missing: f64,
    },
    OneHot {
        place: usize,
        column: String,
        block: Block,
    },
    /// `(x - mean) / scale`, rounded in this order as scikit-learn's `StandardScaler` does.
    StandardScale {
        place: usize,
        column: String,
        mean: f64,
        scale: f64,
    },
    /// `x * factor + offset`, rounded in this order as scikit-learn's `MinMaxScaler` does.
    MinMaxScale {
        place: usize,
        column: String,
        factor: f64,
        offset: f64,
    },
    /// A dropped column stays where it is: no feature is made of it.
    Drop,
}

impl Operation {
    /// Checks a step against the columns there are, and notes in the layout what it does to them.
    pub(crate) fn new(step: &StepParams, layout: &mut Layout) -> Result<Self> {
        let kind = step.kind();
        Ok(match step {
            StepParams::Difference { output, minuend, subtrahend } => {
                let minuend = layout.numeric(kind, minuend)?;
                let subtrahend = layout.numeric(kind, subtrahend)?;
                layout.derive(kind, output)?;
                Self::Difference { output: output.clone(), minuend, subtrahend }
            }
            StepParams::Clip { column, min, max } => {
                let place = layout.numeric(kind, column)?;
                for (option, end) in [("min", min), ("max", max)] {
                    check_finite(kind, column, option, end.unwrap_or_default())?;
                }
                let (min, max) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
                check_range(kind, column, min, max)?;
                Self::Clip { place, min, max }
            }
            StepParams::Impute { column, strategy, value } => {
                let (place, column_kind) = layout.column(kind, column)?;
                strategy.check(column, column_kind)?;
                value.check(column, column_kind)?;
                match value.clone() {
                    Fill::Number(value) => Self::FillNumbers { place, value },
                    Fill::Category(word) => Self::FillWords { place, column: column.clone(), word },
                }
            }
            StepParams::Ordinal { column, mapping, missing } => {
                let place = layout.ordinal(column)?;
                ordinal::check(column, mapping, *missing)?;
                let values = mapping.iter().map(|level| (level.category.clone(), level.value));
                Self::Ordinal {
                    place,
                    column: column.clone(),
                    values: values.collect(),
                    missing: missing.unwrap_or(f64::NAN),
                }
            }
            StepParams::OneHot { column, categories, infrequent, drop, unseen } => {
                let place = layout.one_hot(column)?;
                let block = Block::new(column, categories, infrequent, *drop, *unseen)?;
                Self::OneHot { place, column: column.clone(), block }
            }
            StepParams::StandardScale { column, mean, scale } => {
                let place = layout.numeric(kind, column)?;
                check_finite(kind, column, "mean", *mean)?;
                check_finite(kind, column, "scale", *scale)?;
                if *scale <= 0.0 {
                    let (step, column, value) = (kind, column.clone(), *scale);
                    return Err(Error::InvalidNumber { step, column, option: "scale", value });
                }
                Self::StandardScale { place, column: column.clone(), mean: *mean, scale: *scale }
            }
            StepParams::MinMaxScale { column, min, max } => {
                let place = layout.numeric(kind, column)?;
                check_finite(kind, column, "min", *min)?;
                check_finite(kind, column, "max", *max)?;
                check_finite(kind, column, "range", max - min)?;
                check_range(kind, column, *min, *max)?;
                let (factor, offset) = scale::min_max_factor(*min, *max);
                Self::MinMaxScale { place, column: column.clone(), factor, offset }
            }
            StepParams::Drop { column } => {
                layout.drop(column)?;
                Self::Drop
            }
        })
    }

    /// Runs the step, and counts in `unseen` the categories it does not know.
    pub(crate) fn run(&self, frame: &mut Frame<'_>, unseen: &mut Vec<ColumnCount>) -> Result<()> {
        match self {
            Self::Difference { output, minuend, subtrahend } => {
                let (minuends, subtrahends) = (frame.numbers(*minuend), frame.numbers(*subtrahend));
                let pairs = minuends.iter().zip(subtrahends);
                let differences: Vec<f64> =
                    pairs.map(|(minuend, subtrahend)| minuend - subtrahend).collect();
                check_results(&differences, frame.table, StepKind::Difference, output)?;
                frame.append(differences);
            }
            Self::Clip { place, min, max } => {
                for value in frame.numbers_mut(*place) {
                    if *value < *min {
                        *value = *min;
                    } else if *value > *max {
                        *value = *max;
                    }
                }
            }
            Self::FillNumbers { place, value } => {
                let numbers = frame.numbers_mut(*place);
                for gap in numbers.iter_mut().filter(|number| number.is_nan()) {
                    *gap = *value;
                }
            }
            Self::FillWords { place, column, word } => {
                frame.words_mut(*place).fill(column, word)?
            }
            Self::Ordinal { place, column, values, missing } => {
                let words = frame.words(*place);
                let known = words.map(Some(*missing), |word| values.get(word).copied());
                unseen.extend(ColumnCount::new(column, known.iter().map(Option::is_none)));
                let numbers = known.into_iter().map(|number| number.unwrap_or(*missing));
                let numbers: Vec<f64> = numbers.collect();
                frame.replace(*place, Cells::Numbers(numbers.into()));
            }
            Self::OneHot { place, column, block } => {
                let words = frame.words(*place);
                let slots = words.map(Slot::MISSING, |word| block.slot(word));
                let unknown = slots.iter().map(|slot| slot.unseen);
                unseen.extend(ColumnCount::new(column, unknown));
                frame.replace(*place, Cells::Slots(slots));
            }
            Self::StandardScale { place, column, mean, scale } => {
                for value in frame.numbers_mut(*place) {
                    *value = (*value - mean) / scale;
                }
                let step = StepKind::StandardScale;
                check_results(frame.numbers(*place), frame.table, step, column)?;
            }
            Self::MinMaxScale { place, column, factor, offset } => {
                for value in frame.numbers_mut(*place) {
                    *value = *value * factor + offset;
                }
                let step = StepKind::MinMaxScale;
                check_results(frame.numbers(*place), frame.table, step, column)?;
            }
            Self::Drop => {}
        }
        Ok(())
    }
}

/// Checks that one end is finite and that they are not swapped.
pub(crate) fn check_range(step: StepKind, column: &str, min: f64, max: f64) -> Result<()> {
    let open = !min.is_finite() && !max.is_finite();
    if min <= max && !open {
        return Ok(());
    }
    Err(Error::InvalidRange { step, column: column.to_owned(), min, max })
}

fn check_finite(step: StepKind, column: &str, option: &'static str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::InvalidNumber { step, column: column.to_owned(), option, value })
}

/// Checks that a step on finite or missing numbers made no infinite ones.
fn check_results(results: &[f64], table: &Table, step: StepKind, column: &str) -> Result<()> {
    match results.iter().position(|result| result.is_infinite()) {
        None => Ok(()),
        Some(row) => Err(Error::InfiniteResult {
            position: table.position(row),
            step,
            column: column.to_owned(),
        }),
    }
}
