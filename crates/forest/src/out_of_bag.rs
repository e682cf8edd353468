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

/// What a tree says of the training rows that it did not see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Votes {
    /// Ascending.
    pub(crate) rows: Vec<u32>,
    /// As many as rows.
    pub(crate) values: Vec<f64>,
}

impl Votes {
    /// `weight` says how often the tree saw each row.
    pub(crate) fn of(tree: &Tree, x: &FeatureColumns, weight: &[f64]) -> Self {
        let mut row = vec![0.0; x.n_features()];
        let unseen = weight.iter().enumerate().filter(|(_, weight)| **weight <= 0.0);
        let vote = |(index, _)| {
            x.copy_row(index, &mut row);
            (index as u32, tree.predict_row(&row))
        };
        let (rows, values) = unseen.map(vote).unzip();
        Self { rows, values }
    }
}

/// Votes, counted one tree after the other: in another order, sums would be rounded otherwise.
pub(crate) struct Tally {
    sums: Vec<f64>,
    n_votes: Vec<u32>,
}

impl Tally {
    pub(crate) fn new(n_rows: usize) -> Self {
        Self { sums: vec![0.0; n_rows], n_votes: vec![0; n_rows] }
    }

    pub(crate) fn count(&mut self, votes: &Votes) {
        for (&row, value) in votes.rows.iter().zip(&votes.values) {
            self.sums[row as usize] += value;
            self.n_votes[row as usize] += 1;
        }
    }

    pub(crate) fn finish(self, y: &[f64]) -> OutOfBag {
        let counted = self.sums.iter().zip(&self.n_votes);
        let prediction: Array1<f64> = counted.map(|(sum, &n)| sum / f64::from(n.max(1))).collect();
        let without = self.n_votes.iter().enumerate().filter(|(_, n)| **n == 0);
        OutOfBag {
            r2: r2_of(aview1(y), prediction.view()),
            rows_without_vote: without.map(|(row, _)| row).collect(),
            prediction,
        }
    }
}

impl OutOfBag {
    /// `weights` gives, for the number of a tree, how often it saw each row.
    pub(crate) fn new(
        trees: &[Tree],
        x: &FeatureColumns,
        y: &[f64],
        weights: impl Fn(usize) -> Vec<f64> + Sync,
    ) -> Self {
        let mut tally = Tally::new(x.n_rows());
        // A batch of trees at a time, counted in tree order: the sums do not depend on the number of threads.
        for (batch, some) in trees.chunks(BATCH).enumerate() {
            let numbered = some.par_iter().enumerate().map(|(i, tree)| (batch * BATCH + i, tree));
            let votes: Vec<_> =
                numbered.map(|(number, tree)| Votes::of(tree, x, &weights(number))).collect();
            votes.iter().for_each(|votes| tally.count(votes));
        }
        tally.finish(y)
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
