//! A forest compiled for prediction: [`Predictor`] is the interface, [`Form`] chooses how it is held.

mod arena;
mod compact;
mod distinct;
mod form;
mod general;
mod layout;
mod packed;
mod ranks;
mod row_encoder;
mod thresholds;
mod walk;
mod wide;

use std::fmt;

use linfa::Float;
use ndarray::{Array1, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use self::{arena::CACHED_BYTES, form::Form, walk::ROW_LANES};
use crate::{Error, RandomForest, Result, feature_columns::round_to_f32, rows::check_width};

/// A forest compiled for prediction: the same results, bit for bit, many times faster.
///
/// It is made once from a forest, by [`RandomForest::compile`], and does not change; it holds what prediction needs and no more.
/// To predict from several threads at once, share it behind a reference or an `Arc`.
///
/// Each prediction is that of [`RandomForest::try_predict`]: the sum of the trees' values in tree order, divided by their
/// number. It does not depend on the other rows, nor on the number of threads.
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::RandomForest;
///
/// let x = array![[0.0_f32], [1.0], [2.0], [f32::NAN]];
/// let y = array![1.0, 1.0, 5.0, 5.0];
/// let forest = RandomForest::params().seed(42).fit_arrays(x.view(), y.view())?;
/// let predictor = forest.compile();
/// assert_eq!(predictor.predict(x.view())?, forest.try_predict(x.view())?);
/// assert_eq!(predictor.predict_row(&[2.0])?, predictor.predict(x.view())?[2]);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
pub struct Predictor {
    form: Form,
    n_features: usize,
    n_trees: usize,
}

impl RandomForest {
    /// Compiles the forest for prediction.
    ///
    /// It pays from about a thousand rows on, or for as many calls as come: on 286,000 nodes it takes as long as
    /// [`try_predict`](Self::try_predict) for that many rows.
    ///
    /// # Complexity
    ///
    /// `O(n log n)` time and `O(n)` memory for `n` nodes.
    #[must_use]
    pub fn compile(&self) -> Predictor {
        Predictor::new(self)
    }
}

impl Predictor {
    /// Compiles a forest. It need not be kept.
    #[must_use]
    pub fn new(forest: &RandomForest) -> Self {
        Self {
            form: Form::new(forest),
            n_features: forest.n_features(),
            n_trees: forest.trees().len(),
        }
    }

    /// Number of columns that the forest was fitted on.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Bytes of memory that the compiled forest takes.
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let forest = RandomForest::params().fit_arrays(array![[1.0]].view(), array![2.0].view())?;
    /// assert!(forest.compile().memory_bytes() < 32 * 1024);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.form.memory_bytes()
    }

    /// Predicts one row, a value for each column; NaN is missing. Allocates nothing.
    ///
    /// Other types than `f32` are to be rounded to the nearest before, as [`predict`](Self::predict) does.
    ///
    /// # Errors
    ///
    /// [`Error::FeatureCount`], and [`Error::InfiniteFeature`] with row 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::{Error, RandomForest};
    ///
    /// let (x, y) = (array![[0.0], [1.0]], array![10.0, 20.0]);
    /// let forest = RandomForest::params().bootstrap(false).fit_arrays(x.view(), y.view())?;
    /// let predictor = forest.compile();
    /// assert_eq!(predictor.predict_row(&[0.5])?, 10.0);
    /// assert_eq!(predictor.predict_row(&[0.6])?, 20.0);
    /// assert_eq!(predictor.predict_row(&[]), Err(Error::FeatureCount { expected: 1, found: 0 }));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn predict_row(&self, row: &[f32]) -> Result<f64> {
        check_width(self.n_features, row.len())?;
        match row.iter().position(|value| value.is_infinite()) {
            Some(column) => Err(Error::InfiniteFeature { row: 0, column }),
            None => Ok(self.form.sum_row(row) / self.n_trees as f64),
        }
    }

    /// Predicts each row of `x`, which is `n_rows × n_features` in any memory layout; no rows give no predictions.
    ///
    /// Values are rounded to `f32`; NaN is missing and goes the way the trees learned.
    ///
    /// # Errors
    ///
    /// [`Error::FeatureCount`], and [`Error::InfiniteFeature`] for the first infinite value, row by row.
    pub fn predict<F: Float>(&self, x: ArrayView2<'_, F>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.predict_into(x, out.view_mut())?;
        Ok(out)
    }

    /// Predicts each row of `x` into `out`. On an error `out` may be partly overwritten.
    ///
    /// Rows are taken block by block, on the current rayon pool if they are enough for it to pay. Memory is allocated for the
    /// blocks in work, not for rows.
    ///
    /// # Errors
    ///
    /// As for [`predict`](Self::predict), and [`Error::OutputLength`].
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use spinney_forest::RandomForest;
    ///
    /// let (x, y) = (array![[0.0], [1.0]], array![10.0, 20.0]);
    /// let forest = RandomForest::params().bootstrap(false).fit_arrays(x.view(), y.view())?;
    /// let mut out = Array1::zeros(3);
    /// forest.compile().predict_into(array![[1.0], [-7.0], [0.5]].view(), out.view_mut())?;
    /// assert_eq!(out, array![20.0, 10.0, 10.0]);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn predict_into<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        self.predict_on(rayon::current_num_threads(), x, out)
    }

    /// Likewise, on this thread alone: for engines that have threads of their own, one for each part of the data.
    ///
    /// # Errors
    ///
    /// As for [`predict_into`](Self::predict_into).
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use spinney_forest::RandomForest;
    ///
    /// let (x, y) = (array![[0.0], [1.0]], array![10.0, 20.0]);
    /// let forest = RandomForest::params().bootstrap(false).fit_arrays(x.view(), y.view())?;
    /// let mut out = Array1::zeros(2);
    /// forest.compile().predict_on_this_thread(array![[0.9], [0.1]].view(), out.view_mut())?;
    /// assert_eq!(out, array![20.0, 10.0]);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn predict_on_this_thread<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        self.predict_on(1, x, out)
    }

    fn predict_on<F: Float>(
        &self,
        n_threads: usize,
        x: ArrayView2<'_, F>,
        mut out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        check_width(self.n_features, x.ncols())?;
        if out.len() != x.nrows() {
            return Err(Error::OutputLength { expected: x.nrows(), found: out.len() });
        }
        if x.nrows() < ROW_LANES {
            return self.predict_rows(x, out);
        }
        let block_rows = self.block_rows(x.nrows(), n_threads);
        let blocks = x.axis_chunks_iter(Axis(0), block_rows);
        let outs = out.axis_chunks_iter_mut(Axis(0), block_rows);
        let predict = |work: &mut BlockWork, (number, (block, out))| {
            self.predict_block(number * block_rows, block, out, work).err()
        };
        // Waking a pool costs more than it saves on little work.
        let is_small = x.nrows() <= block_rows || x.nrows() * self.n_trees < PARALLEL_WALKS;
        let first_error = if n_threads == 1 || is_small {
            let mut work = BlockWork::default();
            blocks.zip(outs).enumerate().find_map(|block| predict(&mut work, block))
        } else {
            let blocks = blocks.into_par_iter().zip(outs).enumerate();
            blocks.map_init(BlockWork::default, predict).find_map_first(|error| error)
        };
        first_error.map_or(Ok(()), Err)
    }

    /// Predicts rows one by one: too few to walk a tree together.
    fn predict_rows<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        mut out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        let mut cells = vec![0.0; self.n_features];
        for (number, (row, out)) in x.rows().into_iter().zip(&mut out).enumerate() {
            for (cell, &value) in cells.iter_mut().zip(row) {
                *cell = round_to_f32(value);
            }
            *out = self.predict_row(&cells).map_err(|error| match error {
                Error::InfiniteFeature { column, .. } => {
                    Error::InfiniteFeature { row: number, column }
                }
                error => error,
            })?;
        }
        Ok(())
    }

    /// Rows that are taken through the forest together.
    fn block_rows(&self, n_rows: usize, n_threads: usize) -> usize {
        if self.memory_bytes() <= CACHED_BYTES {
            return BLOCK_ROWS;
        }
        // Each block reads the whole forest from memory: as few as the threads allow.
        let share = n_rows.div_ceil(n_threads).next_multiple_of(ROW_LANES);
        let most = LARGE_BLOCK_BYTES / self.form.row_bytes(self.n_features);
        share.min(most / ROW_LANES * ROW_LANES).max(BLOCK_ROWS)
    }

    fn predict_block<F: Float>(
        &self,
        first_row: usize,
        x: ArrayView2<'_, F>,
        out: ArrayViewMut1<'_, f64>,
        work: &mut BlockWork,
    ) -> Result<()> {
        let BlockWork { cells, sums, encoded } = work;
        cells.clear();
        for row in x.rows() {
            cells.extend(row.iter().map(|&value| round_to_f32(value)));
        }
        if let Some(cell) = cells.iter().position(|value| value.is_infinite()) {
            let (row, column) = (cell / self.n_features, cell % self.n_features);
            return Err(Error::InfiniteFeature { row: first_row + row, column });
        }
        sums.resize(x.nrows(), 0.0);
        self.form.sum_rows(cells.chunks_exact(self.n_features), sums, encoded);
        for (out, sum) in out.into_iter().zip(sums) {
            *out = *sum / self.n_trees as f64;
        }
        Ok(())
    }
}

/// Names the form and the sizes; the nodes are too many to print.
impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predictor")
            .field("form", &self.form.name())
            .field("n_features", &self.n_features)
            .field("n_trees", &self.n_trees)
            .field("memory_bytes", &self.memory_bytes())
            .finish()
    }
}

/// Memory that a thread predicts blocks in, one after the other.
#[derive(Debug, Default)]
struct BlockWork {
    /// The block's features, row by row.
    cells: Vec<f32>,
    sums: Vec<f64>,
    encoded: Vec<u32>,
}

/// Rows of a block: encoded, they and a tree fit into the first-level cache.
const BLOCK_ROWS: usize = 5 * ROW_LANES;

/// Walks of a row through a tree, from which on several threads share them: about half a millisecond's work.
const PARALLEL_WALKS: usize = 50_000;

/// Rows, encoded, of a block for a forest that does not stay in a core's cache: they and a tree do.
const LARGE_BLOCK_BYTES: usize = 360 << 10;
