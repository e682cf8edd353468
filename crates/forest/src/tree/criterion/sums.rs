use super::{Sides, WeightedTargets};

/// Weighted sums over a node's rows and over those left of a boundary, added in row order and rounded after each addition.
#[derive(Debug)]
pub(crate) struct BoundarySums<'a> {
    targets: WeightedTargets<'a>,
    /// Σ w·y over the node.
    total: f64,
    /// Σ (w·y)·y over the node.
    pub(super) squares: f64,
    pub(super) weight: f64,
    position: usize,
    left_total: f64,
    left_weight: f64,
}

impl<'a> BoundarySums<'a> {
    pub(super) fn new(targets: WeightedTargets<'a>) -> Self {
        Self {
            targets,
            total: 0.0,
            squares: 0.0,
            weight: 0.0,
            position: 0,
            left_total: 0.0,
            left_weight: 0.0,
        }
    }

    pub(super) fn begin(&mut self, rows: &[u32]) {
        *self = Self::new(self.targets);
        for &row in rows {
            let (y, weight) = self.row(row);
            self.total += weight * y;
            self.squares += weight * y * y;
            self.weight += weight;
        }
    }

    pub(super) fn reset(&mut self) {
        self.position = 0;
        self.left_total = 0.0;
        self.left_weight = 0.0;
    }

    /// Adds from where the boundary stands or takes away from the node's sums, whichever touches fewer rows. The choice
    /// shows in the last bits, so it has to be scikit-learn's.
    pub(super) fn advance(&mut self, rows: &[u32], position: usize) {
        if position - self.position <= rows.len() - position {
            for &row in &rows[self.position..position] {
                let (y, weight) = self.row(row);
                self.left_total += weight * y;
                self.left_weight += weight;
            }
        } else {
            self.left_total = self.total;
            self.left_weight = self.weight;
            for &row in rows[position..].iter().rev() {
                let (y, weight) = self.row(row);
                self.left_total -= weight * y;
                self.left_weight -= weight;
            }
        }
        self.position = position;
    }

    pub(super) fn row(&self, row: u32) -> (f64, f64) {
        (self.targets.y[row as usize], self.targets.weight[row as usize])
    }

    pub(super) fn mean(&self) -> f64 {
        self.total / self.weight
    }

    pub(super) fn total(&self) -> f64 {
        self.total
    }

    pub(super) fn totals(&self) -> Sides<f64> {
        Sides { left: self.left_total, right: self.total - self.left_total }
    }

    pub(super) fn weights(&self) -> Sides<f64> {
        Sides { left: self.left_weight, right: self.weight - self.left_weight }
    }

    pub(super) fn means(&self) -> Sides<f64> {
        let (total, weight) = (self.totals(), self.weights());
        Sides { left: total.left / weight.left, right: total.right / weight.right }
    }

    pub(super) fn middle_value(&self) -> f64 {
        let (total, weight) = (self.totals(), self.weights());
        (total.left / (2.0 * weight.left)) + (total.right / (2.0 * weight.right))
    }

    /// The rows on both sides of the boundary.
    pub(super) fn split<'r>(&self, rows: &'r [u32]) -> Sides<&'r [u32]> {
        let (left, right) = rows.split_at(self.position);
        Sides { left, right }
    }
}
