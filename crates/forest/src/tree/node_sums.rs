/// One training set seen from a tree: targets, and how often each row was drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightedTargets<'a> {
    pub(crate) y: &'a [f64],
    pub(crate) weight: &'a [f64],
}

/// Weighted sums over the rows of a node, added in row order and rounded after each addition.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct NodeSums {
    /// Σ w·y
    pub(crate) total: f64,
    /// Σ (w·y)·y
    pub(crate) squares: f64,
    /// Σ w
    pub(crate) weight: f64,
}

impl NodeSums {
    pub(crate) fn new(rows: &[u32], targets: WeightedTargets<'_>) -> Self {
        let mut sums = Self::default();
        for &row in rows {
            let (y, weight) = (targets.y[row as usize], targets.weight[row as usize]);
            sums.total += weight * y;
            sums.squares += weight * y * y;
            sums.weight += weight;
        }
        sums
    }

    pub(crate) fn mean(&self) -> f64 {
        self.total / self.weight
    }

    /// The variance of the targets, as mean of squares minus square of mean.
    pub(crate) fn impurity(&self) -> f64 {
        let mean = self.mean();
        self.squares / self.weight - mean * mean
    }
}

/// Sums left and right of a boundary that moves from the first row of a node to the last.
#[derive(Debug)]
pub(crate) struct SideSums<'a> {
    rows: &'a [u32],
    targets: WeightedTargets<'a>,
    node: NodeSums,
    position: usize,
    left_total: f64,
    left_weight: f64,
}

impl<'a> SideSums<'a> {
    pub(crate) fn new(rows: &'a [u32], targets: WeightedTargets<'a>, node: NodeSums) -> Self {
        Self { rows, targets, node, position: 0, left_total: 0.0, left_weight: 0.0 }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Moves the boundary up to `position`: rows before it are left.
    ///
    /// It adds from where it stands or takes away from the node's sums, whichever touches fewer rows. The choice shows in
    /// the last bits, so it has to be scikit-learn's.
    pub(crate) fn advance(&mut self, position: usize) {
        let end = self.rows.len();
        if position - self.position <= end - position {
            for &row in &self.rows[self.position..position] {
                let weight = self.targets.weight[row as usize];
                self.left_total += weight * self.targets.y[row as usize];
                self.left_weight += weight;
            }
        } else {
            self.left_total = self.node.total;
            self.left_weight = self.node.weight;
            for &row in self.rows[position..].iter().rev() {
                let weight = self.targets.weight[row as usize];
                self.left_total -= weight * self.targets.y[row as usize];
                self.left_weight -= weight;
            }
        }
        self.position = position;
    }

    /// How good the boundary is: the impurity decrease, but for terms that are the same for all boundaries of a node.
    pub(crate) fn score(&self) -> f64 {
        let right_total = self.node.total - self.left_total;
        let right_weight = self.node.weight - self.left_weight;
        self.left_total * self.left_total / self.left_weight
            + right_total * right_total / right_weight
    }

    /// Sums of both sides.
    pub(crate) fn children(&self) -> (NodeSums, NodeSums) {
        let mut squares = 0.0;
        for &row in &self.rows[..self.position] {
            let (y, weight) = (self.targets.y[row as usize], self.targets.weight[row as usize]);
            squares += weight * y * y;
        }
        let left = NodeSums { total: self.left_total, squares, weight: self.left_weight };
        let right = NodeSums {
            total: self.node.total - self.left_total,
            squares: self.node.squares - squares,
            weight: self.node.weight - self.left_weight,
        };
        (left, right)
    }
}
