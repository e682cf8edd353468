use crate::{RandomForestParams, Splitter};

/// Extremely randomised trees: scikit-learn's `ExtraTreesRegressor`.
///
/// A split of each feature is drawn at random and the best of them taken; each tree sees all rows. They are fitted by the
/// same engine and give the same type of forest.
///
/// # Examples
///
/// ```
/// use ndarray::array;
/// use spinney_forest::ExtraTrees;
///
/// let (x, y) = (array![[1.0], [2.0], [3.0]], array![10.0, 20.0, 30.0]);
/// let forest = ExtraTrees::params().n_estimators(10).seed(42).fit_arrays(x.view(), y.view())?;
/// assert_eq!(forest.try_predict(x.view())?, y);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
///
/// # References
///
/// Geurts, Ernst and Wehenkel (2006), *Extremely randomized trees*, Machine Learning 63.
#[derive(Debug)]
pub enum ExtraTrees {}

impl ExtraTrees {
    /// Starts parameters with the defaults of scikit-learn's `ExtraTreesRegressor`: random splits, no bootstrap.
    #[must_use]
    pub fn params() -> RandomForestParams {
        RandomForestParams::default().splitter(Splitter::Random).bootstrap(false)
    }
}
