use super::{
    Sides,
    mean::{Loss, Mean},
    sums::BoundarySums,
};

/// The variance of the targets, as mean of squares minus square of mean.
pub(crate) type SquaredError<'a> = Mean<'a, Squares>;

/// The loss of [`SquaredError`].
#[derive(Debug)]
pub(crate) enum Squares {}

fn variance(squares: f64, total: f64, weight: f64) -> f64 {
    let mean = total / weight;
    squares / weight - mean * mean
}

impl Loss for Squares {
    fn impurity(sums: &BoundarySums<'_>, _: &[u32]) -> f64 {
        variance(sums.squares, sums.total(), sums.weight)
    }

    /// The right side's squares are what is left of the node's: summing them anew would round otherwise.
    fn side_impurities(sums: &BoundarySums<'_>, rows: &[u32]) -> Sides<f64> {
        let mut left_squares = 0.0;
        for &row in sums.split(rows).left {
            let (y, weight) = sums.row(row);
            left_squares += weight * y * y;
        }
        let (total, weight) = (sums.totals(), sums.weights());
        Sides {
            left: variance(left_squares, total.left, weight.left),
            right: variance(sums.squares - left_squares, total.right, weight.right),
        }
    }

    fn score(sums: &BoundarySums<'_>) -> f64 {
        let (total, weight) = (sums.totals(), sums.weights());
        total.left * total.left / weight.left + total.right * total.right / weight.right
    }
}
