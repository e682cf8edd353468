//! The forest as one node.

use prost::bytes::Bytes;
use spinney_forest::{Node, RandomForest};

use super::{
    attribute, cannot_express,
    graph::{Graph, ML_DOMAIN},
    proto::AttributeProto,
};
use crate::Result;

/// Adds the forest, and returns the name of its predictions.
pub(super) fn add(graph: &mut Graph, forest: &RandomForest, features: &str) -> Result<String> {
    let leaves = forest.trees().iter().flat_map(|tree| tree.nodes()).filter(|node| is_leaf(node));
    if leaves.map(|leaf| leaf.value).any(|value| value.abs() > f64::from(f32::MAX)) {
        return Err(cannot_express("the forest", "it predicts numbers beyond single precision"));
    }
    let attributes = attributes(forest);
    Ok(graph.node_with("TreeEnsembleRegressor", ML_DOMAIN, &[features], "forest", attributes))
}

/// All nodes of all trees, field by field. Thresholds and predictions are doubles, so neither is rounded.
fn attributes(forest: &RandomForest) -> Vec<AttributeProto> {
    let nodes = || {
        let trees = (0_i64..).zip(forest.trees());
        trees.flat_map(|(tree, nodes)| {
            (0_i64..).zip(nodes.nodes()).map(move |(number, node)| (tree, number, node))
        })
    };
    let leaves = || nodes().filter(|(_, _, node)| is_leaf(node));
    let split = |of: fn(spinney_forest::Split) -> i64| {
        nodes().map(move |(_, _, node)| node.split.map_or(0, of))
    };
    vec![
        attribute::int("n_targets", 1),
        attribute::string("aggregate_function", "AVERAGE"),
        attribute::string("post_transform", "NONE"),
        attribute::ints("nodes_treeids", nodes().map(|(tree, _, _)| tree)),
        attribute::ints("nodes_nodeids", nodes().map(|(_, number, _)| number)),
        attribute::strings("nodes_modes", nodes().map(|(_, _, node)| mode(node))),
        attribute::ints("nodes_featureids", split(|split| i64::from(split.feature))),
        attribute::doubles(
            "nodes_values_as_tensor",
            nodes().map(|(_, _, node)| node.split.map_or(0.0, |split| split.threshold)),
        ),
        attribute::ints("nodes_truenodeids", split(|split| i64::from(split.left))),
        attribute::ints("nodes_falsenodeids", split(|split| i64::from(split.right))),
        attribute::ints(
            "nodes_missing_value_tracks_true",
            split(|split| i64::from(split.missing_go_to_left)),
        ),
        attribute::ints("target_treeids", leaves().map(|(tree, _, _)| tree)),
        attribute::ints("target_nodeids", leaves().map(|(_, number, _)| number)),
        attribute::ints("target_ids", leaves().map(|_| 0)),
        attribute::doubles("target_weights_as_tensor", leaves().map(|(_, _, leaf)| leaf.value)),
    ]
}

fn is_leaf(node: &Node) -> bool {
    node.split.is_none()
}

fn mode(node: &Node) -> Bytes {
    Bytes::from_static(if is_leaf(node) { b"LEAF" } else { b"BRANCH_LEQ" })
}
