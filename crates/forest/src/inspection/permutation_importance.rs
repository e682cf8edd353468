use linfa::Float;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use spinney_numpy_random::RandomState;

use crate::{Error, RandomForest, Result, metrics::r2_score};

/// How much R² falls when a feature's values are shuffled between rows.
#[derive(Debug, Clone, PartialEq)]
pub struct PermutationImportance {
    /// R² without shuffling.
    pub baseline_r2: f64,
    /// The fall of R² for each feature and repetition: `n_features × n_repeats`.
    pub importances: Array2<f64>,
}

impl PermutationImportance {
    /// Returns the mean over the repetitions, for each feature.
    #[must_use]
    pub fn mean(&self) -> Array1<f64> {
        let n_repeats = self.importances.ncols() as f64;
        self.importances.rows().into_iter().map(|row| row.sum() / n_repeats).collect()
    }
}

/// Shuffles one feature after the other, `n_repeats` times each, and measures how much R² falls.
///
/// Unlike importances by impurity it does not favour features with many values, and it can be asked of rows that the forest
/// was not trained on. The same shuffles as scikit-learn's `permutation_importance(scoring="r2", random_state=seed)`, so the
/// same numbers, bit for bit.
///
/// # Errors
///
/// [`Error::InvalidParameter`] if `n_repeats` is 0, [`Error::NoValues`] and [`Error::PredictionLength`] about `y`, and as for
/// [`try_predict`](RandomForest::try_predict).
///
/// # Examples
///
/// ```
/// use ndarray::{Array2, array};
/// use spinney_forest::{RandomForest, inspection::permutation_importance};
///
/// let x = Array2::from_shape_fn((50, 2), |(row, column)| (row * (7 * column + 1) % 50) as f64);
/// let y = x.column(0).to_owned();
/// let forest = RandomForest::params().fit_arrays(x.view(), y.view())?;
/// let importance = permutation_importance(&forest, x.view(), y.view(), 5, 42)?.mean();
/// assert!(importance[0] > 1.0 && importance[1] < 0.1);
/// # Ok::<(), spinney_forest::Error>(())
/// ```
///
/// # References
///
/// Breiman (2001), *Random Forests*, Machine Learning 45, section 10.
pub fn permutation_importance<F: Float>(
    forest: &RandomForest,
    x: ArrayView2<'_, F>,
    y: ArrayView1<'_, f64>,
    n_repeats: usize,
    seed: u32,
) -> Result<PermutationImportance> {
    if n_repeats == 0 {
        return Err(Error::InvalidParameter {
            parameter: "n_repeats",
            value: n_repeats.to_string(),
            allowed: "1 or more",
        });
    }
    let baseline_r2 = r2_score(y, forest.try_predict(x)?.view())?;
    // Each feature is shuffled by the same stream, which scikit-learn seeds from its own.
    let feature_seed = RandomState::new(seed).interval(i32::MAX as u64) as u32;
    let mut importances = Array2::zeros((x.ncols(), n_repeats));
    for (feature, mut falls) in importances.rows_mut().into_iter().enumerate() {
        let mut shuffles = RandomState::new(feature_seed);
        let mut order: Vec<usize> = (0..x.nrows()).collect();
        let mut shuffled = x.to_owned();
        for fall in &mut falls {
            shuffles.shuffle(&mut order);
            let column = shuffled.column(feature).to_owned();
            for (place, &row) in shuffled.column_mut(feature).iter_mut().zip(&order) {
                *place = column[row];
            }
            *fall = baseline_r2 - r2_score(y, forest.try_predict(shuffled.view())?.view())?;
        }
    }
    Ok(PermutationImportance { baseline_r2, importances })
}
