use std::ops::Range;

use crate::{Splitter, tree::grow};

/// The limits of growing that this engine knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrowLimits {
    pub(super) max_depth: usize,
    pub(super) min_samples_split: usize,
    pub(super) min_impurity_decrease: f64,
    pub(super) search: SearchLimits,
}

/// The limits of a split that this engine knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct SearchLimits {
    pub(super) max_features: usize,
    pub(super) min_samples_leaf: usize,
}

impl SearchLimits {
    /// How many of a node's rows may be on the left.
    pub(super) fn allowed(&self, n_rows: u32) -> Range<u32> {
        let fewest = self.min_samples_leaf as u32;
        fewest..n_rows - fewest + 1
    }
}

impl GrowLimits {
    /// `None` if there is a limit that only the reference path keeps.
    pub(crate) fn new(limits: &grow::GrowLimits<'_>) -> Option<Self> {
        let search = &limits.search;
        let known = limits.max_leaf_nodes.is_none()
            && search.splitter == Splitter::Best
            && search.min_weight_leaf <= 0.0
            && search.monotonic.is_none();
        known.then_some(Self {
            max_depth: limits.max_depth,
            min_samples_split: limits.min_samples_split,
            min_impurity_decrease: limits.min_impurity_decrease,
            search: SearchLimits {
                max_features: search.max_features,
                min_samples_leaf: search.min_samples_leaf,
            },
        })
    }
}
