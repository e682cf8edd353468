//! The search for a node's split: drawing features, and what is done with each.

use super::{
    bounds::{Bounds, MonotonicConstraints},
    criterion::Criterion,
    sort::{gather, sort},
    xorshift::XorShift32,
};
use crate::{Splitter, feature_columns::FeatureColumns};

/// Values closer than this count as equal: neighbours in `f32`, as scikit-learn compares them.
pub(super) const FEATURE_THRESHOLD: f32 = 1e-7;

/// What the search may do, the same for every node of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchLimits<'a> {
    pub(crate) splitter: Splitter,
    /// Features to look at before stopping, if one that is not constant was among them.
    pub(crate) max_features: usize,
    /// Rows, not weight, that each side must keep.
    pub(crate) min_samples_leaf: usize,
    /// Weight that each side must keep.
    pub(crate) min_weight_leaf: f64,
    pub(crate) monotonic: MonotonicConstraints<'a>,
}

/// The best split found so far in a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BestSplit {
    pub(crate) feature: usize,
    pub(crate) threshold: f64,
    pub(crate) missing_go_to_left: bool,
    score: f64,
}

/// What a search found.
pub(crate) struct Found {
    pub(crate) best: Option<BestSplit>,
    /// Features known to be constant now.
    pub(crate) n_constants: usize,
    /// Whether the rows are already on their sides.
    pub(crate) partitioned: bool,
}

/// A boundary of one feature that is up for evaluation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) feature: usize,
    /// Rows before it go left.
    pub(super) position: usize,
    pub(super) threshold: f64,
    pub(super) missing_go_to_left: bool,
}

/// The order in which features were drawn so far. It lives from node to node, and so does the random generator: nodes
/// that end as leaves after a search have moved both.
#[derive(Debug)]
pub(super) struct FeatureDraw {
    /// A permutation of all features: constants known on the way down first.
    features: Vec<usize>,
    /// Constants on the path to the current node, in the order they were found.
    constants: Vec<usize>,
    pub(super) generator: XorShift32,
}

/// Buffers and data of one tree's searches.
#[derive(Debug)]
pub(crate) struct Search<'a, C> {
    pub(crate) x: &'a FeatureColumns,
    pub(crate) criterion: C,
    pub(super) limits: SearchLimits<'a>,
    pub(super) draw: FeatureDraw,
    pub(super) values: Vec<f32>,
}

impl<'a, C: Criterion> Search<'a, C> {
    pub(crate) fn new(
        x: &'a FeatureColumns,
        criterion: C,
        limits: SearchLimits<'a>,
        generator: XorShift32,
    ) -> Self {
        let features = (0..x.n_features()).collect();
        let draw = FeatureDraw { features, constants: vec![0; x.n_features()], generator };
        Self { x, criterion, limits, draw, values: vec![0.0; x.n_rows()] }
    }

    /// Draws features without replacement and returns the best split of the node that the criterion has begun.
    ///
    /// At least one feature that is not constant is looked at, even if constants alone use up `max_features`. Equal scores
    /// go to the feature drawn first, then to the smaller boundary.
    ///
    /// # References
    ///
    /// A Fisher-Yates shuffle that remembers constants, from scikit-learn's `node_split_best`.
    pub(crate) fn split(&mut self, rows: &mut [u32], known: usize, bounds: Bounds) -> Found {
        let mut best = None;
        let mut last_feature = None;
        let mut undrawn_end = self.x.n_features();
        let (mut visited, mut drawn, mut found) = (0, 0, 0);
        while undrawn_end > known + found
            && (visited < self.limits.max_features || visited <= found + drawn)
        {
            visited += 1;
            let place = self.draw.generator.draw(drawn, undrawn_end - found);
            if place < known {
                self.draw.features.swap(drawn, place);
                drawn += 1;
                continue;
            }
            let place = place + found;
            let feature = self.draw.features[place];
            last_feature = Some(feature);
            let prepared = self.prepare(feature, rows);
            if prepared.constant {
                self.draw.features.swap(place, known + found);
                found += 1;
                continue;
            }
            undrawn_end -= 1;
            self.draw.features.swap(undrawn_end, place);
            match self.limits.splitter {
                Splitter::Best => self.try_all(feature, rows, prepared, bounds, &mut best),
                Splitter::Random => self.try_one(feature, rows, prepared, bounds, &mut best),
            }
        }
        let n_constants = known + found;
        let FeatureDraw { features, constants, .. } = &mut self.draw;
        features[..known].copy_from_slice(&constants[..known]);
        constants[known..n_constants].copy_from_slice(&features[known..n_constants]);
        // The last feature tried at random has left its rows on their sides.
        let partitioned = self.limits.splitter == Splitter::Random
            && best.is_some_and(|best: BestSplit| Some(best.feature) == last_feature);
        Found { best, n_constants, partitioned }
    }

    /// Looks at a feature's values in the node, and for the best splitter sorts the rows by them.
    fn prepare(&mut self, feature: usize, rows: &mut [u32]) -> Prepared {
        let column = self.x.column(feature);
        let values = &mut self.values[..rows.len()];
        let (n_missing, extremes) = match self.limits.splitter {
            Splitter::Best => {
                let n_missing = gather(rows, column, values);
                let n_present = rows.len() - n_missing;
                sort(&mut values[..n_present], &mut rows[..n_present]);
                let present = &values[..n_present];
                (n_missing, present.first().copied().zip(present.last().copied()))
            }
            Splitter::Random => {
                values
                    .iter_mut()
                    .zip(&*rows)
                    .for_each(|(value, row)| *value = column[*row as usize]);
                extremes(values)
            }
        };
        // A column with missing values splits them from the others, so it is constant only if all are missing.
        let constant = extremes
            .is_none_or(|(least, most)| n_missing == 0 && most <= least + FEATURE_THRESHOLD);
        Prepared { n_missing, extremes, constant }
    }

    /// Tries every boundary of a feature, first with the missing rows on the right, then with them on the left.
    fn try_all(
        &mut self,
        feature: usize,
        rows: &mut [u32],
        prepared: Prepared,
        bounds: Bounds,
        best: &mut Option<BestSplit>,
    ) {
        let n_missing = prepared.n_missing;
        let n_present = rows.len() - n_missing;
        self.criterion.reset(rows);
        let mut position = 0;
        while let Some(next) = next_boundary(&self.values[..n_present], position) {
            position = next;
            let threshold = midway(self.values[position - 1], self.values[position]);
            let missing_go_to_left = n_missing == 0 && position > rows.len() - position;
            let candidate = Candidate { feature, position, threshold, missing_go_to_left };
            self.consider(candidate, rows, bounds, best);
        }
        if n_missing == 0 {
            return;
        }
        let all_present = Candidate {
            feature,
            position: n_present,
            threshold: f64::INFINITY,
            missing_go_to_left: false,
        };
        self.consider(all_present, rows, bounds, best);

        rows.rotate_right(n_missing);
        self.criterion.reset(rows);
        let mut position = 0;
        while let Some(next) = next_boundary(&self.values[..n_present], position) {
            position = next;
            let threshold = midway(self.values[position - 1], self.values[position]);
            let position = position + n_missing;
            let candidate = Candidate { feature, position, threshold, missing_go_to_left: true };
            self.consider(candidate, rows, bounds, best);
        }
    }

    /// Evaluates a boundary and keeps it if it is better than all before.
    pub(super) fn consider(
        &mut self,
        candidate: Candidate,
        rows: &[u32],
        bounds: Bounds,
        best: &mut Option<BestSplit>,
    ) {
        let Candidate { feature, position, threshold, missing_go_to_left } = candidate;
        // Boundaries that are too near the ends do not move the sums, which shows in their last bits.
        if position.min(rows.len() - position) < self.limits.min_samples_leaf {
            return;
        }
        self.criterion.advance(rows, position);
        let monotonic = self.limits.monotonic;
        if !monotonic.allow(feature, bounds, || self.criterion.side_values()) {
            return;
        }
        let weight = self.criterion.side_weights();
        let min_weight = self.limits.min_weight_leaf;
        if weight.left < min_weight || weight.right < min_weight {
            return;
        }
        let score = self.criterion.score(rows);
        if score > best.map_or(f64::NEG_INFINITY, |best| best.score) {
            *best = Some(BestSplit { feature, threshold, missing_go_to_left, score });
        }
    }
}

/// A feature's values in a node, at a glance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prepared {
    pub(super) n_missing: usize,
    /// The least and the greatest value, unless all are missing.
    pub(super) extremes: Option<(f32, f32)>,
    constant: bool,
}

/// The first place behind `position` whose value differs from the one before it.
fn next_boundary(sorted: &[f32], position: usize) -> Option<usize> {
    (position + 1..sorted.len()).find(|&p| sorted[p] > sorted[p - 1] + FEATURE_THRESHOLD)
}

/// Exact in `f64`, and below `above` always.
fn midway(below: f32, above: f32) -> f64 {
    f64::from(below) / 2.0 + f64::from(above) / 2.0
}

/// The number of missing values, and the least and greatest of the others.
fn extremes(values: &[f32]) -> (usize, Option<(f32, f32)>) {
    let mut present = values.iter().copied().filter(|value| !value.is_nan());
    let Some(first) = present.next() else { return (values.len(), None) };
    let (mut n_present, mut least, mut most) = (1, first, first);
    for value in present {
        n_present += 1;
        if value < least {
            least = value;
        } else if value > most {
            most = value;
        }
    }
    (values.len() - n_present, Some((least, most)))
}
