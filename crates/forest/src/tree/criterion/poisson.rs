use std::f64::consts::LN_2;

use super::{Criterion, Sides, WeightedTargets, sums::BoundarySums};

/// Sums up to here count as nothing: they may be a difference of larger sums.
const NOTHING: f64 = 10.0 * f64::EPSILON;

/// Half the mean Poisson deviance from the mean, for targets that count something. Nodes predict the mean.
///
/// # References
///
/// scikit-learn's user guide, *Mathematical formulation* of decision trees, "Half Poisson deviance".
#[derive(Debug)]
pub(crate) struct Poisson<'a> {
    sums: BoundarySums<'a>,
}

impl<'a> Poisson<'a> {
    pub(crate) fn new(targets: WeightedTargets<'a>) -> Self {
        Self { sums: BoundarySums::new(targets) }
    }

    /// Infinite where the targets sum to nothing: a mean of zero predicts nothing.
    fn deviance(&self, rows: &[u32], total: f64, weight: f64) -> f64 {
        if total <= NOTHING {
            return f64::INFINITY;
        }
        let mean = total / weight;
        let mut deviance = 0.0;
        for &row in rows {
            let (y, row_weight) = self.sums.row(row);
            let loss = if y == 0.0 { 0.0 } else { y * (y / mean).ln() };
            deviance += row_weight * loss;
        }
        deviance / weight
    }
}

impl Criterion for Poisson<'_> {
    fn begin(&mut self, rows: &[u32]) {
        self.sums.begin(rows);
    }

    fn reset(&mut self, _: &[u32]) {
        self.sums.reset();
    }

    fn advance(&mut self, rows: &[u32], position: usize) {
        self.sums.advance(rows, position);
    }

    fn weight(&self) -> f64 {
        self.sums.weight
    }

    fn side_weights(&self) -> Sides<f64> {
        self.sums.weights()
    }

    fn value(&self) -> f64 {
        self.sums.mean()
    }

    fn side_values(&self) -> Sides<f64> {
        self.sums.means()
    }

    fn middle_value(&self) -> f64 {
        self.sums.middle_value()
    }

    fn impurity(&self, rows: &[u32]) -> f64 {
        self.deviance(rows, self.sums.total(), self.sums.weight)
    }

    fn side_impurities(&self, rows: &[u32]) -> Sides<f64> {
        let (total, weight) = (self.sums.totals(), self.sums.weights());
        let rows = self.sums.split(rows);
        Sides {
            left: self.deviance(rows.left, total.left, weight.left),
            right: self.deviance(rows.right, total.right, weight.right),
        }
    }

    /// No side may predict zero or less. The logarithm is to base two, by division: its rounding decides near ties.
    fn score(&self, _: &[u32]) -> f64 {
        let (total, mean) = (self.sums.totals(), self.sums.means());
        if total.left <= NOTHING || total.right <= NOTHING {
            return f64::NEG_INFINITY;
        }
        total.left * (mean.left.ln() / LN_2) + total.right * (mean.right.ln() / LN_2)
    }
}
