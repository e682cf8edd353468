//! Targets as whole numbers.

use super::{
    contest::Margin,
    node_sums::NodeSums,
    real_targets::margin,
    records::{Packing, Records},
    row_sets::MAX_ROWS,
};
use crate::tree::{criterion::WeightedTargets, sort::INSERTION_LENGTH};

/// scikit-learn's sums of squares are exact below this.
const MAX_SQUARES: u128 = 1 << 53;
/// Targets below this have squares that can be exact.
const MAX_TARGET: f64 = (1_u32 << 27) as f64;
/// Powers of two beyond this are left to the reference path: squares come near the ends of `f64`.
const MAX_EXPONENT: i32 = 100;

/// Targets as whole multiples of one power of two.
///
/// Sums of whole numbers are exact in `f64` up to 2⁵³, so they are the same in every order. Scaling by a power of two
/// changes no rounding, so the engine works in multiples of the unit and scales what it stores.
#[derive(Debug)]
pub(crate) struct WholeTargets {
    y: Vec<i32>,
    unit: f64,
}

impl WholeTargets {
    /// `None` if the targets are no such multiples, or too large for the sums of `n_draws` of them to be exact.
    pub(crate) fn new(y: &[f64], n_draws: usize) -> Option<Self> {
        let exponents = y.iter().filter(|y| **y != 0.0).map(|&y| lowest_bit(y));
        let exponent = exponents.min().unwrap_or(0);
        if exponent.abs() > MAX_EXPONENT {
            return None;
        }
        let unit = 2.0_f64.powi(exponent);
        let whole: Option<Vec<i32>> = y
            .iter()
            .map(|y| y / unit)
            .map(|y| (y.abs() < MAX_TARGET).then_some(y as i32))
            .collect();
        let targets = Self { y: whole?, unit };
        // What a tree will probably need; whether it does is checked tree by tree.
        let squares: f64 = targets.y.iter().map(|&y| f64::from(y) * f64::from(y)).sum();
        let expected = squares * (n_draws as f64 / y.len() as f64);
        (expected < MAX_SQUARES as f64).then_some(targets)
    }

    /// Any targets, as deviations from their mean in multiples of a unit that is as small as exact sums allow: about the
    /// 2²⁶th part of the norm of all deviations. `None` if the unit would be beyond the powers of two that are used.
    pub(crate) fn rounded(y: &[f64], n_draws: usize) -> Option<Self> {
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let deviations = || y.iter().map(|y| y - mean);
        let squares: f64 = deviations().map(|deviation| deviation * deviation).sum();
        let largest = deviations().fold(0.0_f64, |most, deviation| most.max(deviation.abs()));
        let norm = (squares * (n_draws as f64 / y.len() as f64)).sqrt();
        // Twice as large as it has to be: bootstraps differ. What is too large for one is seen tree by tree.
        let smallest = (2.0 * norm / (MAX_SQUARES as f64).sqrt()).max(2.0 * largest / MAX_TARGET);
        let exponent = if smallest > 0.0 { smallest.log2().ceil() } else { 0.0 };
        if !smallest.is_finite() || exponent.abs() > f64::from(MAX_EXPONENT) {
            return None;
        }
        let unit = exponent.exp2();
        Some(Self { y: deviations().map(|d| (d / unit).round() as i32).collect(), unit })
    }

    /// What a tree sees of the targets; `None` if its weights are no counts or its sums could be inexact.
    pub(crate) fn of_tree(&self, weight: &[f64]) -> Option<TreeTargets<'static>> {
        let packing = Packing::new(weight.iter().sum::<f64>() as u64)?;
        let absolute =
            self.y.iter().zip(weight).map(|(y, weight)| f64::from(y.unsigned_abs()) * weight);
        // Exact below 2⁵³, and beyond that far from all limits.
        let sum = absolute.sum::<f64>() as u64;
        let packing = packing.widened(sum);
        let mut records = Records::new(weight.len(), packing);
        let mut squares = Vec::with_capacity(weight.len());
        let mut sum_of_squares = 0_u128;
        for (&y, &weight) in self.y.iter().zip(weight) {
            let count = weight as u32;
            if f64::from(count).to_bits() != weight.to_bits() {
                return None;
            }
            let weighted = i64::from(y) * i64::from(count);
            let square = i128::from(weighted) * i128::from(y);
            records.push(i32::try_from(weighted).ok()?, count);
            squares.push(i64::try_from(square).ok()?);
            sum_of_squares += square.unsigned_abs();
        }
        let exact = sum < packing.max_sum() && sum_of_squares < MAX_SQUARES;
        exact.then_some(TreeTargets { records, unit: self.unit, sums: Sums::Whole { squares } })
    }
}

/// The targets of one tree, by training row.
#[derive(Debug)]
pub(crate) struct TreeTargets<'a> {
    /// Whole numbers, which the search for splits adds up in any order.
    pub(super) records: Records,
    pub(super) unit: f64,
    pub(super) sums: Sums<'a>,
}

/// What the sums of nodes are added up from.
#[derive(Debug)]
pub(super) enum Sums<'a> {
    /// The records and Σ w·y² of each row, in units: exact in any order.
    Whole { squares: Vec<i64> },
    /// True targets, which scikit-learn's order decides the last bits of.
    InOrder(WeightedTargets<'a>),
}

impl TreeTargets<'_> {
    /// Subtrees of at most this many rows are grown as sets.
    pub(super) fn max_small_rows(&self) -> usize {
        match self.sums {
            Sums::Whole { .. } => MAX_ROWS,
            // scikit-learn's sort keeps the order of equal values up to here.
            Sums::InOrder(_) => INSERTION_LENGTH,
        }
    }

    /// What the sums of nodes are multiples of.
    pub(super) fn sums_unit(&self) -> f64 {
        match self.sums {
            Sums::Whole { .. } => self.unit,
            Sums::InOrder(_) => 1.0,
        }
    }

    /// What rounding can hide of the difference between two candidates of a node.
    pub(super) fn margin(&self, n_rows: u32, sums: &NodeSums) -> Margin {
        match self.sums {
            Sums::Whole { .. } => Margin::of_gains(sums.weight),
            Sums::InOrder(_) => margin(n_rows, sums, self.unit),
        }
    }
}

/// The exponent of the lowest bit that is set in a number other than zero.
fn lowest_bit(y: f64) -> i32 {
    let bits = y.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32 & 0x7ff, bits & ((1 << 52) - 1));
    let (exponent, digits) =
        if exponent == 0 { (-1074, fraction) } else { (exponent - 1075, fraction | 1 << 52) };
    exponent + digits.trailing_zeros() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_lowest_bit() {
        for (y, exponent) in
            [(1.0, 0), (-6.0, 1), (0.75, -2), (5e-324, -1074), (2.0_f64.powi(300), 300)]
        {
            assert_eq!(lowest_bit(y), exponent, "{y}");
        }
    }

    #[test]
    fn accepts_multiples_of_a_power_of_two() {
        let targets = WholeTargets::new(&[0.0, -0.75, 100.5], 3).unwrap();
        assert_eq!((targets.y, targets.unit.to_bits()), (vec![0, -3, 402], 0.25_f64.to_bits()));
        assert_eq!(WholeTargets::new(&[0.0, -0.0], 2).unwrap().y, [0, 0]);
    }

    #[test]
    fn refuses_what_would_be_rounded() {
        assert!(WholeTargets::new(&[0.1, 1.0], 2).is_none());
        assert!(WholeTargets::new(&[1e9, 1.0], 2).is_none());
        assert!(WholeTargets::new(&[1e-300, 0.0], 2).is_none());
        // Each square is exact, but not the sum of so many.
        assert!(WholeTargets::new(&[9e7, 1.0], 2).is_some());
        assert!(WholeTargets::new(&[9e7, 1.0], 200).is_none());
    }

    #[test]
    fn rounds_deviations_as_finely_as_sums_stay_exact() {
        let y: Vec<f64> = (0..2000).map(|i| 12.0 + f64::from(i).sin()).collect();
        let targets = WholeTargets::rounded(&y, 2000).unwrap();
        assert!(targets.of_tree(&[1.0; 2000]).is_some());
        assert!(targets.unit < 1e-6, "{}", targets.unit);
        assert_eq!(WholeTargets::rounded(&[0.3, 0.3], 2).unwrap().y, [0, 0]);
        assert!(WholeTargets::rounded(&[1e300, -1e300], 2).is_none());
        assert!(WholeTargets::rounded(&[1e-300, -1e-300], 2).is_none());
    }

    #[test]
    fn refuses_trees_with_large_sums_and_weights_that_are_no_counts() {
        let targets = WholeTargets::new(&[9e7, 1.0], 2).unwrap();
        assert!(targets.of_tree(&[1.0, 1.0]).is_some());
        assert!(targets.of_tree(&[2.0, 0.0]).is_none());
        for weight in [0.5, -1.0, f64::NAN, 1e10] {
            assert!(targets.of_tree(&[0.0, weight]).is_none(), "{weight}");
        }
    }
}
