//! What predictions need: the shape of the trees, where rows go, and the values of leaves.

use spinney_forest::{Node, RandomForest, Split};

use super::{
    bincode::{end, get, invalid, put},
    bits::Bits,
    dictionary::{Dictionary, ascends, table_of},
    narrow::Narrow,
};
use crate::{Limits, Result};

/// All nodes of all trees in one sequence, tree by tree.
#[derive(Debug)]
pub(crate) struct ForestSection {
    pub(super) n_features: usize,
    /// Nodes of each tree.
    pub(super) n_nodes: Vec<u32>,
    is_split: Bits,
    /// Left and right children of each split, in their tree; empty if they follow from the order.
    left: Vec<u32>,
    right: Vec<u32>,
    /// Thresholds that differ, feature by feature.
    thresholds: Vec<f64>,
    /// The feature of each threshold.
    feature_of_threshold: Vec<u32>,
    /// Which threshold each split has.
    threshold: Narrow,
    missing_go_to_left: Bits,
    leaf_value: Dictionary,
}

impl ForestSection {
    pub(crate) fn new(forest: &RandomForest) -> Self {
        let nodes = || forest.trees().iter().flat_map(|tree| tree.nodes());
        let splits = || nodes().filter_map(|node| node.split);
        let is_split: Bits = nodes().map(|node| node.split.is_some()).collect();
        let in_order = forest.trees().iter().all(|tree| is_in_pre_order(tree.nodes()));
        let children = |child: fn(Split) -> u32| {
            if in_order { Vec::new() } else { splits().map(child).collect() }
        };

        let decisions = splits().map(|split| (split.feature, split.threshold.to_bits()));
        let (table, places) = table_of(decisions, |a, b| {
            a.0.cmp(&b.0).then(f64::from_bits(a.1).total_cmp(&f64::from_bits(b.1)))
        });
        let leaf_values: Vec<f64> =
            nodes().filter(|node| node.split.is_none()).map(|node| node.value).collect();
        Self {
            n_features: forest.n_features(),
            n_nodes: forest.trees().iter().map(|tree| tree.nodes().len() as u32).collect(),
            is_split,
            left: children(|split| split.left),
            right: children(|split| split.right),
            thresholds: table.iter().map(|(_, bits)| f64::from_bits(*bits)).collect(),
            feature_of_threshold: table.iter().map(|(feature, _)| *feature).collect(),
            threshold: Narrow::new(&places),
            missing_go_to_left: splits().map(|split| split.missing_go_to_left).collect(),
            leaf_value: Dictionary::new(&leaf_values),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        put(&mut bytes, &(self.n_features as u64))?;
        put(&mut bytes, &self.n_nodes)?;
        self.is_split.write(&mut bytes)?;
        put(&mut bytes, &self.left)?;
        put(&mut bytes, &self.right)?;
        put(&mut bytes, &self.thresholds_by_feature())?;
        put(&mut bytes, &self.thresholds)?;
        self.threshold.write(&mut bytes)?;
        self.missing_go_to_left.write(&mut bytes)?;
        self.leaf_value.write(&mut bytes)?;
        Ok(bytes)
    }

    /// How many thresholds each feature has, up to the last that has any.
    fn thresholds_by_feature(&self) -> Vec<u32> {
        let mut counts = Vec::new();
        for &feature in &self.feature_of_threshold {
            counts.resize(counts.len().max(feature as usize + 1), 0);
            counts[feature as usize] += 1;
        }
        counts
    }

    pub(crate) fn from_bytes(mut bytes: &[u8], limits: &Limits) -> Result<Self> {
        let bytes = &mut bytes;
        let n_features = get::<u64>(bytes)?;
        let n_features = usize::try_from(n_features).map_err(|_| invalid("too many features"))?;
        let n_nodes: Vec<u32> = get(bytes)?;
        let total: u64 = n_nodes.iter().map(|&n| u64::from(n)).sum();
        limits.check_nodes(total)?;
        if n_nodes.iter().any(|n| n % 2 == 0) {
            return Err(invalid("a tree with an even number of nodes"));
        }
        let is_split = Bits::read(bytes, total as usize)?;
        let n_splits = (total as usize - n_nodes.len()) / 2;
        if is_split.count_ones() != n_splits {
            return Err(invalid("not every split has two children"));
        }
        let (left, right): (Vec<u32>, Vec<u32>) = (get(bytes)?, get(bytes)?);
        if left.len() != right.len() || !(left.is_empty() || left.len() == n_splits) {
            return Err(invalid("not every split has two children"));
        }
        let by_feature: Vec<u32> = get(bytes)?;
        let thresholds: Vec<f64> = get(bytes)?;
        let n_thresholds: u64 = by_feature.iter().map(|&n| u64::from(n)).sum();
        if by_feature.len() > n_features || n_thresholds != thresholds.len() as u64 {
            return Err(invalid("the thresholds are not those of the features"));
        }
        let mut feature_of_threshold = Vec::with_capacity(thresholds.len());
        for (feature, &n) in (0..).zip(&by_feature) {
            let start = feature_of_threshold.len();
            feature_of_threshold.resize(start + n as usize, feature);
            if !ascends(&thresholds[start..feature_of_threshold.len()]) {
                return Err(invalid("thresholds of a feature do not ascend"));
            }
        }
        let section = Self {
            n_features,
            n_nodes,
            threshold: Narrow::read(bytes, n_splits, thresholds.len())?,
            missing_go_to_left: Bits::read(bytes, n_splits)?,
            leaf_value: Dictionary::read(bytes, total as usize - n_splits)?,
            is_split,
            left,
            right,
            thresholds,
            feature_of_threshold,
        };
        end(bytes)?;
        if section.thresholds.iter().any(|threshold| threshold.is_nan()) {
            return Err(invalid("a threshold is NaN"));
        }
        if !section.leaf_value.is_finite() {
            return Err(invalid("the value of a leaf is not finite"));
        }
        for tree in section.places() {
            section.check_shape(tree)?;
        }
        Ok(section)
    }

    /// Checks that the nodes of a tree are one tree, and its splits and leaves as many as follows from that.
    fn check_shape(&self, tree: TreePlace) -> Result<()> {
        let TreePlace { first_node, first_split, n_nodes } = tree;
        let flags = (first_node..first_node + n_nodes).map(|node| self.is_split.get(node));
        if self.left.is_empty() {
            // Each node takes a place and each split gives two.
            let mut n_places = 1;
            for is_split in flags {
                if n_places == 0 {
                    return Err(invalid("nodes follow a whole tree"));
                }
                n_places += if is_split { 1 } else { -1 };
            }
            return if n_places == 0 { Ok(()) } else { Err(invalid("a tree is not complete")) };
        }
        let mut split = first_split;
        let mut has_parent = vec![false; n_nodes];
        for (id, is_split) in flags.enumerate() {
            if !is_split {
                continue;
            }
            if split == first_split + tree.n_splits() {
                return Err(invalid("a tree has too many splits"));
            }
            for child in [self.left[split], self.right[split]] {
                match has_parent.get_mut(child as usize) {
                    Some(has_parent) if !*has_parent && child as usize > id => *has_parent = true,
                    _ => return Err(invalid("a child is not behind its parent, or another's too")),
                }
            }
            split += 1;
        }
        // With as many splits as this all nodes but the root have a parent.
        let is_tree = split == first_split + tree.n_splits();
        if is_tree { Ok(()) } else { Err(invalid("a tree has too few splits")) }
    }

    pub(super) fn n_splits(&self) -> usize {
        self.is_split.count_ones()
    }

    pub(super) fn n_leaves(&self) -> usize {
        self.n_nodes.iter().map(|&n| n as usize).sum::<usize>() - self.n_splits()
    }

    /// The nodes of a tree. Leaves get their value, and the rest from `complete`, which is told their places among all leaves;
    /// splits get no statistics.
    pub(super) fn restore(
        &self,
        tree: TreePlace,
        complete: impl Fn(usize, &mut Node),
    ) -> Vec<Node> {
        let TreePlace { first_node, first_split, n_nodes } = tree;
        let (mut split, mut leaf) = (first_split, first_node - first_split);
        // Splits that wait for their right child.
        let mut waiting: Vec<u32> = Vec::new();
        let mut follows_leaf = false;
        let mut nodes: Vec<Node> = Vec::with_capacity(n_nodes);
        for id in 0..n_nodes {
            let is_split = self.is_split.get(first_node + id);
            if follows_leaf
                && self.left.is_empty()
                && let Some(parent) = waiting.pop()
                && let Some(split) = &mut nodes[parent as usize].split
            {
                split.right = id as u32;
            }
            follows_leaf = !is_split;
            let mut node = EMPTY;
            if is_split {
                waiting.push(id as u32);
                node.split = Some(self.split(split, id as u32));
                split += 1;
            } else {
                node.value = self.leaf_value.get(leaf);
                complete(leaf, &mut node);
                leaf += 1;
            }
            nodes.push(node);
        }
        nodes
    }

    /// Where each tree is.
    pub(super) fn places(&self) -> Vec<TreePlace> {
        let (mut first_node, mut first_split) = (0, 0);
        let place = |&n_nodes: &u32| {
            let place = TreePlace { first_node, first_split, n_nodes: n_nodes as usize };
            first_node += place.n_nodes;
            first_split += place.n_splits();
            place
        };
        self.n_nodes.iter().map(place).collect()
    }

    fn split(&self, split: usize, id: u32) -> Split {
        let place = self.threshold.get(split) as usize;
        Split {
            feature: self.feature_of_threshold[place],
            threshold: self.thresholds[place],
            missing_go_to_left: self.missing_go_to_left.get(split),
            left: self.left.get(split).copied().unwrap_or(id + 1),
            right: self.right.get(split).copied().unwrap_or(0),
        }
    }
}

/// Where a tree begins in the sequences of nodes and splits.
#[derive(Debug, Clone, Copy)]
pub(super) struct TreePlace {
    pub(super) first_node: usize,
    pub(super) first_split: usize,
    pub(super) n_nodes: usize,
}

impl TreePlace {
    /// Each split has two children, and all nodes but the root are one.
    pub(super) fn n_splits(self) -> usize {
        self.n_nodes / 2
    }
}

const EMPTY: Node = Node {
    split: None,
    value: 0.0,
    impurity: 0.0,
    n_node_samples: 0,
    weighted_n_node_samples: 0.0,
};

/// Whether each left child comes right behind its parent, and each right one behind the left subtree.
fn is_in_pre_order(nodes: &[Node]) -> bool {
    let mut waiting = Vec::new();
    (0..).zip(nodes).all(|(id, node)| {
        let is_right_child = id > 0 && nodes[id as usize - 1].split.is_none();
        if is_right_child && waiting.pop() != Some(id) {
            return false;
        }
        node.split.is_none_or(|split| {
            waiting.push(split.right);
            split.left == id + 1
        })
    })
}
