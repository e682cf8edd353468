//! Sets of so few [rows](super::row_sets) that it is quicker to score the ways to divide them than the boundaries of all
//! features.

use super::{
    contest::{gain, score},
    node_sums::NodeSums,
    nodes::Open,
    real_targets::{Term, margin},
    row_sets::{RowSets, Set, bits},
};

/// Up to this many rows.
pub(super) const FEW_ROWS: u32 = 4;
const MAX_WAYS: usize = (1 << (FEW_ROWS - 1)) - 1;

/// A set of few rows, none missing anywhere, with all ways to divide them in two.
pub(super) struct FewRows<'a> {
    sets: &'a RowSets,
    set: Set,
    /// Where each row's sets begin.
    rows: [usize; FEW_ROWS as usize],
    n_rows: usize,
}

/// How good a way is, and the side that the first row is on. Taken out when it is done with.
type Way = (f64, Set);

impl<'a> FewRows<'a> {
    pub(super) fn new(sets: &'a RowSets, set: Set) -> Self {
        let (mut rows, mut n_rows) = ([0; FEW_ROWS as usize], 0);
        for bit in bits(set) {
            rows[n_rows] = bit * sets.stride;
            n_rows += 1;
        }
        Self { sets, set, rows, n_rows }
    }

    /// All ways to divide the rows, by a rating of sum and weight of one side.
    fn ways(&self, rating: impl Fn(f64, f64) -> f64) -> ([Way; MAX_WAYS], usize) {
        let lowest = self.set & self.set.wrapping_neg();
        let others = self.set ^ lowest;
        let mut ways = [(f64::NEG_INFINITY, 0); MAX_WAYS];
        let mut n_ways = 0;
        let mut with_lowest = others;
        while with_lowest != 0 {
            with_lowest = (with_lowest - 1) & others;
            let side = lowest | with_lowest;
            let [sum, weight] = self.sets.sums_of(side);
            ways[n_ways] = (rating(sum, weight), side);
            n_ways += 1;
        }
        (ways, n_ways)
    }

    /// Rows on the left of a feature's boundaries; the whole set is among them.
    fn lefts(&self, feature: u32) -> impl Iterator<Item = Set> + Clone {
        let rows = self.rows[..self.n_rows].iter();
        rows.map(move |row| self.sets.not_above[row + feature as usize] & self.set)
    }

    /// Boundaries of a feature that divide the rows in one of these ways.
    fn lefts_among(&self, feature: u32, wanted: &[Set]) -> impl Iterator<Item = Set> {
        let is_wanted =
            |left: &Set| wanted.iter().any(|&side| (side == *left) | (side == self.set ^ *left));
        self.lefts(feature).filter(is_wanted)
    }

    /// The first candidate that divides the rows in the best way or, if there is none, in the next best.
    pub(super) fn best(
        &self,
        open: &Open,
        candidates: &(impl Iterator<Item = u32> + Clone),
    ) -> Option<(u32, Set)> {
        let (mut ways, n_ways) =
            self.ways(|sum, weight| score(open.whole, open.sums.weight, sum, weight));
        let ways = &mut ways[..n_ways];
        let mut wanted = [0; MAX_WAYS];
        loop {
            let best = ways.iter().fold(f64::NEG_INFINITY, |best, way| best.max(way.0));
            let n_wanted = take(ways, best, &mut wanted);
            if best == f64::NEG_INFINITY {
                return None;
            }
            for (draw, feature) in (0..).zip(candidates.clone()) {
                let lefts = self.lefts_among(feature, &wanted[..n_wanted]);
                if let Some(left) = lefts.min_by_key(|left| left.count_ones()) {
                    return Some((draw, left));
                }
            }
        }
    }

    /// Likewise if sums depend on the order of rows. A score is then one of few: with up to four rows it depends on the rows
    /// that are left of the boundary, and of the one before.
    pub(super) fn best_in_order(
        &self,
        open: &Open,
        candidates: &(impl Iterator<Item = u32> + Clone),
    ) -> Option<(u32, Set)> {
        let (weight, mean) = (open.sums.weight, open.whole / open.sums.weight);
        let margin = margin(open.n_rows, &open.sums, self.sets.unit);
        let (mut ways, n_ways) =
            self.ways(|left_sum, left_weight| gain(mean, weight, left_sum, left_weight));
        let ways = &mut ways[..n_ways];
        let mut wanted = [0; MAX_WAYS];
        loop {
            let best = ways.iter().fold(f64::NEG_INFINITY, |best, way| best.max(way.0));
            if best == f64::NEG_INFINITY {
                return None;
            }
            // The best way has to be there before others can be as good.
            let (_, side) = *ways.iter().find(|way| way.0 >= best)?;
            let is_there = |feature| self.lefts_among(feature, &[side]).next().is_some();
            if candidates.clone().any(is_there) {
                let n_wanted = take(ways, margin.floor(best, mean), &mut wanted);
                return self.best_among(&open.sums, candidates.clone(), &wanted[..n_wanted]);
            }
            ways.iter_mut().filter(|way| way.1 == side).for_each(|way| way.0 = f64::NEG_INFINITY);
        }
    }

    fn best_among(
        &self,
        node: &NodeSums,
        candidates: impl Iterator<Item = u32>,
        wanted: &[Set],
    ) -> Option<(u32, Set)> {
        let mut known: [(Set, Set, f64); 8] = [(0, 0, 0.0); 8];
        let mut n_known = 0;
        let mut best = (f64::NEG_INFINITY, None);
        for (draw, feature) in (0..).zip(candidates) {
            // The turns of one feature: few rows on the left first.
            let mut last: Set = 0;
            loop {
                let later = self
                    .lefts_among(feature, wanted)
                    .filter(|&left| left > last && left != self.set);
                let Some(left) = later.min() else { break };
                last = left;
                let before = self.lefts(feature).filter(|&other| other < left).max().unwrap_or(0);
                let place = known[..n_known].iter().position(|&(known_left, known_before, _)| {
                    (known_left, known_before) == (left, before)
                });
                let score = match place {
                    Some(place) => known[place].2,
                    None => {
                        let score = self.score(node, left, before);
                        if n_known < known.len() {
                            known[n_known] = (left, before, score);
                            n_known += 1;
                        }
                        score
                    }
                };
                if score > best.0 {
                    best = (score, Some((draw, left)));
                }
            }
        }
        best.1
    }

    /// The score of a boundary, by the rows left of it and of the one before; 0 if it is the first.
    fn score(&self, node: &NodeSums, left: Set, before: Set) -> f64 {
        let n_right = (self.set & !left).count_ones();
        let add = |(sum, weight): (f64, f64), bit: usize| {
            let term = &self.sets.terms[bit];
            (sum + term.total, weight + term.weight)
        };
        let (sum, weight) = if (left & !before).count_ones() <= n_right {
            // Up to two rows before the boundary before, in any order: a + b = b + a.
            let sums = bits(before).fold((0.0, 0.0), add);
            bits(left & !before).fold(sums, add)
        } else {
            bits(self.set & !left).fold((node.total, node.weight), |(sum, weight), bit| {
                let term = &self.sets.terms[bit];
                (sum - term.total, weight - term.weight)
            })
        };
        score(node.total, node.weight, sum, weight)
    }
}

/// Takes out the ways from `floor` on.
fn take(ways: &mut [Way], floor: f64, taken: &mut [Set; MAX_WAYS]) -> usize {
    let mut n_taken = 0;
    for (rating, side) in ways {
        if *rating >= floor {
            taken[n_taken] = *side;
            n_taken += 1;
            *rating = f64::NEG_INFINITY;
        }
    }
    n_taken
}

/// The winner among two rows if sums depend on their order: of the two ways to divide them the better one, if both come.
pub(super) fn best_of_two(
    sets: &RowSets,
    node: &NodeSums,
    set: Set,
    mut candidates: impl Iterator<Item = u32>,
) -> Option<(u32, Set)> {
    let first = left_of_two(sets, set, candidates.next()?);
    let score = |left: Set| {
        let Term { total, weight, .. } = sets.terms[left.trailing_zeros() as usize];
        score(node.total, node.weight, total, weight)
    };
    let second = set ^ first;
    if score(second) > score(first)
        && let Some(draw) = candidates.position(|feature| left_of_two(sets, set, feature) == second)
    {
        return Some((draw as u32 + 1, second));
    }
    Some((0, first))
}

/// Which one of two rows goes left. All features that are not constant divide them.
pub(super) fn left_of_two(sets: &RowSets, set: Set, feature: u32) -> Set {
    let first = set.trailing_zeros() as usize;
    let low = 1 << first;
    // The other row is not above the first, or it is.
    let not_above = sets.not_above[first * sets.stride + feature as usize] & set;
    if not_above == set { set ^ low } else { low }
}
