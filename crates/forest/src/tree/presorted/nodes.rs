//! The nodes of a growing tree, and the tests that a node and its split have to pass.

use super::contest::Cut;
use super::{limits::GrowLimits, node_sums::NodeSums};
use crate::tree::{Node, Split, Tree};

/// A node that waits to be processed. Sums are in multiples of the targets' unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    /// Number of the parent; `None` for the root.
    pub(super) parent: Option<u32>,
    pub(super) is_left: bool,
    pub(super) depth: u32,
    pub(super) n_rows: u32,
    pub(super) known_constants: usize,
    pub(super) sums: NodeSums,
    /// Σ of the whole numbers that splits are searched with; in the exact regime that is `sums.total`.
    pub(super) whole: f64,
    pub(super) impurity: f64,
}

impl Open {
    pub(super) fn root(n_rows: usize, sums: NodeSums, whole: f64) -> Self {
        Self {
            parent: None,
            is_left: true,
            depth: 0,
            n_rows: n_rows as u32,
            known_constants: 0,
            sums,
            whole,
            impurity: sums.impurity(),
        }
    }
}

/// Sums over both sides of a split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halves {
    /// The left side as the parent adds it up.
    pub(super) boundary: NodeSums,
    /// Both sides as the children do.
    pub(super) left: NodeSums,
    pub(super) right: NodeSums,
}

impl Halves {
    /// Where sums are exact.
    pub(super) fn exact(node: &NodeSums, left: NodeSums) -> Self {
        Self { boundary: left, left, right: node.without(&left) }
    }
}

#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    unit: f64,
    total_weight: f64,
    limits: GrowLimits,
    /// In multiples of the unit's square, as impurities are.
    epsilon: f64,
    min_impurity_decrease: f64,
    /// By row, its leaf; empty if nobody asks.
    leaf_of_row: Vec<u32>,
}

impl Nodes {
    /// With leaves for this many rows: 0 if nobody asks for them.
    pub(super) fn new(root: &Open, unit: f64, limits: GrowLimits, n_rows: usize) -> Self {
        let square = unit * unit;
        Self {
            nodes: Vec::with_capacity(2 * root.n_rows as usize),
            unit,
            total_weight: root.sums.weight,
            limits,
            epsilon: f64::EPSILON / square,
            min_impurity_decrease: limits.min_impurity_decrease / square,
            leaf_of_row: vec![0; n_rows],
        }
    }

    /// Writes a node as a leaf and tells its parent; returns its number.
    pub(super) fn push(&mut self, open: &Open) -> u32 {
        let id = self.nodes.len() as u32;
        if let Some(parent) = open.parent
            && let Some(split) = &mut self.nodes[parent as usize].split
        {
            *(if open.is_left { &mut split.left } else { &mut split.right }) = id;
        }
        self.nodes.push(Node {
            split: None,
            value: open.sums.mean() * self.unit,
            impurity: open.impurity * (self.unit * self.unit),
            n_node_samples: open.n_rows,
            weighted_n_node_samples: open.sums.weight,
        });
        id
    }

    /// Says which rows end in a node.
    pub(super) fn end(&mut self, id: u32, rows: impl Iterator<Item = u32>) {
        if !self.leaf_of_row.is_empty() {
            rows.for_each(|row| self.leaf_of_row[row as usize] = id);
        }
    }

    pub(super) fn may_split(&self, open: &Open) -> bool {
        let n_rows = open.n_rows as usize;
        !(open.depth as usize >= self.limits.max_depth
            || n_rows < self.limits.min_samples_split
            || n_rows < 2 * self.limits.search.min_samples_leaf
            || open.impurity <= self.epsilon)
    }

    /// Makes node `id` an inner node that asks for a feature, numbered as in the data. Returns its children, left and right,
    /// unless it decreases impurity too little.
    pub(super) fn split(
        &mut self,
        id: u32,
        open: &Open,
        (feature, cut): (u32, &Cut),
        halves: &Halves,
        known_constants: usize,
    ) -> Option<[Open; 2]> {
        let node = open.sums;
        let (left, right) = (halves.boundary, node.without(&halves.boundary));
        let (left_impurity, right_impurity) = (left.impurity(), right.impurity());
        let improvement = (node.weight / self.total_weight)
            * (open.impurity
                - (right.weight / node.weight * right_impurity)
                - (left.weight / node.weight * left_impurity));
        if improvement + self.epsilon < self.min_impurity_decrease {
            return None;
        }
        self.nodes[id as usize].split = Some(Split {
            feature,
            threshold: cut.threshold,
            missing_go_to_left: cut.missing_go_to_left,
            left: 0,
            right: 0,
        });
        let child = |is_left, n_rows, sums, whole, impurity| Open {
            parent: Some(id),
            is_left,
            depth: open.depth + 1,
            n_rows,
            known_constants,
            sums,
            whole,
            impurity,
        };
        let (n_left, whole) = (cut.turn.n_left, cut.left_sum);
        Some([
            child(true, n_left, halves.left, whole, left_impurity),
            child(false, open.n_rows - n_left, halves.right, open.whole - whole, right_impurity),
        ])
    }

    /// The tree, and the leaf of each of its rows.
    pub(super) fn into_tree(mut self) -> (Tree, Vec<u32>) {
        self.nodes.shrink_to_fit();
        (Tree::new_unchecked(self.nodes), self.leaf_of_row)
    }
}
