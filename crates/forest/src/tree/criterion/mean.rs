use std::marker::PhantomData;

use super::{Criterion, Sides, WeightedTargets, sums::BoundarySums};

/// What a criterion whose nodes predict the mean makes of the sums over a node and the sides of its boundary.
pub(crate) trait Loss {
    /// Impurity of the node.
    fn impurity(sums: &BoundarySums<'_>, rows: &[u32]) -> f64;

    /// Impurities of both sides.
    fn side_impurities(sums: &BoundarySums<'_>, rows: &[u32]) -> Sides<f64>;

    /// How good the boundary is.
    fn score(sums: &BoundarySums<'_>) -> f64;
}

/// A criterion whose nodes predict the mean.
#[derive(Debug)]
pub(crate) struct Mean<'a, L> {
    sums: BoundarySums<'a>,
    loss: PhantomData<L>,
}

impl<'a, L: Loss> Mean<'a, L> {
    pub(crate) fn new(targets: WeightedTargets<'a>) -> Self {
        Self { sums: BoundarySums::new(targets), loss: PhantomData }
    }
}

impl<L: Loss> Criterion for Mean<'_, L> {
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
        L::impurity(&self.sums, rows)
    }

    fn side_impurities(&self, rows: &[u32]) -> Sides<f64> {
        L::side_impurities(&self.sums, rows)
    }

    fn score(&self, _: &[u32]) -> f64 {
        L::score(&self.sums)
    }
}
