use linfa::Float;
use ndarray::{Array1, ArrayView1, ArrayView2};
use spinney_numpy_random::pairwise_sum;

use crate::{Error, RandomForest, Result};

/// Returns the mean prediction over all rows of `x` with one feature set to each value of `grid`.
///
/// Brute force: `grid.len()` predictions of all rows. NaN in `grid` asks for the feature missing. Equal to scikit-learn's
/// `partial_dependence(kind="average", method="brute", custom_values=...)`, bit for bit.
///
/// # Errors
///
/// [`Error::NoRows`], [`Error::InvalidParameter`] if there is no such feature, and as for
/// [`try_predict`](RandomForest::try_predict).
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::{RandomForest, inspection::partial_dependence};
///
/// let x = array![[0.0, 5.0], [1.0, 6.0], [0.0, 7.0], [1.0, 8.0]];
/// let y = array![10.0, 20.0, 10.0, 20.0];
/// let forest = RandomForest::params().bootstrap(false).fit_arrays(x.view(), y.view())?;
/// let dependence = partial_dependence(&forest, x.view(), 0, array![0.0, 1.0].view())?;
/// assert_eq!(dependence, array![10.0, 20.0]);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
///
/// # References
///
/// Friedman (2001), *Greedy function approximation: a gradient boosting machine*, Annals of Statistics 29.
pub fn partial_dependence<F: Float>(
    forest: &RandomForest,
    x: ArrayView2<'_, F>,
    feature: usize,
    grid: ArrayView1<'_, F>,
) -> Result<Array1<f64>> {
    if x.nrows() == 0 {
        return Err(Error::NoRows);
    }
    if feature >= x.ncols() {
        return Err(Error::InvalidParameter {
            parameter: "feature",
            value: feature.to_string(),
            allowed: "the number of a column of x, from 0",
        });
    }
    let mut x = x.to_owned();
    let mut means = Array1::zeros(grid.len());
    for (mean, &value) in means.iter_mut().zip(grid) {
        x.column_mut(feature).fill(value);
        let predictions = forest.try_predict(x.view())?.to_vec();
        *mean = pairwise_sum(&predictions) / predictions.len() as f64;
    }
    Ok(means)
}
