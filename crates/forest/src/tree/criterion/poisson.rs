use std::f64::consts::LN_2;

use super::{
    Sides,
    mean::{Loss, Mean},
    sums::BoundarySums,
};

/// Half the mean Poisson deviance from the mean, for targets that count something.
///
/// # References
///
/// scikit-learn's user guide, *Mathematical formulation* of decision trees, "Half Poisson deviance".
pub(crate) type Poisson<'a> = Mean<'a, Deviance>;

/// The loss of [`Poisson`].
#[derive(Debug)]
pub(crate) enum Deviance {}

/// Sums up to here count as nothing: they may be a difference of larger sums.
const NOTHING: f64 = 10.0 * f64::EPSILON;

/// Infinite where the targets sum to nothing: a mean of zero predicts nothing.
fn deviance(sums: &BoundarySums<'_>, rows: &[u32], total: f64, weight: f64) -> f64 {
    if total <= NOTHING {
        return f64::INFINITY;
    }
    let mean = total / weight;
    let mut deviance = 0.0;
    for &row in rows {
        let (y, row_weight) = sums.row(row);
        let loss = if y == 0.0 { 0.0 } else { y * (y / mean).ln() };
        deviance += row_weight * loss;
    }
    deviance / weight
}

impl Loss for Deviance {
    fn impurity(sums: &BoundarySums<'_>, rows: &[u32]) -> f64 {
        deviance(sums, rows, sums.total(), sums.weight)
    }

    fn side_impurities(sums: &BoundarySums<'_>, rows: &[u32]) -> Sides<f64> {
        let (total, weight) = (sums.totals(), sums.weights());
        let rows = sums.split(rows);
        Sides {
            left: deviance(sums, rows.left, total.left, weight.left),
            right: deviance(sums, rows.right, total.right, weight.right),
        }
    }

    /// No side may predict zero or less. The logarithm is to base two, by division: its rounding decides near ties.
    fn score(sums: &BoundarySums<'_>) -> f64 {
        let (total, mean) = (sums.totals(), sums.means());
        if total.left <= NOTHING || total.right <= NOTHING {
            return f64::NEG_INFINITY;
        }
        total.left * (mean.left.ln() / LN_2) + total.right * (mean.right.ln() / LN_2)
    }
}
