//! How far requests are from what the model was trained on.

use spinney_preprocess::{Column, Table, TrainingRanges};

use crate::OutOfRange;

/// Compares rows with the ranges of the training.
#[derive(Debug)]
pub(crate) struct InputMonitor {
    ranges: Option<TrainingRanges>,
}

impl InputMonitor {
    /// A bundle without ranges gives nothing to compare with.
    pub(crate) fn new(ranges: Option<&TrainingRanges>) -> Self {
        Self { ranges: ranges.cloned() }
    }

    /// Counts missing values and numbers that are out of range, for the columns that have any.
    pub(crate) fn look_at(&self, table: &Table) -> (Vec<(String, usize)>, Vec<OutOfRange>) {
        let (mut missing, mut out) = (Vec::new(), Vec::new());
        for (name, column) in table.columns() {
            let n_missing = column.n_missing();
            if n_missing > 0 {
                missing.push((name.to_owned(), n_missing));
            }
            if let Some(ranges) = &self.ranges
                && let Some((least, greatest)) = ranges.get(name)
                && let Column::Numeric(numbers) = column
            {
                let below = numbers.iter().filter(|&&number| number < least).count();
                let above = numbers.iter().filter(|&&number| number > greatest).count();
                if below + above > 0 {
                    out.push(OutOfRange { column: name.to_owned(), below, above });
                }
            }
        }
        (missing, out)
    }
}
