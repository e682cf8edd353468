//! The search for a node's best split.

use super::{
    node_sums::{NodeSums, SideSums, WeightedTargets},
    sort::{gather, sort},
    xorshift::XorShift32,
};
use crate::feature_columns::FeatureColumns;

/// Values closer than this count as equal: neighbours in `f32`, as scikit-learn compares them.
pub(super) const FEATURE_THRESHOLD: f32 = 1e-7;

/// What the search may do, the same for every node of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchLimits {
    /// Features to look at before stopping, if one that is not constant was among them.
    pub(crate) max_features: usize,
    /// Rows, not weight, that each side must keep.
    pub(crate) min_samples_leaf: usize,
}

/// The best split found so far in a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BestSplit {
    pub(crate) feature: usize,
    pub(crate) threshold: f64,
    pub(crate) missing_go_to_left: bool,
    score: f64,
}

/// The order in which features were drawn so far. It lives from node to node, and so does the random generator: nodes
/// that end as leaves after a search have moved both.
#[derive(Debug)]
pub(crate) struct FeatureDraw {
    /// A permutation of all features: constants known on the way down first.
    features: Vec<usize>,
    /// Constants on the path to the current node, in the order they were found.
    constants: Vec<usize>,
    generator: XorShift32,
}

impl FeatureDraw {
    pub(crate) fn new(n_features: usize, generator: XorShift32) -> Self {
        Self { features: (0..n_features).collect(), constants: vec![0; n_features], generator }
    }
}

/// Buffers and data of one tree's searches.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    pub(crate) x: &'a FeatureColumns,
    pub(crate) targets: WeightedTargets<'a>,
    pub(crate) limits: SearchLimits,
    pub(crate) draw: FeatureDraw,
    pub(crate) values: Vec<f32>,
}

impl Search<'_> {
    /// Draws features without replacement and returns the best split with the number of features now known to be constant.
    ///
    /// At least one feature that is not constant is looked at, even if constants alone use up `max_features`. Equal scores
    /// go to the feature drawn first, then to the smaller boundary. `rows` is left in the order of the last sort.
    ///
    /// # References
    ///
    /// A Fisher-Yates shuffle that remembers constants, from scikit-learn's `node_split_best`.
    pub(crate) fn best_split(
        &mut self,
        rows: &mut [u32],
        node: NodeSums,
        known_constants: usize,
    ) -> (Option<BestSplit>, usize) {
        let mut best = None;
        let mut undrawn_end = self.x.n_features();
        let (mut visited, mut drawn, mut found) = (0, 0, 0);
        while undrawn_end > known_constants + found
            && (visited < self.limits.max_features || visited <= found + drawn)
        {
            visited += 1;
            let place = self.draw.generator.draw(drawn, undrawn_end - found);
            if place < known_constants {
                self.draw.features.swap(drawn, place);
                drawn += 1;
                continue;
            }
            let place = place + found;
            let feature = self.draw.features[place];
            let values = &mut self.values[..rows.len()];
            let n_missing = gather(rows, self.x.column(feature), values);
            let n_present = rows.len() - n_missing;
            sort(&mut values[..n_present], &mut rows[..n_present]);
            if is_constant(&values[..n_present], n_missing) {
                self.draw.features.swap(place, known_constants + found);
                found += 1;
            } else {
                undrawn_end -= 1;
                self.draw.features.swap(undrawn_end, place);
                self.evaluate(feature, rows, n_missing, node, &mut best);
            }
        }
        let all_constants = known_constants + found;
        let FeatureDraw { features, constants, .. } = &mut self.draw;
        features[..known_constants].copy_from_slice(&constants[..known_constants]);
        constants[known_constants..all_constants]
            .copy_from_slice(&features[known_constants..all_constants]);
        (best, all_constants)
    }

    /// Tries every boundary of one feature, first with the missing rows on the right, then with them on the left.
    fn evaluate(
        &self,
        feature: usize,
        rows: &mut [u32],
        n_missing: usize,
        node: NodeSums,
        best: &mut Option<BestSplit>,
    ) {
        let values = &self.values[..rows.len() - n_missing];
        let boundaries = (1..values.len())
            .filter(|&p| values[p] > values[p - 1] + FEATURE_THRESHOLD)
            .map(|p| (p, f64::from(values[p - 1]) / 2.0 + f64::from(values[p]) / 2.0));
        let present_from_missing = (n_missing > 0).then_some((values.len(), f64::INFINITY));

        let mut sides = SideSums::new(rows, self.targets, node);
        for (position, threshold) in boundaries.clone().chain(present_from_missing) {
            let missing_go_to_left = n_missing == 0 && position > rows.len() - position;
            self.consider(feature, position, threshold, missing_go_to_left, &mut sides, best);
        }
        if n_missing > 0 {
            rows.rotate_right(n_missing);
            let mut sides = SideSums::new(rows, self.targets, node);
            for (position, threshold) in boundaries {
                self.consider(feature, position + n_missing, threshold, true, &mut sides, best);
            }
        }
    }

    fn consider(
        &self,
        feature: usize,
        position: usize,
        threshold: f64,
        missing_go_to_left: bool,
        sides: &mut SideSums<'_>,
        best: &mut Option<BestSplit>,
    ) {
        let fewest = position.min(sides.n_rows() - position);
        if fewest < self.limits.min_samples_leaf {
            return;
        }
        sides.advance(position);
        let score = sides.score();
        if score > best.map_or(f64::NEG_INFINITY, |best| best.score) {
            *best = Some(BestSplit { feature, threshold, missing_go_to_left, score });
        }
    }
}

/// A column with missing values splits them from the others, so it is constant only if all are missing.
fn is_constant(sorted: &[f32], n_missing: usize) -> bool {
    match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) => n_missing == 0 && *last <= first + FEATURE_THRESHOLD,
        _ => true,
    }
}
