use linfa::Float;
use ndarray::{Array1, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;
use spinney_numpy_random::pairwise_sum;

use crate::{
    Error, Node, OutOfBag, RandomForestParams, Result, Tree, feature_columns::round_to_f32,
    rows::check_width,
};

/// Rows predicted together: each tree is walked for all of them before the next, so that it stays in the cache.
const BLOCK_ROWS: usize = 128;

/// A fitted random forest: the mean of its trees.
///
/// Made by [`RandomForestParams::fit_arrays`], by linfa's `Fit`, or of [trees](Self::from_trees).
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::RandomForest;
///
/// let x = array![[0.0, 7.0], [1.0, 7.0], [2.0, 7.0], [3.0, 7.0]];
/// let y = array![1.0, 1.0, 5.0, 5.0];
/// let forest = RandomForest::params().seed(42).fit_arrays(x.view(), y.view())?;
/// let prediction = forest.try_predict(array![[0.0, 7.0], [3.0, 7.0]].view())?;
/// assert!(prediction[0] < 2.0 && prediction[1] > 4.0);
/// assert_eq!(forest.feature_importances(), array![1.0, 0.0]);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RandomForest {
    trees: Vec<Tree>,
    n_features: usize,
    out_of_bag: Option<OutOfBag>,
}

impl RandomForest {
    /// Starts a forest's parameters with their defaults.
    #[must_use]
    pub fn params() -> RandomForestParams {
        RandomForestParams::default()
    }

    pub(crate) fn new(trees: Vec<Tree>, n_features: usize, out_of_bag: Option<OutOfBag>) -> Self {
        Self { trees, n_features, out_of_bag }
    }

    /// Assembles a forest from trees, for instance those of a file. It has no out-of-bag predictions.
    ///
    /// # Errors
    ///
    /// [`Error::NoTrees`], [`Error::NoFeatures`], and [`Error::InvalidTree`] as for [`Tree::from_nodes`].
    pub fn from_trees(trees: Vec<Tree>, n_features: usize) -> Result<Self> {
        if trees.is_empty() {
            return Err(Error::NoTrees);
        }
        if n_features == 0 {
            return Err(Error::NoFeatures);
        }
        for (number, tree) in trees.iter().enumerate() {
            tree.check(n_features).map_err(|(node, problem)| Error::InvalidTree {
                tree: number,
                node,
                problem,
            })?;
        }
        Ok(Self::new(trees, n_features, None))
    }

    /// Assembles a forest from the nodes of its trees, each as for [`Tree::from_nodes`]; every node is checked once.
    ///
    /// # Errors
    ///
    /// As for [`from_trees`](Self::from_trees).
    pub fn from_nodes(trees: Vec<Vec<Node>>, n_features: usize) -> Result<Self> {
        Self::from_trees(trees.into_iter().map(Tree::unchecked).collect(), n_features)
    }

    /// The trees, in the order of their seeds.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Number of columns that the forest was fitted on.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Predictions for the training rows by the trees that did not see them, if
    /// [`oob_score`](RandomForestParams::oob_score) asked for them.
    #[must_use]
    pub fn out_of_bag(&self) -> Option<&OutOfBag> {
        self.out_of_bag.as_ref()
    }

    /// Predicts each row of `x`, which is `n_rows × n_features` in any memory layout; no rows give no predictions.
    ///
    /// NaN goes the way the trees learned for missing values; where they had none to learn from, with the majority. A
    /// prediction is the sum of the trees' values in tree order, divided by their number: it does not depend on the other
    /// rows, nor on the number of threads.
    ///
    /// It walks the trees as they are. For many rows, or to predict again and again, [`compile`](Self::compile) the forest.
    ///
    /// # Errors
    ///
    /// [`Error::FeatureCount`] and [`Error::InfiniteFeature`].
    pub fn try_predict<F: Float>(&self, x: ArrayView2<'_, F>) -> Result<Array1<f64>> {
        let mut out = Array1::zeros(x.nrows());
        self.try_predict_into(x, out.view_mut())?;
        Ok(out)
    }

    /// Predicts each row of `x` into `out`. On an error `out` may be partly overwritten.
    ///
    /// # Errors
    ///
    /// As for [`try_predict`](Self::try_predict), and [`Error::OutputLength`].
    pub fn try_predict_into<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        mut out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        check_width(self.n_features, x.ncols())?;
        if out.len() != x.nrows() {
            return Err(Error::OutputLength { expected: x.nrows(), found: out.len() });
        }
        let blocks = x.axis_chunks_iter(Axis(0), BLOCK_ROWS).into_par_iter();
        let outs = out.axis_chunks_iter_mut(Axis(0), BLOCK_ROWS).into_par_iter();
        let first_error = blocks.zip(outs).enumerate().find_map_first(|(number, (block, out))| {
            self.predict_block(number * BLOCK_ROWS, block, out).err()
        });
        first_error.map_or(Ok(()), Err)
    }

    fn predict_block<F: Float>(
        &self,
        first_row: usize,
        x: ArrayView2<'_, F>,
        mut out: ArrayViewMut1<'_, f64>,
    ) -> Result<()> {
        let mut rows = Vec::with_capacity(x.len());
        for ((row, column), &cell) in x.indexed_iter() {
            let value = round_to_f32(cell);
            if value.is_infinite() {
                return Err(Error::InfiniteFeature { row: first_row + row, column });
            }
            rows.push(value);
        }
        out.fill(0.0);
        for tree in &self.trees {
            for (row, sum) in rows.chunks_exact(self.n_features).zip(&mut out) {
                *sum += tree.predict_row(row);
            }
        }
        let n_trees = self.trees.len() as f64;
        out.mapv_inplace(|sum| sum / n_trees);
        Ok(())
    }

    /// Returns each feature's share of the impurity decrease, averaged over the trees; they sum to 1.
    ///
    /// All are 0 if no tree has a split, or if no split decreased impurity (where scikit-learn divides 0 by 0). Features with
    /// many distinct values are favoured, as always with this measure.
    #[must_use]
    pub fn feature_importances(&self) -> Array1<f64> {
        let mut importances = vec![0.0; self.n_features];
        let trees = self.trees.iter().filter(|tree| tree.nodes().len() > 1);
        let mut n_trees = 0_u32;
        for tree in trees {
            n_trees += 1;
            let shares = tree.feature_importances(self.n_features);
            for (sum, share) in importances.iter_mut().zip(shares) {
                *sum += share;
            }
        }
        for importance in &mut importances {
            *importance /= f64::from(n_trees.max(1));
        }
        let sum = pairwise_sum(&importances);
        if sum != 0.0 {
            for importance in &mut importances {
                *importance /= sum;
            }
        }
        importances.into()
    }

    /// Writes all trees in their [canonical form](Tree::to_canonical_bytes), one after the other.
    ///
    /// Two forests are the same, node for node and bit for bit, if and only if these bytes are.
    #[must_use]
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        self.trees.iter().flat_map(Tree::to_canonical_bytes).collect()
    }
}
