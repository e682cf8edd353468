//! Growing one tree: what happens in a node, and the order in which nodes come.

use super::{
    Node, Split, Tree,
    bounds::Bounds,
    criterion::{Criterion, Sides, WeightedTargets},
    frontier::Frontier,
    search::{Search, SearchLimits},
    sort::partition,
    xorshift::XorShift32,
};
use crate::feature_columns::FeatureColumns;

/// The resolution of `f64`, absolute: scikit-learn's `EPSILON`, for purity and for gains.
const EPSILON: f64 = f64::EPSILON;

/// The parameters that decide when a node becomes a leaf, resolved for one training set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrowLimits<'a> {
    pub(crate) max_depth: usize,
    pub(crate) max_leaf_nodes: Option<usize>,
    pub(crate) min_samples_split: usize,
    pub(crate) min_impurity_decrease: f64,
    pub(crate) search: SearchLimits<'a>,
}

/// Grows a tree on the rows with a weight above zero.
pub(crate) fn grow<C: Criterion>(
    x: &FeatureColumns,
    targets: WeightedTargets<'_>,
    criterion: C,
    limits: GrowLimits<'_>,
    generator: XorShift32,
) -> Tree {
    let rows: Vec<u32> =
        (0..x.n_rows() as u32).filter(|&row| targets.weight[row as usize] > 0.0).collect();
    let total_weight = rows.iter().fold(0.0, |sum, &row| sum + targets.weight[row as usize]);
    let search = Search::new(x, criterion, limits.search, generator);
    let mut grower = Grower { search, limits, total_weight, rows };
    let nodes = match limits.max_leaf_nodes {
        None => grower.depth_first(),
        Some(max_leaf_nodes) => grower.best_first(max_leaf_nodes),
    };
    Tree::new_unchecked(nodes)
}

struct Grower<'a, C> {
    search: Search<'a, C>,
    limits: GrowLimits<'a>,
    total_weight: f64,
    rows: Vec<u32>,
}

/// A node before it is looked at.
#[derive(Clone, Copy)]
struct Pending {
    start: usize,
    end: usize,
    depth: usize,
    /// Computed by the parent's search, not summed anew; the root has none yet.
    impurity: Option<f64>,
    known_constants: usize,
    bounds: Bounds,
}

/// A node after its search.
struct Searched {
    node: Node,
    /// The children of a node that can be split, and by how much that decreases impurity.
    children: Option<(Sides<Pending>, f64)>,
}

/// A node that waits in the frontier.
struct Expandable {
    id: usize,
    improvement: f64,
    children: Option<Sides<Pending>>,
}

impl<C: Criterion> Grower<'_, C> {
    fn root(&self) -> Pending {
        Pending {
            start: 0,
            end: self.rows.len(),
            depth: 0,
            impurity: None,
            known_constants: 0,
            bounds: Bounds::NONE,
        }
    }

    /// The left subtree of a node before its right one: nodes are numbered in pre-order.
    fn depth_first(&mut self) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::with_capacity(2 * self.rows.len());
        let mut stack = vec![(self.root(), None)];
        while let Some((pending, right_child_of)) = stack.pop() {
            let id = nodes.len();
            // A left child always comes right behind its parent, which knew so.
            if let Some(parent) = right_child_of
                && let Some(split) = child_numbers(&mut nodes, parent)
            {
                split.right = id as u32;
            }
            let Searched { mut node, children } = self.search_node(pending);
            if let (Some(split), Some((children, _))) = (&mut node.split, children) {
                split.left = id as u32 + 1;
                stack.push((children.right, Some(id)));
                stack.push((children.left, None));
            }
            nodes.push(node);
        }
        nodes.shrink_to_fit();
        nodes
    }

    /// The node whose split decreases impurity most is split next, until there are enough leaves.
    fn best_first(&mut self, max_leaf_nodes: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut frontier = Frontier::default();
        let mut n_leaves = 1;
        let root = self.search_into(self.root(), &mut nodes);
        frontier.push(root.improvement, root);
        while let Some(Expandable { id, children, .. }) = frontier.pop() {
            match children {
                Some(children) if n_leaves < max_leaf_nodes => {
                    n_leaves += 1;
                    let left = self.search_into(children.left, &mut nodes);
                    let right = self.search_into(children.right, &mut nodes);
                    if let Some(split) = child_numbers(&mut nodes, id) {
                        split.left = left.id as u32;
                        split.right = right.id as u32;
                    }
                    frontier.push(left.improvement, left);
                    frontier.push(right.improvement, right);
                }
                _ => nodes[id].split = None,
            }
        }
        nodes
    }

    fn search_into(&mut self, pending: Pending, nodes: &mut Vec<Node>) -> Expandable {
        // Nodes far apart in the tree follow each other here: what is constant is found out anew in each.
        let Searched { node, children } =
            self.search_node(Pending { known_constants: 0, ..pending });
        let id = nodes.len();
        nodes.push(node);
        match children {
            Some((children, improvement)) => {
                Expandable { id, improvement, children: Some(children) }
            }
            None => Expandable { id, improvement: 0.0, children: None },
        }
    }

    /// Looks at a node: tests whether it has to be a leaf, and if not searches its split and partitions its rows.
    fn search_node(&mut self, pending: Pending) -> Searched {
        let Self { search, limits, total_weight, rows } = self;
        let rows = &mut rows[pending.start..pending.end];
        search.criterion.begin(rows);
        let impurity = pending.impurity.unwrap_or_else(|| search.criterion.impurity(rows));
        let weight = search.criterion.weight();
        // These limits but one count rows, however much each weighs.
        let is_leaf = pending.depth >= limits.max_depth
            || rows.len() < limits.min_samples_split
            || rows.len() < 2 * limits.search.min_samples_leaf
            || weight < 2.0 * limits.search.min_weight_leaf
            || impurity <= EPSILON;
        let found = if is_leaf {
            None
        } else {
            find_split(search, *limits, *total_weight, rows, impurity, pending)
        };
        let value = search.criterion.value();
        let monotonic = limits.search.monotonic;
        let node = Node {
            split: found.as_ref().map(|found| found.split),
            value: if monotonic.is_none() { value } else { pending.bounds.clip(value) },
            impurity,
            n_node_samples: rows.len() as u32,
            weighted_n_node_samples: weight,
        };
        let children = found.map(|found| {
            let feature = found.split.feature as usize;
            let bounds = monotonic.side_bounds(feature, pending.bounds, found.middle_value);
            let middle = pending.start + found.n_left;
            let child = |start, end, impurity, bounds| Pending {
                start,
                end,
                depth: pending.depth + 1,
                impurity: Some(impurity),
                known_constants: found.n_constants,
                bounds,
            };
            let left = child(pending.start, middle, found.impurities.left, bounds.left);
            let right = child(middle, pending.end, found.impurities.right, bounds.right);
            (Sides { left, right }, found.improvement)
        });
        Searched { node, children }
    }
}

/// A split that passed all tests; the node's rows are partitioned by it.
struct FoundSplit {
    split: Split,
    n_left: usize,
    impurities: Sides<f64>,
    improvement: f64,
    n_constants: usize,
    middle_value: f64,
}

fn find_split<C: Criterion>(
    search: &mut Search<'_, C>,
    limits: GrowLimits<'_>,
    total_weight: f64,
    rows: &mut [u32],
    impurity: f64,
    pending: Pending,
) -> Option<FoundSplit> {
    let found = search.split(rows, pending.known_constants, pending.bounds);
    let best = found.best?;
    let column = search.x.column(best.feature);
    let side = |row: u32| goes_left(column[row as usize], best.threshold, best.missing_go_to_left);
    let n_left = if found.partitioned {
        rows.partition_point(|&row| side(row))
    } else {
        partition(rows, side)
    };
    search.criterion.reset(rows);
    search.criterion.advance(rows, n_left);
    let impurities = search.criterion.side_impurities(rows);
    let improvement = search.criterion.improvement(total_weight, impurity, impurities);
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
    let (n_constants, middle_value) = (found.n_constants, search.criterion.middle_value());
    Some(FoundSplit { split, n_left, impurities, improvement, n_constants, middle_value })
}

/// Where the numbers of a node's children are written.
pub(super) fn child_numbers(nodes: &mut [Node], id: usize) -> Option<&mut Split> {
    nodes.get_mut(id)?.split.as_mut()
}

/// Where a value goes: a missing one to its side, others left if `value <= threshold`, compared in `f64`.
pub(super) fn goes_left(value: f32, threshold: f64, missing_go_to_left: bool) -> bool {
    if value.is_nan() { missing_go_to_left } else { f64::from(value) <= threshold }
}
