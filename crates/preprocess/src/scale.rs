//! What scikit-learn's `StandardScaler` and `MinMaxScaler` learn of one column.

use spinney_numpy_random::pairwise_sum;

use crate::impute::gaps_as_zero;

/// The mean and the standard deviation of the values that are not NaN; `None` if all are.
///
/// A corrected two-pass variance over `n`, as scikit-learn computes it in one batch. Where the
/// variance is within the error bound of that algorithm the column counts as constant and the
/// deviation is 1.
///
/// # References
///
/// Chan, Golub and LeVeque (1983), *Algorithms for computing the sample variance*, The American
/// Statistician 37.
pub(crate) fn standard(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.iter().filter(|value| !value.is_nan()).count() as f64;
    if n < 1.0 {
        return None;
    }
    let mean = (0.0 + pairwise_sum(&gaps_as_zero(values))) / n;
    let mut deviations: Vec<f64> = values.iter().map(|value| value - mean).collect();
    deviations = gaps_as_zero(&deviations);
    let correction = pairwise_sum(&deviations);
    deviations.iter_mut().for_each(|deviation| *deviation *= *deviation);
    let variance = (pairwise_sum(&deviations) - correction * correction / n) / n;

    let rounding = n * mean * f64::EPSILON;
    let constant = variance <= n * f64::EPSILON * variance + rounding * rounding;
    Some((mean, if constant { 1.0 } else { variance.sqrt() }))
}

/// The least and the greatest of the values that are not NaN; `None` if all are.
pub(crate) fn min_max(values: &[f64]) -> Option<(f64, f64)> {
    let mut present = values.iter().copied().filter(|value| !value.is_nan());
    let first = present.next()?;
    Some(present.fold((first, first), |(min, max), value| (min.min(value), max.max(value))))
}

/// The factor and the offset that map `min..=max` to 0..=1. A column without spread gets the factor
/// 1.
pub(crate) fn min_max_factor(min: f64, max: f64) -> (f64, f64) {
    let range = max - min;
    // scikit-learn's bound for "no spread", absolute as it is
    let factor = 1.0 / if range < 10.0 * f64::EPSILON { 1.0 } else { range };
    (factor, 0.0 - min * factor)
}
