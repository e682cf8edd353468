//! Targets of any kind: whole numbers to decide by, and the true ones to add up in scikit-learn's order.

use super::{
    contest::Margin,
    node_sums::NodeSums,
    records::{Packing, Records},
    targets::{Sums, TreeTargets},
};
use crate::tree::criterion::WeightedTargets;

/// A row's record stays below this.
const MAX_RECORD: f64 = (1_u32 << 30) as f64;
/// Targets beyond this, or that differ by less than its inverse, are left to the reference path: squares come near the
/// ends of `f64`.
const MAX_TARGET: f64 = 1e100;

/// What is known of targets before their trees.
#[derive(Debug)]
pub(crate) struct RealTargets {
    center: f64,
    largest: f64,
    largest_deviation: f64,
}

/// What one row adds to the sums of its node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Term {
    /// w·y
    pub(super) total: f64,
    /// (w·y)·y
    pub(super) squares: f64,
    pub(super) weight: f64,
}

impl Term {
    #[inline(always)]
    pub(super) fn of_row(targets: WeightedTargets<'_>, row: u32) -> Self {
        let (y, weight) = (targets.y[row as usize], targets.weight[row as usize]);
        Self { total: weight * y, squares: weight * y * y, weight }
    }
}

impl RealTargets {
    /// `None` if the targets are extremely large, or hardly differ.
    pub(crate) fn new(y: &[f64]) -> Option<Self> {
        let highest = y.iter().fold(f64::NEG_INFINITY, |most, &y| most.max(y));
        let lowest = y.iter().fold(f64::INFINITY, |least, &y| least.min(y));
        let largest = highest.max(-lowest);
        let largest_deviation = highest / 2.0 - lowest / 2.0;
        let known = largest < MAX_TARGET && largest_deviation > MAX_TARGET.recip();
        known.then_some(Self { center: highest / 2.0 + lowest / 2.0, largest, largest_deviation })
    }

    /// What a tree sees of the targets; `None` if its weights are no counts.
    pub(crate) fn of_tree<'a>(&self, targets: WeightedTargets<'a>) -> Option<TreeTargets<'a>> {
        let (mut most, mut sum) = (0.0_f64, 0.0);
        for &weight in targets.weight {
            if f64::from(weight as u32).to_bits() != weight.to_bits() {
                return None;
            }
            most = most.max(weight);
            sum += weight;
        }
        let packing = Packing::new(sum as u64)?;
        let max_sum = packing.max_sum() as f64 / 2.0;
        // No finer than the targets themselves are.
        let unit = (self.largest_deviation * (most / MAX_RECORD).max(sum / max_sum))
            .max(4.0 * f64::EPSILON * self.largest)
            .log2()
            .ceil()
            .exp2();
        let per_unit = unit.recip();
        let mut records = Records::new(targets.y.len(), packing);
        for (&y, &weight) in targets.y.iter().zip(targets.weight) {
            let count = weight as u32;
            let whole = ((y - self.center) * per_unit) as i32;
            records.push(whole * count as i32, count);
        }
        Some(TreeTargets { records, unit, sums: Sums::InOrder(targets) })
    }
}

/// How far apart the gains of two candidates may be, in whole numbers, if scikit-learn's sums could turn their scores round.
///
/// - A whole number is less than h = 1.25 units from its target, cut off and rounded. That moves d by at most 2h·wl·wr/W
///   and the root of a gain by at most h, so the roots of two by 2.5.
/// - Sums of m rows, in any order, are off by m·u·Σ|w·y| ≤ m·u·√(W·Q) (u the unit roundoff, Q = Σw·y²), sums taken away
///   from the node's by twice that. |L|/wl ≤ √Q, so a score is off by at most 10·m·u·√W·Q and a few roundings of Q.
pub(super) fn margin(n_rows: u32, sums: &NodeSums, unit: f64) -> Margin {
    let share = f64::EPSILON * (64.0 + 12.0 * f64::from(n_rows) * sums.weight.sqrt());
    let squares = sums.squares / (unit * unit);
    Margin {
        root: 6.0,
        absolute: 12.0 + share * squares / sums.weight,
        ..Margin::of_gains(sums.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_near_and_sums_of_them_exact() {
        let y: Vec<f64> = (0..2000).map(|i| 1e6 + f64::from(i).sin()).collect();
        let weight: Vec<f64> = (0..2000).map(|i| f64::from(i % 7)).collect();
        let real = RealTargets::new(&y).unwrap();
        let tree = real.of_tree(WeightedTargets { y: &y, weight: &weight }).unwrap();
        assert!(tree.unit < 1e-7, "{}", tree.unit);
        for ((y, weight), row) in y.iter().zip(&weight).zip(0..) {
            let exact = weight * (y - real.center) / tree.unit;
            assert!((tree.records.sum(row) as f64 - exact).abs() <= 1.25 * weight);
        }
    }

    #[test]
    fn leaves_extremes_and_weights_that_are_no_counts() {
        for y in [[1e101, 0.0], [0.5, 0.5], [1e-101, 0.0]] {
            assert!(RealTargets::new(&y).is_none(), "{y:?}");
        }
        let (y, real) = ([0.5, 0.25], RealTargets::new(&[0.5, 0.25]).unwrap());
        let is_known = |weight: &[f64]| real.of_tree(WeightedTargets { y: &y, weight }).is_some();
        assert!(is_known(&[0.0, 1e5]));
        for weight in [0.5, -1.0, f64::NAN, 1e10] {
            assert!(!is_known(&[1.0, weight]), "{weight}");
        }
    }
}
