use super::real_targets::Term;

/// Weighted sums over the rows of a node: in the exact regime whole numbers, in multiples of the targets' unit; otherwise
/// rounded after each addition.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct NodeSums {
    /// Σ w·y
    pub(super) total: f64,
    /// Σ w·y²
    pub(super) squares: f64,
    /// Σ w
    pub(super) weight: f64,
}

impl NodeSums {
    pub(super) fn add(&mut self, term: &Term) {
        self.total += term.total;
        self.squares += term.squares;
        self.weight += term.weight;
    }

    pub(super) fn without(&self, part: &Self) -> Self {
        Self {
            total: self.total - part.total,
            squares: self.squares - part.squares,
            weight: self.weight - part.weight,
        }
    }

    pub(super) fn mean(&self) -> f64 {
        self.total / self.weight
    }

    /// The variance of the targets, as mean of squares minus square of mean.
    pub(super) fn impurity(&self) -> f64 {
        let mean = self.mean();
        self.squares / self.weight - mean * mean
    }
}
