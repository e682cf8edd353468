//! linfa's interface: `Fit` for data sets, `PredictInplace` for what linfa builds on it.

use linfa::{
    DatasetBase, Float,
    dataset::AsSingleTargets,
    traits::{Fit, PredictInplace},
};
use ndarray::{Array1, ArrayBase, Data, Ix2};

use crate::{Error, RandomForest, RandomForestValidParams, Result, training_set::TrainingSet};

impl<F: Float, D: Data<Elem = F>, T: AsSingleTargets<Elem = F>> Fit<ArrayBase<D, Ix2>, T, Error>
    for RandomForestValidParams
{
    type Object = RandomForest;

    /// Fits a forest to a data set with one target, and with its weights if it has any.
    ///
    /// # Errors
    ///
    /// As for [`RandomForestParams::fit_weighted`](crate::RandomForestParams::fit_weighted).
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<RandomForest> {
        let targets = dataset.as_single_targets().mapv(|y| y.to_f64().unwrap_or(f64::NAN));
        let weights: Option<Array1<f64>> =
            dataset.weights().map(|weights| weights.iter().map(|&w| f64::from(w)).collect());
        let weights = weights.as_ref().map(|weights| weights.view());
        let data = TrainingSet::new(dataset.records().view(), targets.view(), weights)?;
        self.fit(&[], &data, |_| {})
    }
}

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<F>> for RandomForest {
    /// Predicts each row of `x` into `y`; for `f32` data the predictions are rounded to `f32`.
    ///
    /// # Panics
    ///
    /// linfa's prediction cannot fail, so this panics where [`RandomForest::try_predict`] returns an error: another number of
    /// columns, an infinite feature, an output of another length.
    #[expect(clippy::panic, reason = "linfa's trait has no other way to refuse")]
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<F>) {
        assert_eq!(x.nrows(), y.len(), "the output must have one place for each row");
        match self.try_predict(x.view()) {
            Ok(prediction) => y.zip_mut_with(&prediction, |y, &value| *y = F::cast(value)),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<F> {
        Array1::zeros(x.nrows())
    }
}
