use linfa::Float;
use ndarray::{ArrayView1, ArrayView2};
use spinney_numpy_random::pairwise_sum;

use crate::{Error, Result, feature_columns::FeatureColumns};

/// Features, targets and weights that were checked against each other.
#[derive(Debug)]
pub(crate) struct TrainingSet {
    pub(crate) x: FeatureColumns,
    pub(crate) y: Vec<f64>,
    pub(crate) sample_weight: Option<Vec<f64>>,
}

impl TrainingSet {
    pub(crate) fn new<F: Float>(
        x: ArrayView2<'_, F>,
        y: ArrayView1<'_, f64>,
        sample_weight: Option<ArrayView1<'_, f64>>,
    ) -> Result<Self> {
        if x.nrows() != y.len() {
            return Err(Error::TargetLength { x_rows: x.nrows(), y_rows: y.len() });
        }
        let x = FeatureColumns::new(x)?;
        if let Some((row, &value)) = y.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(Error::InvalidTarget { row, value });
        }
        let sample_weight =
            sample_weight.map(|weight| check_weight(weight, y.len())).transpose()?;
        Ok(Self { x, y: y.to_vec(), sample_weight })
    }

    /// Refuses targets that overflow when a tree sums them all, `most_weight` in all.
    pub(crate) fn check_sums(&self, most_weight: f64) -> Result<()> {
        let largest = self.y.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        if (largest * most_weight).is_finite() {
            Ok(())
        } else {
            Err(Error::TargetsTooLarge { largest })
        }
    }

    /// What the Poisson criterion asks of targets.
    pub(crate) fn check_counts(&self) -> Result<()> {
        if let Some((row, &value)) = self.y.iter().enumerate().find(|(_, value)| **value < 0.0) {
            return Err(Error::NegativeTarget { row, value });
        }
        if pairwise_sum(&self.y) > 0.0 { Ok(()) } else { Err(Error::TargetsSumToZero) }
    }
}

fn check_weight(sample_weight: ArrayView1<'_, f64>, n_rows: usize) -> Result<Vec<f64>> {
    if sample_weight.len() != n_rows {
        return Err(Error::WeightLength { x_rows: n_rows, weights: sample_weight.len() });
    }
    let good = |weight: f64| weight >= 0.0 && weight.is_finite();
    if let Some((row, &value)) = sample_weight.iter().enumerate().find(|(_, w)| !good(**w)) {
        return Err(Error::InvalidWeight { row, value });
    }
    let sample_weight = sample_weight.to_vec();
    let total = pairwise_sum(&sample_weight);
    if total > 0.0 && total.is_finite() {
        Ok(sample_weight)
    } else {
        Err(Error::WeightSum { total })
    }
}
