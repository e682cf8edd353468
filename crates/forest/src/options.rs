use std::str::FromStr;

use crate::{Error, Result};

/// What a split is to decrease, and so what a node predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Criterion {
    /// The variance of the targets; nodes predict their mean. scikit-learn's `friedman_mse` is the same since 1.9.
    #[default]
    #[doc(alias = "friedman_mse")]
    #[doc(alias = "mse")]
    SquaredError,
    /// The mean absolute deviation from the median; nodes predict the median, the midpoint of two if the weight falls
    /// between them. Each feature of each node costs `O(n log n)`.
    #[doc(alias = "mae")]
    AbsoluteError,
    /// Half the Poisson deviance, for targets that count something: 0 or more, and not all 0. Nodes predict their mean.
    Poisson,
}

/// How closely a forest follows scikit-learn's, for the squared error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fidelity {
    /// The same forest, bit for bit, whatever the target.
    #[default]
    Exact,
    /// The same algorithm with targets rounded, while splits are searched, to about the 2²⁶th part of the norm of their
    /// deviations: their sums are then exact in any order, so no row has to be where scikit-learn would have it, which saves
    /// a quarter to two thirds of the time. Near ties may be decided otherwise, so trees differ from scikit-learn's, with no
    /// worse predictions. Values are means of the true targets.
    ///
    /// As deterministic as the other, whatever the number of threads. For targets whose sums are exact as they are (whole
    /// numbers of moderate size, say) both are the same forest, and equally fast. Options that the fast search does not know
    /// (other criteria, random splits, `max_leaf_nodes`, `min_weight_fraction_leaf`, monotonic constraints, weights that are
    /// no counts) are fitted as by the other.
    Fast,
}

/// How a feature is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Splitter {
    /// At the best of all its boundaries.
    #[default]
    Best,
    /// At one threshold drawn at random between its extremes: extremely randomised trees.
    Random,
}

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

/// Reads scikit-learn's names, `friedman_mse` among them.
///
/// # Examples
///
/// ```
/// use spinney_forest::Criterion;
///
/// assert_eq!("absolute_error".parse(), Ok(Criterion::AbsoluteError));
/// assert_eq!("friedman_mse".parse(), Ok(Criterion::SquaredError));
/// assert!("gini".parse::<Criterion>().is_err());
/// ```
impl FromStr for Criterion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "squared_error" | "friedman_mse" => Ok(Self::SquaredError),
            "absolute_error" => Ok(Self::AbsoluteError),
            "poisson" => Ok(Self::Poisson),
            _ => Err(Error::InvalidParameter {
                parameter: "criterion",
                value: text.to_owned(),
                allowed: "squared_error, absolute_error or poisson",
            }),
        }
    }
}

/// Reads scikit-learn's names, `best` and `random`.
impl FromStr for Splitter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "best" => Ok(Self::Best),
            "random" => Ok(Self::Random),
            _ => Err(Error::InvalidParameter {
                parameter: "splitter",
                value: text.to_owned(),
                allowed: "best or random",
            }),
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
