use crate::RandomForest;

use super::thresholds::round_down;

/// A forest of any size: nodes with full numbers, and rows as they are.
#[derive(Debug)]
pub(super) struct General {
    /// All trees, one after the other.
    nodes: Vec<GeneralNode>,
    /// Where each tree begins.
    starts: Vec<usize>,
}

/// Children are numbered from the start of their tree.
#[derive(Debug, Clone, Copy)]
enum GeneralNode {
    Split { feature: u32, threshold: f32, missing_go_to_left: bool, left: u32, right: u32 },
    Leaf(f64),
}

impl General {
    pub(super) fn new(forest: &RandomForest) -> Self {
        let n_nodes = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
        let mut nodes = Vec::with_capacity(n_nodes);
        let mut starts = Vec::with_capacity(forest.trees().len());
        for tree in forest.trees() {
            starts.push(nodes.len());
            nodes.extend(tree.nodes().iter().map(|node| match node.split {
                None => GeneralNode::Leaf(node.value),
                Some(split) => GeneralNode::Split {
                    feature: split.feature,
                    threshold: round_down(split.threshold),
                    missing_go_to_left: split.missing_go_to_left,
                    left: split.left,
                    right: split.right,
                },
            }));
        }
        Self { nodes, starts }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(self.nodes.as_slice()) + size_of_val(self.starts.as_slice())
    }

    /// Sums the trees' values for a row.
    pub(super) fn sum_row(&self, row: &[f32]) -> f64 {
        self.starts.iter().fold(0.0, |sum, &start| sum + value(&self.nodes[start..], row))
    }

    /// Sums the trees' values for each of `rows`, a tree at a time so that it stays in the cache.
    pub(super) fn sum_rows<'a>(
        &self,
        rows: &(impl Iterator<Item = &'a [f32]> + Clone),
        sums: &mut [f64],
    ) {
        sums.fill(0.0);
        for &start in &self.starts {
            let tree = &self.nodes[start..];
            for (sum, row) in sums.iter_mut().zip(rows.clone()) {
                *sum += value(tree, row);
            }
        }
    }
}

fn value(tree: &[GeneralNode], row: &[f32]) -> f64 {
    let mut node = tree[0];
    loop {
        match node {
            GeneralNode::Leaf(value) => return value,
            GeneralNode::Split { feature, threshold, missing_go_to_left, left, right } => {
                let x = row[feature as usize];
                let goes_left = x <= threshold || (x.is_nan() && missing_go_to_left);
                node = tree[if goes_left { left } else { right } as usize];
            }
        }
    }
}
