use std::{borrow::Cow, ops::Range};

use linfa::{Float, ParamGuard};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use spinney_numpy_random::pairwise_sum;

use crate::{
    Criterion, Error, MaxFeatures, RandomForest, RandomForestParams, RandomForestValidParams,
    Result, RowCount,
    bootstrap::{Bootstrap, RowWeights, feature_generator, tree_seeds},
    feature_columns::FeatureColumns,
    out_of_bag::OutOfBag,
    rows::check_width,
    training_set::TrainingSet,
    tree::{
        Tree, bounds::MonotonicConstraints, criterion::WeightedTargets, engine::Engine,
        grow::GrowLimits, search::SearchLimits,
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
    /// [`Error::InvalidTarget`], [`Error::TargetsTooLarge`], and for the Poisson criterion [`Error::NegativeTarget`] and
    /// [`Error::TargetsSumToZero`] refuse the data,
    /// [`Error::ConstraintCount`] constraints for another number of features, [`Error::ThreadPool`] if threads cannot be
    /// started.
    ///
    /// # Complexity
    ///
    /// `O(n_estimators · n_features · n log² n)` time for balanced trees. Memory for the forest and, with the default options and
    /// 20 columns of many values, on one thread three times `x` as `f32`, and 1.3 times more for each further thread. If no column
    /// has more than 32,767 values, half of `x` more.
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
        self.check_ref()?.fit(&[], &TrainingSet::new(x, y, None)?, on_tree)
    }

    /// Fits a forest to arrays whose rows have weights: 0 or more, finite, not all 0.
    ///
    /// With bootstrap, a row is drawn in proportion to its weight, and a fraction in
    /// [`max_samples`](Self::max_samples) is of the sum of weights. Without, sums and means are weighted. Out-of-bag R² and
    /// limits that count rows are not.
    ///
    /// # Errors
    ///
    /// As for [`fit_arrays`](Self::fit_arrays), [`Error::WeightLength`], [`Error::InvalidWeight`] and
    /// [`Error::WeightSum`].
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let (x, y) = (array![[1.0], [1.0]], array![10.0, 20.0]);
    /// let params = RandomForest::params().bootstrap(false);
    /// let forest = params.fit_weighted(x.view(), y.view(), array![3.0, 1.0].view())?;
    /// assert_eq!(forest.try_predict(x.view())?, array![12.5, 12.5]);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn fit_weighted<F: Float>(
        &self,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
        sample_weight: ArrayView1<'_, f64>,
    ) -> Result<RandomForest> {
        self.check_ref()?.fit(&[], &TrainingSet::new(x, y, Some(sample_weight))?, |_| {})
    }

    /// Grows a fitted forest: keeps its trees and adds those that are missing to `n_estimators`.
    ///
    /// With the data and parameters that the forest was fitted with, the result is the forest that `n_estimators` would have
    /// given at once. (scikit-learn: `warm_start=True`.)
    ///
    /// # Errors
    ///
    /// As for [`fit_arrays`](Self::fit_arrays), [`Error::FeatureCount`] for another number of columns, and
    /// [`Error::InvalidParameter`] if `n_estimators` is less than the forest has.
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let (x, y) = (array![[1.0], [2.0], [3.0]], array![10.0, 20.0, 30.0]);
    /// let few = RandomForest::params().n_estimators(2).fit_arrays(x.view(), y.view())?;
    /// let many = RandomForest::params().n_estimators(5).grow(&few, x.view(), y.view())?;
    /// assert_eq!(many, RandomForest::params().n_estimators(5).fit_arrays(x.view(), y.view())?);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    #[doc(alias = "warm_start")]
    pub fn grow<F: Float>(
        &self,
        forest: &RandomForest,
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
    ) -> Result<RandomForest> {
        let params = self.check_ref()?;
        check_width(forest.n_features(), x.ncols())?;
        if params.n_estimators() < forest.trees().len() {
            return Err(Error::InvalidParameter {
                parameter: "n_estimators",
                value: params.n_estimators().to_string(),
                allowed: "at least the number of trees that the forest has",
            });
        }
        params.fit(forest.trees(), &TrainingSet::new(x, y, None)?, |_| {})
    }
}

impl RandomForestValidParams {
    /// Fits the trees that are missing behind those that are there.
    pub(crate) fn fit(
        &self,
        grown: &[Tree],
        data: &TrainingSet,
        on_tree: impl Fn(usize) + Sync,
    ) -> Result<RandomForest> {
        let fit = self.prepare(data)?;
        let y = &data.y;
        let on_tree = &on_tree;
        self.in_pool(|| {
            let mut trees = grown.to_vec();
            trees.extend(fit.trees(grown.len()..self.n_estimators(), on_tree));
            let out_of_bag =
                fit.weights.bootstrap().filter(|_| self.oob_score()).map(|bootstrap| {
                    OutOfBag::new(&trees, &data.x, y, |tree| bootstrap.counts(fit.seeds[tree]))
                });
            RandomForest::new(trees, data.x.n_features(), out_of_bag)
        })
    }

    /// Holds the parameters against the data.
    pub(crate) fn prepare<'a>(&'a self, data: &'a TrainingSet) -> Result<PreparedFit<'a>> {
        let x = &data.x;
        let constraints = self.monotonic_cst();
        if !constraints.is_empty() && constraints.len() != x.n_features() {
            let (expected, found) = (x.n_features(), constraints.len());
            return Err(Error::ConstraintCount { expected, found });
        }
        if self.criterion() == Criterion::Poisson {
            data.check_counts()?;
        }
        let sample_weight = data.sample_weight.as_deref();
        let n_draws = self.n_draws(data);
        let weights = match sample_weight {
            _ if self.bootstrap() => {
                RowWeights::Drawn(Bootstrap::new(x.n_rows(), n_draws, sample_weight))
            }
            Some(weight) => RowWeights::Fixed(Cow::Borrowed(weight)),
            None => RowWeights::Fixed(Cow::Owned(vec![1.0; x.n_rows()])),
        };
        let total_weight = weights.total();
        data.check_sums(total_weight)?;
        let limits = self.resolve(x, total_weight);
        let seeds = tree_seeds(self.seed(), self.n_estimators());
        Ok(PreparedFit { params: self, data, n_draws, weights, limits, seeds })
    }

    fn n_draws(&self, data: &TrainingSet) -> usize {
        let n_rows = data.x.n_rows();
        match self.max_samples() {
            None => n_rows,
            Some(RowCount::Count(count)) => count,
            Some(RowCount::Fraction(q)) => {
                let total = data.sample_weight.as_deref().map_or(n_rows as f64, pairwise_sum);
                ((q * total) as usize).max(1)
            }
        }
    }

    fn resolve(&self, x: &FeatureColumns, total_weight: f64) -> GrowLimits<'_> {
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
            max_leaf_nodes: self.max_leaf_nodes(),
            min_samples_split: min_samples_split.max(min_samples_leaf.saturating_mul(2)),
            min_impurity_decrease: self.min_impurity_decrease(),
            search: SearchLimits {
                splitter: self.splitter(),
                max_features: max_features.max(1),
                min_samples_leaf,
                min_weight_leaf: self.min_weight_fraction_leaf() * total_weight,
                monotonic: MonotonicConstraints(self.monotonic_cst()),
            },
        }
    }

    pub(crate) fn in_pool<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let Some(n_threads) = self.n_threads() else { return Ok(work()) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads.get()).build();
        let pool = pool.map_err(|error| Error::ThreadPool {
            n_threads: n_threads.get(),
            message: error.to_string(),
        })?;
        Ok(pool.install(work))
    }
}

/// Parameters and data that fit together: any of the forest's trees can be fitted, in any order and anywhere.
pub(crate) struct PreparedFit<'a> {
    params: &'a RandomForestValidParams,
    data: &'a TrainingSet,
    n_draws: usize,
    pub(crate) weights: RowWeights<'a>,
    limits: GrowLimits<'a>,
    pub(crate) seeds: Vec<u32>,
}

impl PreparedFit<'_> {
    /// Fits the trees of these numbers.
    pub(crate) fn trees(&self, numbers: Range<usize>, on_tree: impl Fn(usize) + Sync) -> Vec<Tree> {
        let (x, y) = (&self.data.x, &self.data.y);
        let options = (self.params.criterion(), self.params.fidelity());
        let engine = Engine::new(x, y, self.n_draws, options, self.limits);
        let ccp_alpha = self.params.ccp_alpha();
        let fit = |number: usize| {
            let seed = self.seeds[number];
            let weight = &self.weights.of_tree(seed);
            let tree = engine.grow(WeightedTargets { y, weight }, feature_generator(seed));
            let tree = if ccp_alpha > 0.0 { tree.pruned(ccp_alpha) } else { tree };
            on_tree(number);
            tree
        };
        numbers.into_par_iter().map(fit).collect()
    }
}
