mod arena;
mod compact;
mod distinct;
mod form;
mod general;
mod layout;
mod packed;
mod ranks;
mod thresholds;
mod walk;
mod wide;

use linfa::Float;
use ndarray::{Array1, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use self::{form::Form, walk::LANES};
use crate::{Error, RandomForest, Result, feature_columns::round_to_f32};

/// A forest compiled for prediction.
#[derive(Debug)]
pub struct Predictor {
    form: Form,
    n_features: usize,
    n_trees: usize,
    tree_major: bool,
    pub block: usize,
}

#[derive(Debug, Default)]
struct Scratch {
    rows: Vec<f32>,
    sums: Vec<f64>,
    encoded: Vec<u32>,
}

impl Predictor {
    /// Compiles.
    pub fn new(forest: &RandomForest) -> Self {
        Self { form: Form::new(forest), n_features: forest.n_features(), n_trees: forest.trees().len(),
          tree_major: std::env::var("TM").is_ok(), block: std::env::var("BLOCK").map_or(60, |b| b.parse().unwrap())  }
    }

    /// Bytes.
    pub fn memory_bytes(&self) -> usize {
        match &self.form {
            Form::Compact(packed) => packed.memory_bytes(),
            Form::Wide(packed) => packed.memory_bytes(),
            Form::General(general) => general.memory_bytes(),
        }
    }

    /// Row.
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        if row.len() != self.n_features {
            return Err(Error::FeatureCount { expected: self.n_features, found: row.len() });
        }
        if let Some(column) = row.iter().position(|x| x.is_infinite()) {
            return Err(Error::InfiniteFeature { row: 0, column });
        }
        Ok(self.sum_row(row) / self.n_trees as f64)
    }

    fn sum_row(&self, row: &[f32]) -> f64 {
        match &self.form {
            Form::Compact(packed) => packed.sum_row(row),
            Form::Wide(packed) => packed.sum_row(row),
            Form::General(general) => general.sum_row(row),
        }
    }

    /// Predict
    pub fn predict<F: Float>(&self, x: ArrayView2<'_, F>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.predict_into(x, out.view_mut())?;
        Ok(out)
    }

    /// Predict
    pub fn predict_into<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        mut out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        if x.ncols() != self.n_features {
            return Err(Error::FeatureCount { expected: self.n_features, found: x.ncols() });
        }
        if out.len() != x.nrows() {
            return Err(Error::OutputLength { expected: x.nrows(), found: out.len() });
        }
        let blocks = x.axis_chunks_iter(Axis(0), self.block).into_par_iter();
        let outs = out.axis_chunks_iter_mut(Axis(0), self.block).into_par_iter();
        let errors = blocks.zip(outs).enumerate().map_init(Scratch::default, |scratch, (number, (block, out))| {
            self.predict_block(number * self.block, block, out, scratch).err()
        });
        errors.find_map_first(|error| error).map_or(Ok(()), Err)
    }

    fn predict_block<F: Float>(
        &self,
        first_row: usize,
        x: ArrayView2<'_, F>,
        mut out: ArrayViewMut1<'_, f64>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let rows = &mut scratch.rows;
        rows.clear();
        for ((row, column), &cell) in x.indexed_iter() {
            let value = round_to_f32(cell);
            if value.is_infinite() {
                return Err(Error::InfiniteFeature { row: first_row + row, column });
            }
            rows.push(value);
        }
        let n_trees = self.n_trees as f64;
        if !self.tree_major {
            for (row, out) in rows.chunks_exact(self.n_features).zip(out) {
                *out = self.sum_row(row) / n_trees;
            }
        } else {
            let sums = &mut scratch.sums;
            sums.clear();
            sums.resize(x.nrows().next_multiple_of(LANES), 0.0);
            rows.resize(sums.len() * self.n_features, 0.0);
            match &self.form {
                Form::Compact(packed) => packed.sum_rows(rows, self.n_features, sums, &mut scratch.encoded),
                Form::Wide(packed) => packed.sum_rows(rows, self.n_features, sums, &mut scratch.encoded),
                Form::General(general) => general.sum_rows(rows, self.n_features, sums),
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = *sum / n_trees;
            }
        }
        Ok(())
    }
}
