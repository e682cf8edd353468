use linfa::Float;
use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use crate::{Error, RandomForest, Result, feature_columns::round_to_f32};

impl RandomForest {
    /// Computes something of each row, as `f32`, in parallel; the first row with an infinite feature is an error.
    pub(crate) fn map_rows<F: Float, T: Send>(
        &self,
        x: ArrayView2<'_, F>,
        of_row: impl Fn(&[f32]) -> T + Sync,
    ) -> Result<Vec<T>> {
        check_width(self.n_features(), x.ncols())?;
        let rows = x.axis_iter(Axis(0)).into_par_iter().enumerate();
        let results: Vec<Result<T>> =
            rows.map(|(row, x)| Ok(of_row(&round_row(row, x)?))).collect();
        results.into_iter().collect()
    }
}

/// Refuses rows that are not as wide as those that a forest was fitted on.
pub(crate) fn check_width(expected: usize, found: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::FeatureCount { expected, found }) }
}

fn round_row<F: Float>(row: usize, x: ArrayView1<'_, F>) -> Result<Vec<f32>> {
    let rounded = |(column, &cell)| {
        let value = round_to_f32(cell);
        if value.is_infinite() { Err(Error::InfiniteFeature { row, column }) } else { Ok(value) }
    };
    x.iter().enumerate().map(rounded).collect()
}
