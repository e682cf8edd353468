use std::num::NonZeroUsize;

use linfa::ParamGuard;

use crate::{
    Criterion, Error, Fidelity, MaxFeatures, RandomForestValidParams, Result, RowCount, Splitter,
};

/// Parameters of a random forest, not yet checked.
///
/// Made by [`RandomForest::params`](crate::RandomForest::params), changed by its setters, checked when fitting. Defaults are
/// scikit-learn's for `RandomForestRegressor`, with seed 0.
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::RandomForest;
///
/// let x = array![[0.0], [1.0], [2.0], [3.0]];
/// let y = array![1.0, 1.0, 5.0, 5.0];
/// let forest = RandomForest::params()
///     .n_estimators(10)
///     .bootstrap(false)
///     .seed(42)
///     .fit_arrays(x.view(), y.view())?;
/// assert_eq!(forest.try_predict(x.view())?, y);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
///
/// # References
///
/// Breiman (2001), *Random Forests*, Machine Learning 45.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RandomForestParams(RandomForestValidParams);

impl RandomForestParams {
    /// Sets the number of trees, at least 1. Default 100.
    #[doc(alias = "n_trees")]
    #[doc(alias = "num.trees")]
    #[must_use]
    pub fn n_estimators(mut self, n_estimators: usize) -> Self {
        self.0.n_estimators = n_estimators;
        self
    }

    /// Sets what splits are to decrease. Default squared error.
    #[must_use]
    pub fn criterion(mut self, criterion: Criterion) -> Self {
        self.0.criterion = criterion;
        self
    }

    /// Sets how closely the forest follows scikit-learn's. Default exactly.
    #[must_use]
    pub fn fidelity(mut self, fidelity: Fidelity) -> Self {
        self.0.fidelity = fidelity;
        self
    }

    /// Sets how a feature is split. Default at the best boundary; see [`ExtraTrees`](crate::ExtraTrees).
    #[must_use]
    pub fn splitter(mut self, splitter: Splitter) -> Self {
        self.0.splitter = splitter;
        self
    }

    /// Sets how many features a split looks at. Default all.
    ///
    /// If all of those drawn are constant in a node, drawing goes on until one is not.
    #[doc(alias = "mtry")]
    #[must_use]
    pub fn max_features(mut self, max_features: impl Into<MaxFeatures>) -> Self {
        self.0.max_features = max_features.into();
        self
    }

    /// Sets the largest number of splits between the root and a leaf, at least 1; `None` for no limit, the default.
    #[doc(alias = "max.depth")]
    #[must_use]
    pub fn max_depth(mut self, max_depth: impl Into<Option<usize>>) -> Self {
        self.0.max_depth = max_depth.into();
        self
    }

    /// Sets the number of rows below which a node is not split: at least 2, or a share in `(0, 1]` (rounded up). Default 2.
    ///
    /// Distinct rows count, however often each was drawn.
    #[doc(alias = "min.node.size")]
    #[must_use]
    pub fn min_samples_split(mut self, min_samples_split: impl Into<RowCount>) -> Self {
        self.0.min_samples_split = min_samples_split.into();
        self
    }

    /// Sets the number of rows that each side of a split must keep: at least 1, or a share in `(0, 1)` (rounded up). Default 1.
    ///
    /// Distinct rows count, however often each was drawn.
    #[doc(alias = "min.bucket")]
    #[must_use]
    pub fn min_samples_leaf(mut self, min_samples_leaf: impl Into<RowCount>) -> Self {
        self.0.min_samples_leaf = min_samples_leaf.into();
        self
    }

    /// Sets the share of all weight, from 0 to 0.5, that each side of a split must keep. Default 0.
    ///
    /// Weight is how often rows were drawn, or without bootstrap their sample weight.
    #[must_use]
    pub fn min_weight_fraction_leaf(mut self, min_weight_fraction_leaf: f64) -> Self {
        self.0.min_weight_fraction_leaf = min_weight_fraction_leaf;
        self
    }

    /// Sets the largest number of leaves, at least 2; `None`, the default, for no limit.
    ///
    /// With a limit, the node whose split decreases impurity most is split first, and nodes are numbered in that order.
    #[must_use]
    pub fn max_leaf_nodes(mut self, max_leaf_nodes: impl Into<Option<usize>>) -> Self {
        self.0.max_leaf_nodes = max_leaf_nodes.into();
        self
    }

    /// Sets the impurity decrease, weighted by the node's share of all rows, below which a split is not made. Default 0.
    #[must_use]
    pub fn min_impurity_decrease(mut self, min_impurity_decrease: f64) -> Self {
        self.0.min_impurity_decrease = min_impurity_decrease;
        self
    }

    /// Sets the impurity decrease for each leaf more that a subtree must bring to be kept, 0 or more. Default 0: trees are
    /// not pruned.
    #[must_use]
    pub fn ccp_alpha(mut self, ccp_alpha: f64) -> Self {
        self.0.ccp_alpha = ccp_alpha;
        self
    }

    /// Sets for each feature whether predictions may only rise with it (1), only fall (-1), or are free (0, the default for
    /// all).
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let x = array![[1.0], [2.0], [3.0], [4.0]];
    /// let y = array![1.0, 4.0, 2.0, 8.0];
    /// let forest = RandomForest::params().monotonic_cst([1]).fit_arrays(x.view(), y.view())?;
    /// let prediction = forest.try_predict(x.view())?;
    /// assert!(prediction.windows(2).into_iter().all(|pair| pair[0] <= pair[1]));
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    #[must_use]
    pub fn monotonic_cst(mut self, monotonic_cst: impl Into<Vec<i8>>) -> Self {
        self.0.monotonic_cst = monotonic_cst.into();
        self
    }

    /// Sets whether each tree sees rows drawn with replacement (the default) or all rows once.
    #[doc(alias = "replace")]
    #[must_use]
    pub fn bootstrap(mut self, bootstrap: bool) -> Self {
        self.0.bootstrap = bootstrap;
        self
    }

    /// Sets the number of rows drawn for each tree: at least 1 (it may exceed the number of rows), or a share above 0 (rounded down, at least 1). By default as
    /// many as there are. Needs `bootstrap`.
    #[doc(alias = "sample.fraction")]
    #[must_use]
    pub fn max_samples(mut self, max_samples: impl Into<RowCount>) -> Self {
        self.0.max_samples = Some(max_samples.into());
        self
    }

    /// Sets whether fitting also predicts each row by the trees that did not see it. Default no. Needs `bootstrap`.
    ///
    /// The result is [`RandomForest::out_of_bag`](crate::RandomForest::out_of_bag).
    #[must_use]
    pub fn oob_score(mut self, oob_score: bool) -> Self {
        self.0.oob_score = oob_score;
        self
    }

    /// Sets the seed of all random choices: the same seed, data and parameters give the same forest. Default 0.
    #[doc(alias = "random_state")]
    #[must_use]
    pub fn seed(mut self, seed: u32) -> Self {
        self.0.seed = seed;
        self
    }

    /// Sets the seed: scikit-learn's name for [`seed`](Self::seed).
    #[must_use]
    pub fn random_state(self, random_state: u32) -> Self {
        self.seed(random_state)
    }

    /// Sets the number of threads that fit trees; `None`, the default, uses the current rayon pool. The forest does not
    /// depend on it.
    #[doc(alias = "n_jobs")]
    #[must_use]
    pub fn n_threads(mut self, n_threads: impl Into<Option<NonZeroUsize>>) -> Self {
        self.0.n_threads = n_threads.into();
        self
    }
}

impl ParamGuard for RandomForestParams {
    type Checked = RandomForestValidParams;
    type Error = Error;

    fn check_ref(&self) -> Result<&RandomForestValidParams> {
        self.0.validate()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<RandomForestValidParams> {
        self.0.validate()?;
        Ok(self.0)
    }
}
