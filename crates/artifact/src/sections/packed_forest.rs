//! A forest in the form that it has in a file.

use rayon::prelude::*;
use spinney_forest::{Node, RandomForest, Tree};

use super::{
    forest::{ForestSection, TreePlace},
    residuals::Escapes,
    statistics::Statistics,
};
use crate::{Error, Limits, Result};

/// Sections that were checked; nodes are restored when they are asked for. They take ten times the room.
#[derive(Debug)]
pub(crate) struct PackedForest {
    forest: ForestSection,
    statistics: Statistics,
    trees: Vec<(TreePlace, [Escapes; 3])>,
}

impl PackedForest {
    /// Reads both sections and checks every node.
    pub(crate) fn from_bytes(forest: &[u8], statistics: &[u8], limits: &Limits) -> Result<Self> {
        let forest = ForestSection::from_bytes(forest, limits)?;
        let statistics = Statistics::from_bytes(statistics, &forest)?;
        let places = forest.places();
        let escapes = statistics.places(&places);
        let trees = places.into_iter().zip(escapes).collect();
        let packed = Self { forest, statistics, trees };
        packed.trees.par_iter().try_for_each_init(Vec::new, |nodes, &place| {
            // One after the other in the same memory.
            packed.restore_tree(place, nodes)?;
            let tree = Tree::from_nodes(std::mem::take(nodes), packed.n_features())?;
            *nodes = tree.into_nodes();
            Ok::<(), Error>(())
        })?;
        Ok(packed)
    }

    pub(crate) fn n_features(&self) -> usize {
        self.forest.n_features
    }

    /// The forest with all its nodes.
    pub(crate) fn restore(&self) -> Result<RandomForest> {
        let restore = |&place| {
            let mut nodes = Vec::new();
            self.restore_tree(place, &mut nodes)?;
            Ok(nodes)
        };
        let trees = self.trees.par_iter().map(restore).collect::<Result<Vec<Vec<Node>>>>()?;
        Ok(RandomForest::from_nodes(trees, self.n_features())?)
    }

    fn restore_tree(
        &self,
        (tree, escapes): (TreePlace, [Escapes; 3]),
        nodes: &mut Vec<Node>,
    ) -> Result<()> {
        let complete = |leaf, node: &mut Node| self.statistics.complete_leaf(leaf, node);
        self.forest.restore(tree, nodes, complete)?;
        self.statistics.restore(tree, escapes, nodes)
    }
}

/// Both sections of a forest.
pub(crate) fn to_bytes(forest: &RandomForest) -> Result<[Vec<u8>; 2]> {
    Ok([ForestSection::new(forest).to_bytes()?, Statistics::new(forest).to_bytes()?])
}
