//! Minimal cost-complexity pruning.

use super::{Node, Tree, grow::child_numbers};

impl Tree {
    /// Replaces subtrees that decrease impurity by at most `ccp_alpha` for each leaf more by their root, the weakest first.
    ///
    /// # References
    ///
    /// Breiman, Friedman, Olshen and Stone (1984), *Classification and Regression Trees*, chapter 3; scikit-learn's
    /// `_cost_complexity_prune`, whose order of summation this keeps.
    pub(crate) fn pruned(&self, ccp_alpha: f64) -> Self {
        let mut pruning = Pruning::new(&self.nodes);
        while let Some((id, alpha)) = pruning.weakest_link() {
            if ccp_alpha < alpha {
                break;
            }
            pruning.collapse(id);
        }
        let mut nodes = Vec::new();
        let mut stack = vec![(0, None)];
        while let Some((id, right_child_of)) = stack.pop() {
            let new_id = nodes.len() as u32;
            if let Some(parent) = right_child_of
                && let Some(split) = child_numbers(&mut nodes, parent)
            {
                split.right = new_id;
            }
            let mut node = self.nodes[id];
            if pruning.is_leaf[id] {
                node.split = None;
            }
            if let Some(split) = &mut node.split {
                stack.push((split.right as usize, Some(nodes.len())));
                stack.push((split.left as usize, None));
                split.left = new_id + 1;
            }
            nodes.push(node);
        }
        Self::new_unchecked(nodes)
    }
}

/// The state of a tree while it is pruned, by node.
struct Pruning<'a> {
    nodes: &'a [Node],
    parent: Vec<Option<usize>>,
    /// Leaves below; 0 for a leaf itself.
    n_leaves: Vec<usize>,
    /// The node's impurity as a leaf, weighted by its share of all rows.
    node_impurity: Vec<f64>,
    /// The sum of that over the leaves below.
    branch_impurity: Vec<f64>,
    is_leaf: Vec<bool>,
    /// Nodes with a branch below that is still there.
    is_candidate: Vec<bool>,
}

impl<'a> Pruning<'a> {
    fn new(nodes: &'a [Node]) -> Self {
        let total_weight = nodes[0].weighted_n_node_samples;
        let mut parent = vec![None; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            if let Some(split) = node.split {
                parent[split.left as usize] = Some(id);
                parent[split.right as usize] = Some(id);
            }
        }
        let impurity = |node: &Node| node.weighted_n_node_samples * node.impurity / total_weight;
        let node_impurity: Vec<f64> = nodes.iter().map(impurity).collect();
        let is_leaf: Vec<bool> = nodes.iter().map(|node| node.split.is_none()).collect();
        let mut n_leaves = vec![0; nodes.len()];
        let mut branch_impurity = vec![0.0; nodes.len()];
        for leaf in (0..nodes.len()).filter(|&id| is_leaf[id]) {
            branch_impurity[leaf] = node_impurity[leaf];
            let mut above = parent[leaf];
            while let Some(id) = above {
                branch_impurity[id] += node_impurity[leaf];
                n_leaves[id] += 1;
                above = parent[id];
            }
        }
        let is_candidate = is_leaf.iter().map(|is_leaf| !is_leaf).collect();
        Self { nodes, parent, n_leaves, node_impurity, branch_impurity, is_leaf, is_candidate }
    }

    /// The branch that decreases impurity least for each leaf more, the first of several; none once the root is a leaf.
    fn weakest_link(&self) -> Option<(usize, f64)> {
        if !self.is_candidate[0] {
            return None;
        }
        let mut weakest = (0, f64::MAX);
        for id in (0..self.nodes.len()).filter(|&id| self.is_candidate[id]) {
            let gain = self.node_impurity[id] - self.branch_impurity[id];
            let alpha = gain / (self.n_leaves[id] as f64 - 1.0);
            if alpha < weakest.1 {
                weakest = (id, alpha);
            }
        }
        Some(weakest)
    }

    fn collapse(&mut self, id: usize) {
        let mut below = vec![id];
        while let Some(node) = below.pop() {
            self.is_candidate[node] = false;
            self.is_leaf[node] = false;
            if let Some(split) = self.nodes[node].split {
                below.extend([split.left as usize, split.right as usize]);
            }
        }
        self.is_leaf[id] = true;
        let n_pruned = self.n_leaves[id] - 1;
        let rise = self.node_impurity[id] - self.branch_impurity[id];
        self.n_leaves[id] = 0;
        self.branch_impurity[id] = self.node_impurity[id];
        let mut above = self.parent[id];
        while let Some(id) = above {
            self.n_leaves[id] -= n_pruned;
            self.branch_impurity[id] += rise;
            above = self.parent[id];
        }
    }
}
