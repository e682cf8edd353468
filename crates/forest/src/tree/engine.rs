//! The choice between the two ways to grow a tree.

use super::{
    Tree,
    exact::{self, Columns, WholeTargets},
    grow::{self, GrowLimits},
    node_sums::WeightedTargets,
    xorshift::XorShift32,
};
use crate::feature_columns::FeatureColumns;

/// Grows the trees of a forest. Both ways give the same bytes; the fast one needs targets whose sums are exact.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    x: &'a FeatureColumns,
    exact: Option<(Columns, WholeTargets)>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(x: &'a FeatureColumns, y: &[f64], n_draws: usize) -> Self {
        let exact = WholeTargets::new(y, n_draws).map(|targets| (Columns::new(x), targets));
        Self { x, exact }
    }

    /// Grows a tree on the rows with a weight above zero.
    pub(crate) fn grow(
        &self,
        targets: WeightedTargets<'_>,
        limits: GrowLimits,
        generator: XorShift32,
    ) -> Tree {
        if let Some((columns, whole)) = &self.exact
            && let Some(targets) = whole.of_tree(targets.weight)
        {
            return exact::grow(self.x, columns, &targets, limits, generator);
        }
        grow::grow(self.x, targets, limits, generator)
    }
}
