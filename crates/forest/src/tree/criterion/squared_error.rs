use super::{Criterion, Sides, WeightedTargets, sums::BoundarySums};

/// The variance of the targets, as mean of squares minus square of mean. Nodes predict the mean.
#[derive(Debug)]
pub(crate) struct SquaredError<'a> {
    sums: BoundarySums<'a>,
}

impl<'a> SquaredError<'a> {
    pub(crate) fn new(targets: WeightedTargets<'a>) -> Self {
        Self { sums: BoundarySums::new(targets) }
    }
}

fn variance(squares: f64, total: f64, weight: f64) -> f64 {
    let mean = total / weight;
    squares / weight - mean * mean
}

impl Criterion for SquaredError<'_> {
    fn begin(&mut self, rows: &[u32]) {
        self.sums.begin(rows);
    }

    fn reset(&mut self, _: &[u32]) {
        self.sums.reset();
    }

    fn advance(&mut self, rows: &[u32], position: usize) {
        self.sums.advance(rows, position);
    }

    fn weight(&self) -> f64 {
        self.sums.weight
    }

    fn side_weights(&self) -> Sides<f64> {
        self.sums.weights()
    }

    fn value(&self) -> f64 {
        self.sums.mean()
    }

    fn side_values(&self) -> Sides<f64> {
        self.sums.means()
    }

    fn middle_value(&self) -> f64 {
        self.sums.middle_value()
    }

    fn impurity(&self, _: &[u32]) -> f64 {
        variance(self.sums.squares, self.sums.total(), self.sums.weight)
    }

    /// The right side's squares are what is left of the node's: summing them anew would round otherwise.
    fn side_impurities(&self, rows: &[u32]) -> Sides<f64> {
        let mut left_squares = 0.0;
        for &row in self.sums.split(rows).left {
            let (y, weight) = self.sums.row(row);
            left_squares += weight * y * y;
        }
        let (total, weight) = (self.sums.totals(), self.sums.weights());
        Sides {
            left: variance(left_squares, total.left, weight.left),
            right: variance(self.sums.squares - left_squares, total.right, weight.right),
        }
    }

    fn score(&self, _: &[u32]) -> f64 {
        let (total, weight) = (self.sums.totals(), self.sums.weights());
        total.left * total.left / weight.left + total.right * total.right / weight.right
    }
}
