//! Decisions that rounding makes: sums added in scikit-learn's order.
//!
//! scikit-learn sorts a node's rows by each feature that it draws, one after the other, and never puts them back. The order
//! decides the last bits of all sums, and those decide between splits that are equal but for rounding. Sorting by a column
//! without ties leaves one order only, so sorts need to be repeated from the last such column on.

use std::ops::Range;

use super::{
    contest::{Turn, score},
    node_sums::NodeSums,
    nodes::Halves,
    real_targets::Term,
};

/// The rows of a node on their way through scikit-learn's sorts.
pub(super) trait Rows {
    /// Whether sorting by a feature leaves the same order whatever it was before.
    fn has_one_order(&mut self, feature: u32) -> bool;

    /// Takes that order.
    fn take_order(&mut self, feature: u32);

    /// Sorts by a feature as scikit-learn does, missing rows last.
    fn sort(&mut self, feature: u32);

    /// Moves missing rows to the front, which scikit-learn does after trying them on the right.
    fn rotate_missing(&mut self, feature: u32);

    /// Reports the score of each boundary up to `last`, by the number of rows left of it.
    fn scores(&mut self, feature: u32, missing_left: bool, last: u32, found: impl FnMut(u32, f64));
}

/// Repeats a node's sorts as far as they matter and returns which of the contenders wins. Contenders come in order of their
/// turns; the rows are left in their last order.
///
/// The features that rows are sorted by come last first, and a turn's `draw` counts them from the end.
pub(super) fn replay(
    rows: &mut impl Rows,
    last_first: &[u32],
    contenders: &[Turn],
) -> Option<usize> {
    // One contender needs no score.
    if contenders.len() < 2 {
        advance(rows, last_first);
        return contenders.first().map(|_| 0);
    }
    let mut best = (f64::NEG_INFINITY, 0);
    let (mut left, mut n_scored) = (last_first, 0);
    while n_scored < contenders.len() {
        let draw = contenders[n_scored].draw;
        let n_turns = contenders[n_scored..].iter().take_while(|turn| turn.draw == draw).count();
        let (later, sorts) = left.split_at(last_first.len() - 1 - draw as usize);
        let feature = sorts[0];
        left = later;
        if rows.has_one_order(feature) {
            rows.take_order(feature);
        } else {
            advance(rows, &sorts[1..]);
            rows.sort(feature);
        }
        let mut turns = contenders[n_scored..][..n_turns].iter().enumerate().peekable();
        for missing_left in [false, true] {
            let in_pass = turns.clone().take_while(|(_, turn)| turn.missing_left == missing_left);
            if let Some((_, last)) = in_pass.last() {
                rows.scores(feature, missing_left, last.n_left, |n_left, score| {
                    if let Some((i, _)) = turns.next_if(|(_, turn)| turn.n_left == n_left)
                        && score > best.0
                    {
                        best = (score, n_scored + i);
                    }
                });
            }
            if !missing_left {
                rows.rotate_missing(feature);
            }
        }
        n_scored += n_turns;
    }
    advance(rows, left);
    Some(best.1)
}

/// Sorts, from the last feature on that leaves one order only.
fn advance(rows: &mut impl Rows, last_first: &[u32]) {
    let start = last_first.iter().position(|&feature| rows.has_one_order(feature));
    if let Some(start) = start {
        rows.take_order(last_first[start]);
    }
    for &feature in last_first[..start.unwrap_or(last_first.len())].iter().rev() {
        rows.sort(feature);
        rows.rotate_missing(feature);
    }
}

/// Reports the scores of boundaries up to `last`, for rows in order.
///
/// From one boundary to the next rows are added or, if that is fewer, the other rows taken away from the node's sums.
/// Boundaries that `allowed` leaves out do not count.
pub(super) fn scores_in_order(
    node: &NodeSums,
    terms: &[Term],
    boundaries: impl Iterator<Item = usize>,
    allowed: &Range<u32>,
    last: u32,
    mut found: impl FnMut(u32, f64),
) {
    let n_rows = terms.len();
    let (mut at, mut sum, mut weight) = (0, 0.0, 0.0);
    let boundaries = boundaries.filter(|&n_left| allowed.contains(&(n_left as u32)));
    for n_left in boundaries.take_while(|&n_left| n_left <= last as usize) {
        if n_left - at <= n_rows - n_left {
            for term in &terms[at..n_left] {
                sum += term.total;
                weight += term.weight;
            }
        } else {
            (sum, weight) = from_behind(node, terms[n_left..].iter().copied());
        }
        at = n_left;
        found(n_left as u32, score(node.total, node.weight, sum, weight));
    }
}

fn from_behind(node: &NodeSums, right: impl DoubleEndedIterator<Item = Term>) -> (f64, f64) {
    right.rev().fold((node.total, node.weight), |(sum, weight), term| {
        (sum - term.total, weight - term.weight)
    })
}

/// The sums over both sides of a split, for the terms of rows in their last order.
pub(super) fn halves_in_order(
    node: &NodeSums,
    left_terms: impl Iterator<Item = Term>,
    right_terms: impl ExactSizeIterator<Item = Term> + DoubleEndedIterator + Clone,
    n_left: usize,
) -> Halves {
    let (mut left, mut right) = (NodeSums::default(), NodeSums::default());
    left_terms.for_each(|term| left.add(&term));
    right_terms.clone().for_each(|term| right.add(&term));
    let mut boundary = left;
    if n_left > right_terms.len() {
        (boundary.total, boundary.weight) = from_behind(node, right_terms);
    }
    Halves { boundary, left, right }
}
