use linfa::Float;
use ndarray::ArrayView2;

use crate::{Error, Result};

/// More rows than this and a tree could have more nodes than its node numbers can count.
const MAX_ROWS: usize = 1 << 30;

/// The training matrix as the trees see it: rounded to `f32`, one column after the other.
#[derive(Debug)]
pub(crate) struct FeatureColumns {
    n_rows: usize,
    n_features: usize,
    /// Column-major, `n_features * n_rows`.
    values: Vec<f32>,
}

impl FeatureColumns {
    pub(crate) fn new<F: Float>(x: ArrayView2<'_, F>) -> Result<Self> {
        let (n_rows, n_features) = x.dim();
        if n_rows == 0 {
            return Err(Error::NoRows);
        }
        if n_features == 0 {
            return Err(Error::NoFeatures);
        }
        if n_rows > MAX_ROWS {
            return Err(Error::TooManyRows { found: n_rows, max: MAX_ROWS });
        }
        let mut values = Vec::with_capacity(x.len());
        for (column, cells) in x.columns().into_iter().enumerate() {
            for (row, &cell) in cells.iter().enumerate() {
                let value = round_to_f32(cell);
                if value.is_infinite() {
                    return Err(Error::InfiniteFeature { row, column });
                }
                values.push(value);
            }
        }
        Ok(Self { n_rows, n_features, values })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    pub(crate) fn column(&self, feature: usize) -> &[f32] {
        &self.values[feature * self.n_rows..][..self.n_rows]
    }

    pub(crate) fn copy_row(&self, row: usize, out: &mut [f32]) {
        for (feature, cell) in out.iter_mut().enumerate() {
            *cell = self.values[feature * self.n_rows + row];
        }
    }
}

/// Rounds a feature to the nearest `f32`, ties to even; NaN stays NaN, too large becomes infinite.
pub(crate) fn round_to_f32<F: Float>(value: F) -> f32 {
    value.to_f32().unwrap_or(f32::INFINITY)
}
