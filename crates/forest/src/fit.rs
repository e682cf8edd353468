use linfa::{Float, ParamGuard};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::{
    Error, MaxFeatures, RandomForest, RandomForestParams, RandomForestValidParams, Result,
    RowCount,
    bootstrap::{bootstrap_weights, feature_generator, tree_seeds},
    feature_columns::FeatureColumns,
    out_of_bag::OutOfBag,
    tree::{
        Tree, engine::Engine, grow::GrowLimits, node_sums::WeightedTargets, search::SearchLimits,
    },
};

impl RandomForestParams {
    /// Checks the parameters and fits a forest to arrays.
    ///
    /// `x` is `n_rows × n_features`, in any memory layout; values are rounded to `f32`, NaN means missing and is learned
    /// from. `y` holds one target for each row. (linfa's [`Fit`](linfa::traits::Fit) does the same for its data sets.)
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] and [`Error::ConflictingParameters`] name the parameter. [`Error::NoRows`],
    /// [`Error::NoFeatures`], [`Error::TooManyRows`], [`Error::TargetLength`], [`Error::InfiniteFeature`],
    /// [`Error::InvalidTarget`] and [`Error::TargetsTooLarge`] refuse the data, [`Error::ThreadPool`] if threads cannot be
    /// started.
    ///
    /// # Complexity
    ///
    /// `O(n_estimators · n_features · n log² n)` time for balanced trees; memory for `x` as `f32`, the forest, and a few words
    /// per row and thread. Targets that are whole multiples of a power of two and not too large (whole prices, counts, money
    /// in quarters) take `O(n_estimators · n_features · n log n)` and two to three times `x` more memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let x = array![[1.0, f64::NAN], [2.0, 0.0], [3.0, f64::NAN]];
    /// let y = array![10.0, 20.0, 30.0];
    /// let forest = RandomForest::params().n_estimators(5).fit_arrays(x.view(), y.view())?;
    /// assert_eq!(forest.trees().len(), 5);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn fit_arrays<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
    ) -> Result<RandomForest> {
        self.fit_arrays_with(x, y, |_| {})
    }

    /// Fits a forest to arrays and calls `on_tree` after each tree, with the number of the tree that is done.
    ///
    /// Trees finish in any order, and on any of the threads that fit.
    ///
    /// # Errors
    ///
    /// As for [`fit_arrays`](Self::fit_arrays).
    pub fn fit_arrays_with<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
        on_tree: impl Fn(usize) + Sync,
    ) -> Result<RandomForest> {
        self.check_ref()?.fit_views(x, y, on_tree)
    }
}

impl RandomForestValidParams {
    pub(crate) fn fit_views<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
        on_tree: impl Fn(usize) + Sync,
    ) -> Result<RandomForest> {
        if x.nrows() != y.len() {
            return Err(Error::TargetLength { x_rows: x.nrows(), y_rows: y.len() });
        }
        let x = FeatureColumns::new(x)?;
        let n_draws = self.n_draws(x.n_rows());
        let y = check_targets(y, n_draws)?;
        let limits = self.resolve(&x);
        let engine = Engine::new(&x, &y, n_draws, limits);
        let seeds = tree_seeds(self.seed(), self.n_estimators());

        let fit_tree = |(number, &seed): (usize, &u32)| {
            let weight = self.weights(seed, x.n_rows(), n_draws);
            let targets = WeightedTargets { y: &y, weight: &weight };
            let tree = engine.grow(targets, feature_generator(seed));
            on_tree(number);
            tree
        };
        self.in_pool(|| {
            let trees: Vec<Tree> = seeds.par_iter().enumerate().map(fit_tree).collect();
            let out_of_bag = self.oob_score().then(|| {
                let in_bag = |tree: usize| bootstrap_weights(seeds[tree], x.n_rows(), n_draws);
                OutOfBag::new(&trees, &x, &y, in_bag)
            });
            RandomForest::new(trees, x.n_features(), out_of_bag)
        })
    }

    fn weights(&self, tree_seed: u32, n_rows: usize, n_draws: usize) -> Vec<f64> {
        if self.bootstrap() {
            bootstrap_weights(tree_seed, n_rows, n_draws)
        } else {
            vec![1.0; n_rows]
        }
    }

    fn n_draws(&self, n_rows: usize) -> usize {
        match self.max_samples() {
            None => n_rows,
            Some(RowCount::Count(count)) => count,
            Some(RowCount::Fraction(q)) => ((q * n_rows as f64) as usize).max(1),
        }
    }

    fn resolve(&self, x: &FeatureColumns) -> GrowLimits {
        let n_features = x.n_features();
        let max_features = match self.max_features() {
            MaxFeatures::All => n_features,
            MaxFeatures::Sqrt => n_features.isqrt(),
            MaxFeatures::Log2 => n_features.ilog2() as usize,
            MaxFeatures::Count(count) => count,
            MaxFeatures::Fraction(q) => (q * n_features as f64) as usize,
        };
        let share = |q: f64| (q * x.n_rows() as f64).ceil() as usize;
        let min_samples_leaf = match self.min_samples_leaf() {
            RowCount::Count(count) => count,
            RowCount::Fraction(q) => share(q),
        };
        let min_samples_split = match self.min_samples_split() {
            RowCount::Count(count) => count,
            RowCount::Fraction(q) => share(q).max(2),
        };
        GrowLimits {
            max_depth: self.max_depth().unwrap_or(usize::MAX),
            min_samples_split: min_samples_split.max(min_samples_leaf.saturating_mul(2)),
            min_impurity_decrease: self.min_impurity_decrease(),
            search: SearchLimits { max_features: max_features.max(1), min_samples_leaf },
        }
    }

    fn in_pool<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let Some(n_threads) = self.n_threads() else {
            return Ok(work());
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads.get()).build();
        let pool = pool.map_err(|error| Error::ThreadPool {
            n_threads: n_threads.get(),
            message: error.to_string(),
        })?;
        Ok(pool.install(work))
    }
}

/// Targets have to be finite, and so does the largest sum that a node can need.
fn check_targets(y: ArrayView1<'_, f64>, n_draws: usize) -> Result<Vec<f64>> {
    if let Some((row, &value)) = y.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::InvalidTarget { row, value });
    }
    let largest = y.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if !(largest * y.len().max(n_draws) as f64).is_finite() {
        return Err(Error::TargetsTooLarge { largest });
    }
    Ok(y.to_vec())
}
