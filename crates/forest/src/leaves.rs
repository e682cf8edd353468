use linfa::Float;
use ndarray::{Array2, ArrayView2};

use crate::{RandomForest, Result};

impl RandomForest {
    /// Returns the number of the leaf that each row falls into, in each tree: `n_rows × n_trees`.
    ///
    /// scikit-learn: `apply`.
    ///
    /// # Errors
    ///
    /// As for [`try_predict`](Self::try_predict).
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let (x, y) = (array![[1.0], [2.0]], array![10.0, 20.0]);
    /// let forest = RandomForest::params().n_estimators(1).bootstrap(false);
    /// let forest = forest.fit_arrays(x.view(), y.view())?;
    /// assert_eq!(forest.apply(x.view())?, array![[1], [2]]);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn apply<F: Float>(&self, x: ArrayView2<'_, F>) -> Result<Array2<u32>> {
        self.by_tree(x, |tree, row| tree.leaf_number(row))
    }

    /// Returns what each tree predicts for each row: `n_rows × n_trees`. Their mean is the forest's prediction.
    ///
    /// # Errors
    ///
    /// As for [`try_predict`](Self::try_predict).
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::array;
    /// use spinney_forest::RandomForest;
    ///
    /// let (x, y) = (array![[1.0], [2.0]], array![10.0, 20.0]);
    /// let forest = RandomForest::params().n_estimators(3).fit_arrays(x.view(), y.view())?;
    /// let votes = forest.predict_trees(x.view())?;
    /// assert_eq!(votes.dim(), (2, 3));
    /// assert_eq!(votes.row(0).sum() / 3.0, forest.try_predict(x.view())?[0]);
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn predict_trees<F: Float>(&self, x: ArrayView2<'_, F>) -> Result<Array2<f64>> {
        self.by_tree(x, |tree, row| tree.predict_row(row))
    }

    fn by_tree<F: Float, T: Clone + Default + Send>(
        &self,
        x: ArrayView2<'_, F>,
        of_tree: impl Fn(&crate::Tree, &[f32]) -> T + Sync,
    ) -> Result<Array2<T>> {
        let rows = self.map_rows(x, |row| {
            self.trees().iter().map(|tree| of_tree(tree, row)).collect::<Vec<T>>()
        })?;
        let mut out = Array2::default((x.nrows(), self.trees().len()));
        for (value, place) in rows.into_iter().flatten().zip(&mut out) {
            *place = value;
        }
        Ok(out)
    }
}
