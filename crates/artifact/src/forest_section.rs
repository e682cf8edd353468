//! A forest as bincode: one sequence for each field of a node, over all trees.

use spinney_forest::{Node, RandomForest, Split, Tree};
use wincode::{SchemaReadOwned, SchemaWrite, config::Configuration};

use crate::{Error, Result};

/// The default encoding of bincode 1. Its bound on one sequence is lifted: sequences are read from a slice, and wincode
/// checks a claimed length against what the slice holds before it allocates.
type Bincode = Configuration<true, { usize::MAX }>;

const BINCODE: Bincode = Configuration::default().disable_preallocation_size_limit();

/// Child number of a leaf.
const NO_CHILD: u32 = u32::MAX;

/// All nodes of all trees, field by field, in the order in which they are written.
#[derive(Default)]
struct NodeColumns {
    n_features: u64,
    node_counts: Vec<u32>,
    left: Vec<u32>,
    right: Vec<u32>,
    feature: Vec<u32>,
    missing_go_to_left: Vec<bool>,
    threshold: Vec<f64>,
    value: Vec<f64>,
    impurity: Vec<f64>,
    n_node_samples: Vec<u32>,
    weighted_n_node_samples: Vec<f64>,
}

pub(crate) fn encode(forest: &RandomForest) -> Result<Vec<u8>> {
    let mut columns = NodeColumns { n_features: forest.n_features() as u64, ..Default::default() };
    for tree in forest.trees() {
        columns.node_counts.push(tree.nodes().len() as u32);
        tree.nodes().iter().for_each(|node| columns.push(node));
    }
    let mut bytes = Vec::new();
    put(&mut bytes, &columns.n_features)?;
    put(&mut bytes, &columns.node_counts)?;
    put(&mut bytes, &columns.left)?;
    put(&mut bytes, &columns.right)?;
    put(&mut bytes, &columns.feature)?;
    put(&mut bytes, &columns.missing_go_to_left)?;
    put(&mut bytes, &columns.threshold)?;
    put(&mut bytes, &columns.value)?;
    put(&mut bytes, &columns.impurity)?;
    put(&mut bytes, &columns.n_node_samples)?;
    put(&mut bytes, &columns.weighted_n_node_samples)?;
    Ok(bytes)
}

pub(crate) fn decode(mut bytes: &[u8]) -> Result<RandomForest> {
    let columns = NodeColumns {
        n_features: get(&mut bytes)?,
        node_counts: get(&mut bytes)?,
        left: get(&mut bytes)?,
        right: get(&mut bytes)?,
        feature: get(&mut bytes)?,
        missing_go_to_left: get(&mut bytes)?,
        threshold: get(&mut bytes)?,
        value: get(&mut bytes)?,
        impurity: get(&mut bytes)?,
        n_node_samples: get(&mut bytes)?,
        weighted_n_node_samples: get(&mut bytes)?,
    };
    if !bytes.is_empty() {
        return Err(invalid("bytes follow the last field"));
    }
    columns.into_forest()
}

impl NodeColumns {
    fn push(&mut self, node: &Node) {
        let split = node.split.unwrap_or(Split {
            feature: 0,
            threshold: 0.0,
            missing_go_to_left: false,
            left: NO_CHILD,
            right: NO_CHILD,
        });
        self.left.push(split.left);
        self.right.push(split.right);
        self.feature.push(split.feature);
        self.missing_go_to_left.push(split.missing_go_to_left);
        self.threshold.push(split.threshold);
        self.value.push(node.value);
        self.impurity.push(node.impurity);
        self.n_node_samples.push(node.n_node_samples);
        self.weighted_n_node_samples.push(node.weighted_n_node_samples);
    }

    fn node(&self, i: usize) -> Option<Node> {
        let split = Split {
            left: *self.left.get(i)?,
            right: *self.right.get(i)?,
            feature: *self.feature.get(i)?,
            missing_go_to_left: *self.missing_go_to_left.get(i)?,
            threshold: *self.threshold.get(i)?,
        };
        Some(Node {
            split: (split.left != NO_CHILD).then_some(split),
            value: *self.value.get(i)?,
            impurity: *self.impurity.get(i)?,
            n_node_samples: *self.n_node_samples.get(i)?,
            weighted_n_node_samples: *self.weighted_n_node_samples.get(i)?,
        })
    }

    fn into_forest(self) -> Result<RandomForest> {
        let n_features =
            usize::try_from(self.n_features).map_err(|_| invalid("too many features"))?;
        let mut trees = Vec::with_capacity(self.node_counts.len());
        let mut start = 0_usize;
        for &count in &self.node_counts {
            let end = start + count as usize;
            // A count beyond the nodes ends here at the first node that is missing.
            let nodes: Option<Vec<Node>> = (start..end).map(|i| self.node(i)).collect();
            let nodes = nodes.ok_or_else(|| invalid("fewer nodes than the trees claim"))?;
            trees.push(Tree::from_nodes(nodes, n_features)?);
            start = end;
        }
        let lengths = [
            self.left.len(),
            self.right.len(),
            self.feature.len(),
            self.missing_go_to_left.len(),
            self.threshold.len(),
            self.value.len(),
            self.impurity.len(),
            self.n_node_samples.len(),
            self.weighted_n_node_samples.len(),
        ];
        if lengths.iter().any(|&len| len != start) {
            return Err(invalid("more nodes than the trees claim"));
        }
        Ok(RandomForest::from_trees(trees, n_features)?)
    }
}

fn put<T: SchemaWrite<Bincode, Src = T>>(bytes: &mut Vec<u8>, value: &T) -> Result<()> {
    wincode::config::serialize_into(bytes, value, BINCODE)
        .map_err(|error| invalid(&error.to_string()))
}

fn get<T: SchemaReadOwned<Bincode, Dst = T>>(bytes: &mut &[u8]) -> Result<T> {
    wincode::config::deserialize_from(bytes, BINCODE).map_err(|error| invalid(&error.to_string()))
}

fn invalid(problem: &str) -> Error {
    Error::ForestSection { problem: problem.to_owned() }
}
