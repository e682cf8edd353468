//! What nodes know of the rows they were trained on: how many, their weight, mean and impurity.
//!
//! Those of a split follow from its children, but for the last bits: only these are kept.

use spinney_forest::{Node, RandomForest, Split, Tree};

use super::{
    bincode::{end, get, invalid, put},
    dictionary::Dictionary,
    forest::{ForestSection, TreePlace},
    narrow::Narrow,
    residuals::{Escapes, Residuals, firm},
};
use crate::Result;

#[derive(Debug)]
pub(crate) struct Statistics {
    leaf_samples: Narrow,
    leaf_weight: Dictionary,
    leaf_impurity: Dictionary,
    /// Rows of each split, if they are not the sum of its children's.
    split_samples: Vec<u32>,
    split_weight: Residuals,
    split_value: Residuals,
    split_impurity: Residuals,
}

/// What is expected of a split: weight, value and impurity.
fn expected(left: &Node, right: &Node) -> [f64; 3] {
    let (left_weight, right_weight) = (left.weighted_n_node_samples, right.weighted_n_node_samples);
    let weight = left_weight + right_weight;
    let value = (left.value * left_weight + right.value * right_weight) / weight;
    let within = (left.impurity * left_weight + right.impurity * right_weight) / weight;
    let apart = left.value - right.value;
    let between = (left_weight / weight) * (right_weight / weight) * (apart * apart);
    [weight, value, within + between]
}

impl Statistics {
    pub(crate) fn new(forest: &RandomForest) -> Self {
        let nodes = || forest.trees().iter().flat_map(|tree| tree.nodes());
        let leaves = || nodes().filter(|node| node.split.is_none());
        let leaf_values = |field: fn(&Node) -> f64| leaves().map(field).collect::<Vec<f64>>();
        let splits: Vec<(&Node, [&Node; 2])> = forest.trees().iter().flat_map(splits).collect();
        let from_children: Vec<[f64; 3]> =
            splits.iter().map(|(_, [left, right])| expected(left, right)).collect();
        let residuals = |field: fn(&Node) -> f64, i: usize| {
            let values: Vec<f64> = splits.iter().map(|(node, _)| field(node)).collect();
            let expected: Vec<f64> = from_children.iter().map(|expected| expected[i]).collect();
            Residuals::new(&values, &expected)
        };
        let sums = |(node, [left, right]): &(&Node, [&Node; 2])| {
            left.n_node_samples.checked_add(right.n_node_samples) == Some(node.n_node_samples)
        };
        let all_are_sums = splits.iter().all(sums);
        let samples = || splits.iter().map(|(node, _)| node.n_node_samples);
        Self {
            leaf_samples: Narrow::new(
                &leaves().map(|node| node.n_node_samples).collect::<Vec<u32>>(),
            ),
            leaf_weight: Dictionary::new(&leaf_values(|node| node.weighted_n_node_samples)),
            leaf_impurity: Dictionary::new(&leaf_values(|node| node.impurity)),
            split_samples: if all_are_sums { Vec::new() } else { samples().collect() },
            split_weight: residuals(|node| node.weighted_n_node_samples, 0),
            split_value: residuals(|node| node.value, 1),
            split_impurity: residuals(|node| node.impurity, 2),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.leaf_samples.write(&mut bytes)?;
        self.leaf_weight.write(&mut bytes)?;
        self.leaf_impurity.write(&mut bytes)?;
        put(&mut bytes, &self.split_samples)?;
        self.split_weight.write(&mut bytes)?;
        self.split_value.write(&mut bytes)?;
        self.split_impurity.write(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn from_bytes(mut bytes: &[u8], forest: &ForestSection) -> Result<Self> {
        let bytes = &mut bytes;
        let (n_leaves, n_splits) = (forest.n_leaves(), forest.n_splits());
        let statistics = Self {
            leaf_samples: Narrow::read(bytes, n_leaves, usize::MAX)?,
            leaf_weight: Dictionary::read(bytes, n_leaves)?,
            leaf_impurity: Dictionary::read(bytes, n_leaves)?,
            split_samples: get(bytes)?,
            split_weight: Residuals::read(bytes, n_splits)?,
            split_value: Residuals::read(bytes, n_splits)?,
            split_impurity: Residuals::read(bytes, n_splits)?,
        };
        end(bytes)?;
        if !(statistics.split_samples.is_empty() || statistics.split_samples.len() == n_splits) {
            return Err(invalid("not every split has its number of rows"));
        }
        Ok(statistics)
    }

    /// Where the distances of each tree begin, for weight, value and impurity.
    pub(super) fn places(&self, trees: &[TreePlace]) -> Vec<[Escapes; 3]> {
        let fields = [&self.split_weight, &self.split_value, &self.split_impurity];
        let mut escapes = [Escapes::default(); 3];
        let place = |tree: &TreePlace| {
            let start = escapes;
            for (escapes, field) in escapes.iter_mut().zip(fields) {
                escapes.pass(field, tree.first_split..tree.first_split + tree.n_splits());
            }
            start
        };
        trees.iter().map(place).collect()
    }

    /// Completes a leaf.
    #[inline]
    pub(super) fn complete_leaf(&self, leaf: usize, node: &mut Node) {
        node.n_node_samples = self.leaf_samples.get(leaf);
        node.weighted_n_node_samples = self.leaf_weight.get(leaf);
        node.impurity = self.leaf_impurity.get(leaf);
    }

    /// Completes the splits of a tree.
    pub(super) fn restore(&self, tree: TreePlace, escapes: [Escapes; 3], nodes: &mut [Node]) {
        let [mut weight_escapes, mut value_escapes, mut impurity_escapes] = escapes;
        let mut place = tree.first_split;
        for id in (0..nodes.len()).rev() {
            let Some(Split { left, right, .. }) = nodes[id].split else { continue };
            let (left, right) = (&nodes[left as usize], &nodes[right as usize]);
            let n_rows = match self.split_samples.get(place) {
                Some(&n_rows) => n_rows,
                None => left.n_node_samples.wrapping_add(right.n_node_samples),
            };
            let [weight, value, impurity] = expected(left, right);
            let node = &mut nodes[id];
            node.n_node_samples = n_rows;
            node.weighted_n_node_samples =
                self.split_weight.restore(place, weight, &mut weight_escapes);
            // Values are finite in every forest that was ever written.
            node.value = firm(self.split_value.restore(place, value, &mut value_escapes));
            node.impurity = self.split_impurity.restore(place, impurity, &mut impurity_escapes);
            place += 1;
        }
    }
}

/// The splits of a tree in the order in which they are restored, children first.
fn splits(tree: &Tree) -> impl Iterator<Item = (&Node, [&Node; 2])> {
    let nodes = tree.nodes();
    nodes.iter().rev().filter_map(|node| {
        let split = node.split?;
        Some((node, [split.left, split.right].map(|child| &nodes[child as usize])))
    })
}
