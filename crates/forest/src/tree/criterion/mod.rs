//! What makes a split good: the impurity of a node, and how it changes as a boundary moves through the node's rows.

mod absolute_error;
mod mean;
mod poisson;
mod squared_error;
mod sums;
mod weighted_median;

pub(crate) use absolute_error::AbsoluteError;
pub(crate) use poisson::Poisson;
pub(crate) use squared_error::SquaredError;

/// One training set seen from a tree: targets, and the weight of each row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightedTargets<'a> {
    pub(crate) y: &'a [f64],
    pub(crate) weight: &'a [f64],
}

/// Something said of both sides of a boundary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sides<T> {
    pub(crate) left: T,
    pub(crate) right: T,
}

/// An impurity measure at work on one node at a time.
///
/// `rows` is always the node's rows in their current order. All floating-point sums follow that order, as scikit-learn's do:
/// it shows in the last bits of what is stored and decides between splits that are almost equal.
pub(crate) trait Criterion {
    /// Begins a node. The boundary stands before the first row.
    fn begin(&mut self, rows: &[u32]);

    /// Moves the boundary back before the first row, after the order of the rows has changed.
    fn reset(&mut self, rows: &[u32]);

    /// Moves the boundary forward: rows before `position` are left.
    fn advance(&mut self, rows: &[u32], position: usize);

    /// Weight of the node's rows.
    fn weight(&self) -> f64;

    /// Weight of the rows on both sides.
    fn side_weights(&self) -> Sides<f64>;

    /// What the node predicts.
    fn value(&self) -> f64;

    /// What both sides would predict.
    fn side_values(&self) -> Sides<f64>;

    /// The value between those of both sides, which monotonic constraints keep them apart at.
    fn middle_value(&self) -> f64;

    /// Impurity of the node. Only asked of the root: other nodes inherit theirs from the search that made them.
    fn impurity(&self, rows: &[u32]) -> f64;

    /// Impurities of both sides.
    fn side_impurities(&self, rows: &[u32]) -> Sides<f64>;

    /// How good the boundary is, comparable within the node only: the impurity decrease but for terms that are the same for
    /// all boundaries.
    fn score(&self, rows: &[u32]) -> f64;

    /// The impurity decrease, weighted by the node's share of `total_weight`.
    fn improvement(&self, total_weight: f64, impurity: f64, sides: Sides<f64>) -> f64 {
        let (node, weight) = (self.weight(), self.side_weights());
        (node / total_weight)
            * (impurity - (weight.right / node * sides.right) - (weight.left / node * sides.left))
    }
}
