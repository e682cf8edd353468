//! A forest in the form that it has in a file.

use rayon::prelude::*;
use spinney_forest::{Node, RandomForest};

use super::{
    forest::{ForestSection, TreePlace},
    residuals::Escapes,
    statistics::Statistics,
};
use crate::{Limits, Result};

/// Sections that were checked; nodes are restored when they are asked for. They take ten times the room.
#[derive(Debug)]
pub(crate) struct PackedForest {
    forest: ForestSection,
    statistics: Statistics,
}

impl PackedForest {
    /// Reads both sections and checks that they are those of a forest.
    pub(crate) fn from_bytes(forest: &[u8], statistics: &[u8], limits: &Limits) -> Result<Self> {
        let forest = ForestSection::from_bytes(forest, limits)?;
        let statistics = Statistics::from_bytes(statistics, &forest)?;
        Ok(Self { forest, statistics })
    }

    pub(crate) fn n_features(&self) -> usize {
        self.forest.n_features
    }

    /// The forest with all its nodes.
    pub(crate) fn restore(&self) -> Result<RandomForest> {
        let places = self.forest.places();
        let escapes = self.statistics.places(&places);
        let complete = |leaf, node: &mut Node| self.statistics.complete_leaf(leaf, node);
        let restore = |(&tree, &escapes): (&TreePlace, &[Escapes; 3])| {
            let mut nodes = self.forest.restore(tree, complete);
            self.statistics.restore(tree, escapes, &mut nodes);
            nodes
        };
        let trees = places.par_iter().zip(&escapes).map(restore).collect();
        Ok(RandomForest::from_nodes(trees, self.n_features())?)
    }
}

/// Both sections of a forest.
pub(crate) fn to_bytes(forest: &RandomForest) -> Result<[Vec<u8>; 2]> {
    let (forest, statistics) = rayon::join(
        || ForestSection::new(forest).to_bytes(),
        || Statistics::new(forest).to_bytes(),
    );
    Ok([forest?, statistics?])
}
