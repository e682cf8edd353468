use std::{fmt::Display, num::NonZeroUsize, str::FromStr};

use linfa::ParamGuard;

use crate::{Error, Result};

/// How many features a split looks at, drawn anew for every split (not for every tree).
///
/// Whole numbers and fractions convert into it: `3.into()`, `0.33.into()`.
///
/// # Examples
///
/// ```
/// use spinney_forest::{MaxFeatures, RandomForest};
///
/// let third = RandomForest::params().max_features(0.33);
/// let three = RandomForest::params().max_features(3);
/// let root = RandomForest::params().max_features(MaxFeatures::Sqrt);
/// # let _ = (third, three, root);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum MaxFeatures {
    /// All features, scikit-learn's default for regression.
    #[default]
    All,
    /// The square root of their number, rounded down, at least 1.
    Sqrt,
    /// The logarithm to base two of their number, rounded down, at least 1.
    Log2,
    /// That many, at least 1; more than there are means all.
    Count(usize),
    /// That share of them in `(0, 1]`, rounded down, at least 1.
    Fraction(f64),
}

/// A number of rows, or a share of the training rows.
///
/// Whole numbers and fractions convert into it: `5.into()`, `0.01.into()`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowCount {
    /// That many rows.
    Count(usize),
    /// That share of all training rows; how it is rounded is said where it is used.
    Fraction(f64),
}

/// Reads scikit-learn's notation: `all`, `sqrt`, `log2`, a whole number (a count) or one with a point (a fraction).
///
/// # Examples
///
/// ```
/// use spinney_forest::MaxFeatures;
///
/// assert_eq!("sqrt".parse(), Ok(MaxFeatures::Sqrt));
/// assert_eq!("1".parse(), Ok(MaxFeatures::Count(1)));
/// assert_eq!("1.0".parse(), Ok(MaxFeatures::Fraction(1.0)));
/// assert!("some".parse::<MaxFeatures>().is_err());
/// ```
impl FromStr for MaxFeatures {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "all" => Ok(Self::All),
            "sqrt" => Ok(Self::Sqrt),
            "log2" => Ok(Self::Log2),
            _ => match text.parse()? {
                RowCount::Count(count) => Ok(Self::Count(count)),
                RowCount::Fraction(fraction) => Ok(Self::Fraction(fraction)),
            },
        }
    }
}

/// Reads a whole number as a count and one with a point as a fraction.
///
/// # Examples
///
/// ```
/// use spinney_forest::RowCount;
///
/// assert_eq!("5".parse(), Ok(RowCount::Count(5)));
/// assert_eq!("0.5".parse(), Ok(RowCount::Fraction(0.5)));
/// ```
impl FromStr for RowCount {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let count = text.parse().map(Self::Count).ok();
        let fraction = || text.parse().map(Self::Fraction).ok();
        count.or_else(fraction).ok_or_else(|| Error::Unreadable { text: text.to_owned() })
    }
}

impl From<usize> for MaxFeatures {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for MaxFeatures {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

impl From<usize> for RowCount {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for RowCount {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

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

/// Parameters of a random forest that passed the check: each is in its range.
///
/// What they resolve to for a training set (a fraction of its rows, say) is decided when fitting.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomForestValidParams {
    n_estimators: usize,
    max_features: MaxFeatures,
    max_depth: Option<usize>,
    min_samples_split: RowCount,
    min_samples_leaf: RowCount,
    min_impurity_decrease: f64,
    bootstrap: bool,
    max_samples: Option<RowCount>,
    oob_score: bool,
    seed: u32,
    n_threads: Option<NonZeroUsize>,
}

impl Default for RandomForestValidParams {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            max_features: MaxFeatures::All,
            max_depth: None,
            min_samples_split: RowCount::Count(2),
            min_samples_leaf: RowCount::Count(1),
            min_impurity_decrease: 0.0,
            bootstrap: true,
            max_samples: None,
            oob_score: false,
            seed: 0,
            n_threads: None,
        }
    }
}

impl RandomForestParams {
    /// Sets the number of trees, at least 1. Default 100.
    #[doc(alias = "n_trees")]
    #[doc(alias = "num.trees")]
    #[must_use]
    pub fn n_estimators(mut self, n_estimators: usize) -> Self {
        self.0.n_estimators = n_estimators;
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

    /// Sets the impurity decrease, weighted by the node's share of all rows, below which a split is not made. Default 0.
    #[must_use]
    pub fn min_impurity_decrease(mut self, min_impurity_decrease: f64) -> Self {
        self.0.min_impurity_decrease = min_impurity_decrease;
        self
    }

    /// Sets whether each tree sees rows drawn with replacement (the default) or all rows once.
    #[doc(alias = "replace")]
    #[must_use]
    pub fn bootstrap(mut self, bootstrap: bool) -> Self {
        self.0.bootstrap = bootstrap;
        self
    }

    /// Sets the number of rows drawn for each tree: at least 1, or a share above 0 (rounded down, at least 1). By default as
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

impl RandomForestValidParams {
    fn validate(&self) -> Result<()> {
        require(self.n_estimators >= 1, "n_estimators", self.n_estimators, "1 or more")?;
        match self.max_features {
            MaxFeatures::Count(count) => require(count >= 1, "max_features", count, "1 or more")?,
            MaxFeatures::Fraction(q) => {
                require(q > 0.0 && q <= 1.0, "max_features", q, "a fraction in (0, 1]")?;
            }
            MaxFeatures::All | MaxFeatures::Sqrt | MaxFeatures::Log2 => {}
        }
        if let Some(depth) = self.max_depth {
            require(depth >= 1, "max_depth", depth, "1 or more, or none")?;
        }
        match self.min_samples_split {
            RowCount::Count(n) => require(n >= 2, "min_samples_split", n, "2 or more")?,
            RowCount::Fraction(q) => {
                require(q > 0.0 && q <= 1.0, "min_samples_split", q, "a fraction in (0, 1]")?;
            }
        }
        match self.min_samples_leaf {
            RowCount::Count(n) => require(n >= 1, "min_samples_leaf", n, "1 or more")?,
            RowCount::Fraction(q) => {
                require(q > 0.0 && q < 1.0, "min_samples_leaf", q, "a fraction in (0, 1)")?;
            }
        }
        let decrease = self.min_impurity_decrease;
        require(
            decrease >= 0.0 && decrease.is_finite(),
            "min_impurity_decrease",
            decrease,
            "0 or more, finite",
        )?;
        match self.max_samples {
            Some(RowCount::Count(n)) => require(n >= 1, "max_samples", n, "1 or more")?,
            Some(RowCount::Fraction(q)) => {
                require(q > 0.0 && q.is_finite(), "max_samples", q, "a fraction above 0")?;
            }
            None => {}
        }
        if !self.bootstrap && self.max_samples.is_some() {
            return Err(Error::ConflictingParameters {
                parameter: "max_samples",
                needs: "bootstrap",
            });
        }
        if !self.bootstrap && self.oob_score {
            return Err(Error::ConflictingParameters {
                parameter: "oob_score",
                needs: "bootstrap",
            });
        }
        Ok(())
    }

    /// Number of trees.
    #[must_use]
    pub fn n_estimators(&self) -> usize {
        self.n_estimators
    }

    /// How many features a split looks at.
    #[must_use]
    pub fn max_features(&self) -> MaxFeatures {
        self.max_features
    }

    /// Largest number of splits between the root and a leaf.
    #[must_use]
    pub fn max_depth(&self) -> Option<usize> {
        self.max_depth
    }

    /// Number of rows below which a node is not split.
    #[must_use]
    pub fn min_samples_split(&self) -> RowCount {
        self.min_samples_split
    }

    /// Number of rows that each side of a split keeps.
    #[must_use]
    pub fn min_samples_leaf(&self) -> RowCount {
        self.min_samples_leaf
    }

    /// Impurity decrease below which a split is not made.
    #[must_use]
    pub fn min_impurity_decrease(&self) -> f64 {
        self.min_impurity_decrease
    }

    /// Whether each tree sees rows drawn with replacement.
    #[must_use]
    pub fn bootstrap(&self) -> bool {
        self.bootstrap
    }

    /// Number of rows drawn for each tree; `None` for as many as there are.
    #[must_use]
    pub fn max_samples(&self) -> Option<RowCount> {
        self.max_samples
    }

    /// Whether fitting also makes out-of-bag predictions.
    #[must_use]
    pub fn oob_score(&self) -> bool {
        self.oob_score
    }

    /// Seed of all random choices.
    #[must_use]
    pub fn seed(&self) -> u32 {
        self.seed
    }

    /// Number of threads that fit trees; `None` for the current rayon pool.
    #[must_use]
    pub fn n_threads(&self) -> Option<NonZeroUsize> {
        self.n_threads
    }
}

fn require(
    holds: bool,
    parameter: &'static str,
    value: impl Display,
    allowed: &'static str,
) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::InvalidParameter { parameter, value: value.to_string(), allowed })
    }
}
