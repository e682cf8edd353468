pub(crate) mod bounds;
mod canonical;
pub(crate) mod criterion;
pub(crate) mod engine;
mod frontier;
pub(crate) mod grow;
mod presorted;
mod prune;
mod random_split;
mod refit;
pub(crate) mod search;
mod sort;
pub(crate) mod xorshift;

use spinney_numpy_random::pairwise_sum;

use self::grow::goes_left;
use crate::{Error, Result};

/// One node of a [`Tree`]. Names follow scikit-learn's `tree_`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// How the node divides its rows; `None` in a leaf.
    pub split: Option<Split>,
    /// Weighted mean of the targets: what a leaf predicts.
    pub value: f64,
    /// Weighted variance of the targets, as the parent computed it.
    pub impurity: f64,
    /// Number of distinct training rows.
    pub n_node_samples: u32,
    /// Training rows counted as often as they were drawn.
    pub weighted_n_node_samples: f64,
}

/// The decision in an inner [`Node`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Column that is looked at, counted from 0.
    pub feature: u32,
    /// Values up to and including it go left. `f64`, though features are `f32`: it lies midway between two of them.
    /// Infinite where a split only separates missing from present values.
    pub threshold: f64,
    /// Where NaN goes.
    pub missing_go_to_left: bool,
    /// Number of the left child.
    pub left: u32,
    /// Number of the right child.
    pub right: u32,
}

/// A regression tree: nodes by number, the root first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Assembles a tree from nodes, the root first, children after their parent.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidTree`] if there is no node, a child does not come after its parent, has another parent or does not
    /// exist, a node is no one's child, a feature is not below `n_features`, a threshold is NaN, or a value is not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use spinney_forest::{Node, Split, Tree};
    ///
    /// let leaf = |value| Node {
    ///     split: None, value, impurity: 0.0, n_node_samples: 1, weighted_n_node_samples: 1.0,
    /// };
    /// let split = Split { feature: 0, threshold: 0.5, missing_go_to_left: true, left: 1, right: 2 };
    /// let root = Node { split: Some(split), ..leaf(15.0) };
    /// let tree = Tree::from_nodes(vec![root, leaf(10.0), leaf(20.0)], 1)?;
    /// assert_eq!(tree.predict_row(&[0.5]), 10.0);
    /// assert_eq!(tree.predict_row(&[f32::NAN]), 10.0);
    /// assert!(Tree::from_nodes(vec![root, leaf(10.0)], 1).is_err());
    /// # Ok::<(), spinney_forest::Error>(())
    /// ```
    pub fn from_nodes(nodes: Vec<Node>, n_features: usize) -> Result<Self> {
        let tree = Self { nodes };
        tree.check(n_features).map_err(|(node, problem)| Error::InvalidTree {
            tree: 0,
            node,
            problem,
        })?;
        Ok(tree)
    }

    pub(crate) fn new_unchecked(nodes: Vec<Node>) -> Self {
        let tree = Self { nodes };
        debug_assert_eq!(tree.check(usize::MAX), Ok(()));
        tree
    }

    /// Nodes that are to be [checked](Self::check).
    pub(crate) fn unchecked(nodes: Vec<Node>) -> Self {
        Self { nodes }
    }

    /// Says which node breaks which rule of [`Tree::from_nodes`].
    pub(crate) fn check(&self, n_features: usize) -> Result<(), (usize, &'static str)> {
        if self.nodes.is_empty() {
            return Err((0, "a tree needs at least one node"));
        }
        let mut has_parent = vec![false; self.nodes.len()];
        has_parent[0] = true;
        for (id, node) in self.nodes.iter().enumerate() {
            if !node.value.is_finite() {
                return Err((id, "the value is not finite"));
            }
            let Some(split) = node.split else { continue };
            if split.feature as usize >= n_features {
                return Err((id, "the feature is not in the training matrix"));
            }
            if split.threshold.is_nan() {
                return Err((id, "the threshold is NaN"));
            }
            for child in [split.left as usize, split.right as usize] {
                match has_parent.get_mut(child) {
                    None => return Err((id, "a child does not exist")),
                    Some(_) if child <= id => {
                        return Err((id, "a child must come after its parent"));
                    }
                    Some(true) => return Err((id, "a child has two parents")),
                    Some(has_parent) => *has_parent = true,
                }
            }
        }
        match has_parent.iter().position(|has_parent| !has_parent) {
            Some(id) => Err((id, "the node has no parent")),
            None => Ok(()),
        }
    }

    /// All nodes by number; the root is the first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the largest number of splits between the root and a leaf; 0 for a tree of one leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut depth = vec![0; self.nodes.len()];
        for (id, node) in self.nodes.iter().enumerate() {
            if let Some(split) = node.split {
                depth[split.left as usize] = depth[id] + 1;
                depth[split.right as usize] = depth[id] + 1;
            }
        }
        depth.into_iter().max().unwrap_or(0)
    }

    /// Returns the number of the leaf that a row of features falls into.
    ///
    /// A column that `row` is too short for counts as missing.
    #[must_use]
    pub fn leaf_number(&self, row: &[f32]) -> u32 {
        let mut number = 0;
        while let Some(split) = self.nodes[number as usize].split {
            number = if self.goes_left(row, split) { split.left } else { split.right };
        }
        number
    }

    /// Returns the leaf that a row of features falls into, by its [number](Self::leaf_number).
    #[must_use]
    pub fn leaf(&self, row: &[f32]) -> &Node {
        &self.nodes[self.leaf_number(row) as usize]
    }

    pub(crate) fn goes_left(&self, row: &[f32], split: Split) -> bool {
        let value = row.get(split.feature as usize).copied().unwrap_or(f32::NAN);
        goes_left(value, split.threshold, split.missing_go_to_left)
    }

    /// Predicts one row: the value of its [`leaf`](Self::leaf).
    #[must_use]
    pub fn predict_row(&self, row: &[f32]) -> f64 {
        self.leaf(row).value
    }

    /// Returns each feature's share of the impurity decrease in this tree; they sum to 1, or are all 0 in a tree of one leaf.
    pub(crate) fn feature_importances(&self, n_features: usize) -> Vec<f64> {
        let mut importances = vec![0.0; n_features];
        for node in &self.nodes {
            let Some(split) = node.split else { continue };
            let [left, right] = [split.left, split.right].map(|child| {
                let child = &self.nodes[child as usize];
                child.weighted_n_node_samples * child.impurity
            });
            importances[split.feature as usize] +=
                node.weighted_n_node_samples * node.impurity - left - right;
        }
        let root_weight = self.nodes[0].weighted_n_node_samples;
        for importance in &mut importances {
            *importance /= root_weight;
        }
        let sum = pairwise_sum(&importances);
        if sum > 0.0 {
            for importance in &mut importances {
                *importance /= sum;
            }
        }
        importances
    }
}
