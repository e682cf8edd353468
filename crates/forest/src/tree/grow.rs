//! Growing one tree, depth first.

use super::{
    Node, Split, Tree,
    node_sums::{NodeSums, SideSums, WeightedTargets},
    search::{FeatureDraw, Search, SearchLimits},
    sort::partition,
    xorshift::XorShift32,
};
use crate::feature_columns::FeatureColumns;

/// The resolution of `f64`, absolute: scikit-learn's `EPSILON`, for purity and for gains.
const EPSILON: f64 = f64::EPSILON;

/// The parameters that decide when a node becomes a leaf, resolved for one training set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrowLimits {
    pub(crate) max_depth: usize,
    pub(crate) min_samples_split: usize,
    pub(crate) min_impurity_decrease: f64,
    pub(crate) search: SearchLimits,
}

/// A node that waits to be processed.
struct Pending {
    start: usize,
    end: usize,
    depth: usize,
    /// Inherited from the parent's search, not summed anew; the root has none yet.
    impurity: Option<f64>,
    known_constants: usize,
    parent: Option<(usize, Side)>,
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Grows a tree on the rows with a weight above zero. Nodes are numbered in the order they are processed: pre-order.
pub(crate) fn grow(
    x: &FeatureColumns,
    targets: WeightedTargets<'_>,
    limits: GrowLimits,
    generator: XorShift32,
) -> Tree {
    let mut rows: Vec<u32> =
        (0..x.n_rows() as u32).filter(|&row| targets.weight[row as usize] > 0.0).collect();
    let mut search = Search {
        x,
        targets,
        limits: limits.search,
        draw: FeatureDraw::new(x.n_features(), generator),
        values: vec![0.0; rows.len()],
    };
    let total_weight = NodeSums::new(&rows, targets).weight;
    let mut nodes: Vec<Node> = Vec::with_capacity(2 * rows.len());
    let mut stack = vec![Pending {
        start: 0,
        end: rows.len(),
        depth: 0,
        impurity: None,
        known_constants: 0,
        parent: None,
    }];
    while let Some(pending) = stack.pop() {
        let id = nodes.len();
        if let Some((parent, side)) = pending.parent
            && let Some(split) = &mut nodes[parent].split
        {
            match side {
                Side::Left => split.left = id as u32,
                Side::Right => split.right = id as u32,
            }
        }
        let node_rows = &mut rows[pending.start..pending.end];
        let sums = NodeSums::new(node_rows, targets);
        let impurity = pending.impurity.unwrap_or_else(|| sums.impurity());
        let split =
            try_split(&mut search, limits, total_weight, node_rows, sums, impurity, &pending);
        nodes.push(Node {
            split: split.as_ref().map(|found| found.split),
            value: sums.mean(),
            impurity,
            n_node_samples: node_rows.len() as u32,
            weighted_n_node_samples: sums.weight,
        });
        if let Some(found) = split {
            let middle = pending.start + found.n_left;
            let child = |side, start, end, impurity| Pending {
                start,
                end,
                depth: pending.depth + 1,
                impurity: Some(impurity),
                known_constants: found.known_constants,
                parent: Some((id, side)),
            };
            stack.push(child(Side::Right, middle, pending.end, found.right_impurity));
            stack.push(child(Side::Left, pending.start, middle, found.left_impurity));
        }
    }
    nodes.shrink_to_fit();
    Tree::new_unchecked(nodes)
}

/// A split that passed all tests; the node's rows are partitioned by it.
struct FoundSplit {
    split: Split,
    n_left: usize,
    left_impurity: f64,
    right_impurity: f64,
    known_constants: usize,
}

fn try_split(
    search: &mut Search<'_>,
    limits: GrowLimits,
    total_weight: f64,
    rows: &mut [u32],
    sums: NodeSums,
    impurity: f64,
    pending: &Pending,
) -> Option<FoundSplit> {
    // These limits count rows, however often each was drawn.
    let is_leaf = pending.depth >= limits.max_depth
        || rows.len() < limits.min_samples_split
        || rows.len() < 2 * limits.search.min_samples_leaf
        || impurity <= EPSILON;
    if is_leaf {
        return None;
    }
    let (best, known_constants) = search.best_split(rows, sums, pending.known_constants);
    let best = best?;
    let column = search.x.column(best.feature);
    let n_left = partition(rows, |row| {
        goes_left(column[row as usize], best.threshold, best.missing_go_to_left)
    });
    let mut sides = SideSums::new(rows, search.targets, sums);
    sides.advance(n_left);
    let (left, right) = sides.children();
    let (left_impurity, right_impurity) = (left.impurity(), right.impurity());
    let improvement = (sums.weight / total_weight)
        * (impurity
            - (right.weight / sums.weight * right_impurity)
            - (left.weight / sums.weight * left_impurity));
    // Not idle for a limit of zero: rounding makes gains of nothing negative, and those nodes are leaves.
    if improvement + EPSILON < limits.min_impurity_decrease {
        return None;
    }
    let split = Split {
        feature: best.feature as u32,
        threshold: best.threshold,
        missing_go_to_left: best.missing_go_to_left,
        left: 0,
        right: 0,
    };
    Some(FoundSplit { split, n_left, left_impurity, right_impurity, known_constants })
}

/// Where a value goes: a missing one to its side, others left if `value <= threshold`, compared in `f64`.
pub(super) fn goes_left(value: f32, threshold: f64, missing_go_to_left: bool) -> bool {
    if value.is_nan() { missing_go_to_left } else { f64::from(value) <= threshold }
}
