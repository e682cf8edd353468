use super::{Tree, criterion::WeightedTargets};

/// Weighted sums over the rows of a node.
#[derive(Clone, Copy, Default)]
struct Sums {
    total: f64,
    squares: f64,
    weight: f64,
}

impl Tree {
    /// Keeps the splits and computes values and impurities from these targets: for a tree whose splits were found on rounded
    /// ones. `leaf_of_row` tells where each row ends that has a weight.
    pub(crate) fn with_targets(
        mut self,
        leaf_of_row: &[u32],
        targets: WeightedTargets<'_>,
    ) -> Self {
        let mut sums = vec![Sums::default(); self.nodes.len()];
        for ((&y, &weight), &leaf) in targets.y.iter().zip(targets.weight).zip(leaf_of_row) {
            if weight > 0.0 {
                let leaf = &mut sums[leaf as usize];
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
