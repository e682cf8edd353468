//! Regression metrics, equal to scikit-learn's to the last bit.
//!
//! linfa has metrics of its own for its data sets; these differ from some of them on purpose (a constant truth, NaN).

use std::fmt;

use ndarray::ArrayView1;
use spinney_numpy_random::pairwise_sum;

use crate::{Error, Result};

/// The metrics by which a regression is usually reported.
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::metrics::RegressionReport;
///
/// let report = RegressionReport::new(array![1.0, 2.0, 3.0].view(), array![1.0, 2.0, 5.0].view())?;
/// assert_eq!(report.r2, -1.0);
/// assert_eq!(report.mae, 2.0 / 3.0);
/// assert_eq!(report.to_string(), "R² -1.0000, MAE 0.67, RMSE 1.15");
/// # Ok::<(), spinney_forest::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionReport {
    /// Coefficient of determination, see [`r2_score`].
    pub r2: f64,
    /// Mean absolute error, see [`mean_absolute_error`].
    pub mae: f64,
    /// Root of the mean squared error, see [`root_mean_squared_error`].
    pub rmse: f64,
}

impl RegressionReport {
    /// Computes all of them.
    ///
    /// # Errors
    ///
    /// [`Error::NoValues`] and [`Error::PredictionLength`].
    pub fn new(y_true: ArrayView1<'_, f64>, y_pred: ArrayView1<'_, f64>) -> Result<Self> {
        Ok(Self {
            r2: r2_score(y_true, y_pred)?,
            mae: mean_absolute_error(y_true, y_pred)?,
            rmse: root_mean_squared_error(y_true, y_pred)?,
        })
    }
}

impl fmt::Display for RegressionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R² {:.4}, MAE {:.2}, RMSE {:.2}", self.r2, self.mae, self.rmse)
    }
}

/// Returns R²: 1 for a perfect prediction, 0 for one no better than the mean of the truth, below 0 if worse.
///
/// For a constant truth it is 1 if the prediction is perfect and 0 if not; for a single value it is NaN. NaN in, NaN out.
///
/// # Errors
///
/// [`Error::NoValues`] and [`Error::PredictionLength`].
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::metrics::r2_score;
///
/// assert_eq!(r2_score(array![1.0, 2.0, 3.0].view(), array![1.0, 2.0, 3.0].view())?, 1.0);
/// assert_eq!(r2_score(array![1.0, 2.0, 3.0].view(), array![2.0, 2.0, 2.0].view())?, 0.0);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
pub fn r2_score(y_true: ArrayView1<'_, f64>, y_pred: ArrayView1<'_, f64>) -> Result<f64> {
    check(y_true, y_pred)?;
    Ok(r2_of(y_true, y_pred))
}

/// Returns the mean of the absolute errors, in units of the target.
///
/// # Errors
///
/// [`Error::NoValues`] and [`Error::PredictionLength`].
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::metrics::mean_absolute_error;
///
/// assert_eq!(mean_absolute_error(array![1.0, 2.0].view(), array![3.0, 1.0].view())?, 1.5);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
pub fn mean_absolute_error(
    y_true: ArrayView1<'_, f64>,
    y_pred: ArrayView1<'_, f64>,
) -> Result<f64> {
    check(y_true, y_pred)?;
    Ok(mean_over(y_true, y_pred, |truth, prediction| (prediction - truth).abs()))
}

/// Returns the root of the mean squared error, in units of the target.
///
/// # Errors
///
/// [`Error::NoValues`] and [`Error::PredictionLength`].
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::metrics::root_mean_squared_error;
///
/// assert_eq!(root_mean_squared_error(array![0.0, 0.0].view(), array![3.0, 3.0].view())?, 3.0);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
pub fn root_mean_squared_error(
    y_true: ArrayView1<'_, f64>,
    y_pred: ArrayView1<'_, f64>,
) -> Result<f64> {
    check(y_true, y_pred)?;
    Ok(mean_over(y_true, y_pred, |truth, prediction| square(truth - prediction)).sqrt())
}

/// R² of views that are known to be of one length, and not empty.
pub(crate) fn r2_of(y_true: ArrayView1<'_, f64>, y_pred: ArrayView1<'_, f64>) -> f64 {
    if y_true.len() < 2 {
        return f64::NAN;
    }
    let n = y_true.len() as f64;
    let residual = sum_over(y_true, y_pred, |truth, prediction| square(truth - prediction));
    let mean = sum_over(y_true, y_true, |truth, _| truth) / n;
    let total = sum_over(y_true, y_true, |truth, _| square(truth - mean));
    if total != 0.0 {
        1.0 - residual / total
    } else if residual == 0.0 {
        1.0
    } else {
        0.0
    }
}

fn check(y_true: ArrayView1<'_, f64>, y_pred: ArrayView1<'_, f64>) -> Result<()> {
    if y_true.len() != y_pred.len() {
        return Err(Error::PredictionLength { y_true: y_true.len(), y_pred: y_pred.len() });
    }
    if y_true.is_empty() {
        return Err(Error::NoValues);
    }
    Ok(())
}

fn square(value: f64) -> f64 {
    value * value
}

fn mean_over(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, f: impl Fn(f64, f64) -> f64) -> f64 {
    sum_over(a, b, f) / a.len() as f64
}

fn sum_over(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, f: impl Fn(f64, f64) -> f64) -> f64 {
    let terms: Vec<f64> = a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
    pairwise_sum(&terms)
}
