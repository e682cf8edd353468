use std::ops::Bound;

use crate::frame::Frame;
use crate::layout::Layout;
use crate::operation::check_range;
use crate::{
    ColumnKind, Error, Fill, Impute, OneHot, Ordinal, Result, StepKind, StepParams, impute, scale,
};

/// One step of a plan, before anything is learned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlanStep {
    Difference { output: String, minuend: String, subtrahend: String },
    Clip { column: String, min: Bound<f64>, max: Bound<f64> },
    Impute { column: String, impute: Impute },
    Ordinal { column: String, ordinal: Ordinal },
    OneHot { column: String, one_hot: OneHot },
    StandardScale { column: String },
    MinMaxScale { column: String },
    Passthrough { column: String },
    Drop { column: String },
}

impl PlanStep {
    /// Checks the step against the columns there are, and notes in the layout what it does to them.
    pub(crate) fn check(&self, layout: &mut Layout) -> Result<()> {
        match self {
            Self::Difference { output, minuend, subtrahend } => {
                layout.numeric(StepKind::Difference, minuend)?;
                layout.numeric(StepKind::Difference, subtrahend)?;
                layout.derive(StepKind::Difference, output)
            }
            Self::Clip { column, min, max } => {
                layout.numeric(StepKind::Clip, column)?;
                clip_ends(column, *min, *max).map(drop)
            }
            Self::Impute { column, impute } => {
                let (_, kind) = layout.column(StepKind::Impute, column)?;
                impute.check(column, kind)
            }
            Self::Ordinal { column, ordinal } => {
                layout.ordinal(column)?;
                ordinal.resolve(column).map(drop)
            }
            Self::OneHot { column, one_hot } => {
                layout.one_hot(column)?;
                one_hot.check(column)
            }
            Self::StandardScale { column } => {
                layout.numeric(StepKind::StandardScale, column).map(drop)
            }
            Self::MinMaxScale { column } => layout.numeric(StepKind::MinMaxScale, column).map(drop),
            Self::Passthrough { column } => layout.numeric(StepKind::Passthrough, column).map(drop),
            Self::Drop { column } => layout.drop(column),
        }
    }

    /// Learns the step from rows that all earlier steps have been applied to; `None` if it does
    /// nothing.
    pub(crate) fn learn(&self, frame: &Frame<'_>, layout: &Layout) -> Result<Option<StepParams>> {
        let n_rows = frame.table.n_rows();
        let all_missing = |column: &String| Error::AllMissing { column: column.clone(), n_rows };
        Ok(Some(match self.clone() {
            Self::Difference { output, minuend, subtrahend } => {
                StepParams::Difference { output, minuend, subtrahend }
            }
            Self::Clip { column, min, max } => {
                let (min, max) = clip_ends(&column, min, max)?;
                StepParams::Clip { column, min, max }
            }
            Self::Impute { column, impute } => {
                let strategy = impute.strategy();
                let value = fill(impute, frame, layout.column(StepKind::Impute, &column)?)
                    .ok_or_else(|| all_missing(&column))?;
                if let Fill::Number(value) = value {
                    check_learned(StepKind::Impute, &column, &[value])?;
                }
                StepParams::Impute { column, strategy, value }
            }
            Self::Ordinal { column, ordinal } => {
                let (mapping, missing) = ordinal.resolve(&column)?;
                StepParams::Ordinal { mapping: mapping.to_vec(), missing, column }
            }
            Self::OneHot { column, one_hot } => {
                let (place, _) = layout.column(StepKind::OneHot, &column)?;
                let counts = frame.words(place).counts();
                if counts.is_empty() {
                    return Err(all_missing(&column));
                }
                let (categories, infrequent) = one_hot.learn(&counts);
                let OneHot { drop, unseen, .. } = one_hot;
                StepParams::OneHot { column, categories, infrequent, drop, unseen }
            }
            Self::StandardScale { column } => {
                let place = layout.numeric(StepKind::StandardScale, &column)?;
                let (mean, scale) =
                    scale::standard(frame.numbers(place)).ok_or_else(|| all_missing(&column))?;
                check_learned(StepKind::StandardScale, &column, &[mean, scale])?;
                StepParams::StandardScale { column, mean, scale }
            }
            Self::MinMaxScale { column } => {
                let place = layout.numeric(StepKind::MinMaxScale, &column)?;
                let (min, max) =
                    scale::min_max(frame.numbers(place)).ok_or_else(|| all_missing(&column))?;
                check_learned(StepKind::MinMaxScale, &column, &[min, max, max - min])?;
                StepParams::MinMaxScale { column, min, max }
            }
            Self::Passthrough { .. } => return Ok(None),
            Self::Drop { column } => StepParams::Drop { column },
        }))
    }
}

/// The value to fill gaps with; `None` if there is nothing to learn it from.
fn fill(impute: Impute, frame: &Frame<'_>, (place, kind): (usize, ColumnKind)) -> Option<Fill> {
    let number = |of: fn(&[f64]) -> Option<f64>| of(frame.numbers(place)).map(Fill::Number);
    match (impute, kind) {
        (Impute::Constant(fill), _) => Some(fill),
        (Impute::Mean, _) => number(impute::mean),
        (Impute::Median, _) => number(impute::median),
        (Impute::MostFrequent, ColumnKind::Numeric) => number(impute::most_frequent_number),
        (Impute::MostFrequent, ColumnKind::Categorical) => {
            let counts = frame.words(place).counts();
            impute::most_frequent_word(&counts).map(Fill::Category)
        }
    }
}

fn check_learned(step: StepKind, column: &str, values: &[f64]) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Error::Overflow { step, column: column.to_owned() })
}

/// The ends of a clip, `None` where open.
fn clip_ends(column: &str, min: Bound<f64>, max: Bound<f64>) -> Result<(Option<f64>, Option<f64>)> {
    let end = |bound, open| match bound {
        Bound::Included(end) => Ok(end),
        Bound::Unbounded => Ok(open),
        Bound::Excluded(_) => {
            Err(Error::ExcludedBound { step: StepKind::Clip, column: column.to_owned() })
        }
    };
    let (min, max) = (end(min, f64::NEG_INFINITY)?, end(max, f64::INFINITY)?);
    check_range(StepKind::Clip, column, min, max)?;
    Ok((Some(min).filter(|end| end.is_finite()), Some(max).filter(|end| end.is_finite())))
}
