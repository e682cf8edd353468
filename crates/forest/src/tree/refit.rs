use super::{Tree, criterion::WeightedTargets};
use crate::feature_columns::FeatureColumns;

/// Weighted sums over the rows of a node.
#[derive(Clone, Copy, Default)]
struct Sums {
    total: f64,
    squares: f64,
    weight: f64,
}

impl Tree {
    /// Keeps the splits and computes values and impurities from these targets: for a tree whose splits were found on rounded
    /// ones.
    pub(crate) fn with_targets(mut self, x: &FeatureColumns, targets: WeightedTargets<'_>) -> Self {
        let mut sums = vec![Sums::default(); self.nodes.len()];
        let mut features = vec![0.0; x.n_features()];
        for (row, (&y, &weight)) in targets.y.iter().zip(targets.weight).enumerate() {
            if weight > 0.0 {
                x.copy_row(row, &mut features);
                let leaf = &mut sums[self.leaf_number(&features) as usize];
                leaf.total += weight * y;
                leaf.squares += weight * y * y;
                leaf.weight += weight;
            }
        }
        // Children come after their parents.
        for (id, node) in self.nodes.iter_mut().enumerate().rev() {
            if let Some(split) = node.split {
                let (left, right) = (sums[split.left as usize], sums[split.right as usize]);
                sums[id] = Sums {
                    total: left.total + right.total,
                    squares: left.squares + right.squares,
                    weight: left.weight + right.weight,
                };
            }
            let Sums { total, squares, weight } = sums[id];
            node.value = total / weight;
            // Not below zero, as a difference of rounded numbers can be.
            node.impurity = (squares / weight - node.value * node.value).max(0.0);
        }
        self
    }
}
