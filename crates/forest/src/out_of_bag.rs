use ndarray::{Array1, ArrayView1, aview1};
use rayon::prelude::*;

use crate::{feature_columns::FeatureColumns, metrics::r2_of, tree::Tree};

/// Predictions for the training rows, each made only by the trees that did not see the row.
///
/// # References
///
/// Breiman (1996), *Out-of-bag estimation*.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfBag {
    prediction: Array1<f64>,
    r2: f64,
    rows_without_vote: Vec<usize>,
}

impl OutOfBag {
    /// `weights` gives, for the number of a tree, how often it saw each row.
    pub(crate) fn new(
        trees: &[Tree],
        x: &FeatureColumns,
        y: &[f64],
        weights: impl Fn(usize) -> Vec<f64> + Sync,
    ) -> Self {
        let votes_of = |(number, tree): (usize, &Tree)| -> Vec<(u32, f64)> {
            let mut row = vec![0.0; x.n_features()];
            let unseen =
                weights(number).into_iter().enumerate().filter(|(_, weight)| *weight <= 0.0);
            let vote = |(index, _)| {
                x.copy_row(index, &mut row);
                (index as u32, tree.predict_row(&row))
            };
            unseen.map(vote).collect()
        };
        let mut sums = vec![0.0; x.n_rows()];
        let mut n_votes = vec![0_u32; x.n_rows()];
        // A batch of trees at a time, added in tree order: the sums do not depend on the number of threads.
        for (batch, some) in trees.chunks(BATCH).enumerate() {
            let numbered = some.par_iter().enumerate().map(|(i, tree)| (batch * BATCH + i, tree));
            let votes: Vec<_> = numbered.map(votes_of).collect();
            for (row, value) in votes.into_iter().flatten() {
                sums[row as usize] += value;
                n_votes[row as usize] += 1;
            }
        }
        let averages = sums.iter().zip(&n_votes).map(|(sum, &n)| sum / f64::from(n.max(1)));
        let prediction: Array1<f64> = averages.collect();
        let without = n_votes.iter().enumerate().filter(|(_, n)| **n == 0);
        Self {
            r2: r2_of(aview1(y), prediction.view()),
            rows_without_vote: without.map(|(row, _)| row).collect(),
            prediction,
        }
    }

    /// One prediction for each training row, in their order.
    ///
    /// A row that every tree saw has no vote; as in scikit-learn it counts as 0.0 here and in [`r2`](Self::r2).
    /// [`rows_without_vote`](Self::rows_without_vote) lists them: with more than a few dozen trees there are none.
    #[must_use]
    pub fn prediction(&self) -> ArrayView1<'_, f64> {
        self.prediction.view()
    }

    /// R² of the predictions: scikit-learn's `oob_score_`. NaN for a single row.
    #[doc(alias = "oob_score")]
    #[must_use]
    pub fn r2(&self) -> f64 {
        self.r2
    }

    /// Training rows that every tree saw, ascending.
    #[must_use]
    pub fn rows_without_vote(&self) -> &[usize] {
        &self.rows_without_vote
    }
}

/// Trees whose votes are held at once.
const BATCH: usize = 16;
