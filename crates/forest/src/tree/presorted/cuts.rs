//! The boundaries between few rows, as the sets of rows on their left.

use std::ops::Range;

use super::{
    contest::Turn,
    draw::{Drawn, FeatureOrder},
    row_sets::{MAX_ROWS, RowSets, Set, bits},
};

/// The boundaries of a node's candidates: first those of features with many values, then one of each feature with two.
#[derive(Debug)]
pub(super) struct Cuts {
    n_cuts: usize,
    lefts: Vec<Set>,
    /// Candidates, as they were drawn, and their features.
    many_valued: Vec<(u32, u32)>,
    n_many_valued: usize,
    /// Where the cuts of each of these end: those with missing rows on the right, then those with them on the left.
    ends: Vec<usize>,
    two_valued: Vec<(u32, u32)>,
    n_two_valued: usize,
}

impl Cuts {
    pub(super) fn new(n_places: usize) -> Self {
        Self {
            n_cuts: 0,
            lefts: vec![0; n_places * 2 * MAX_ROWS + 1],
            many_valued: vec![(0, 0); n_places + 1],
            n_many_valued: 0,
            ends: Vec::with_capacity(2 * n_places),
            two_valued: vec![(0, 0); n_places + 1],
            n_two_valued: 0,
        }
    }

    /// Lists the boundaries of all candidates. Ties list a boundary twice, which does no harm.
    pub(super) fn list(&mut self, sets: &RowSets, set: Set, order: &FeatureOrder, drawn: Drawn) {
        let (many_valued, two_valued) = (&mut self.many_valued[..], &mut self.two_valued[..]);
        (self.n_many_valued, self.n_two_valued) = (0, 0);
        for (draw, feature) in (0..).zip(order.candidates(drawn)) {
            many_valued[self.n_many_valued] = (draw, feature);
            two_valued[self.n_two_valued] = (draw, feature);
            let has_two = usize::from(sets.has_two_values(feature));
            self.n_two_valued += has_two;
            self.n_many_valued += 1 - has_two;
        }
        let (mut rows, mut n_rows) = ([0; MAX_ROWS], 0);
        for bit in bits(set) {
            rows[n_rows] = bit * sets.stride;
            n_rows += 1;
        }
        let rows = &rows[..n_rows];
        let (not_above, lefts) = (&sets.not_above[..], &mut self.lefts[..]);
        self.ends.clear();
        let mut n_cuts = 0;
        for &(_, feature) in &self.many_valued[..self.n_many_valued] {
            let feature = feature as usize;
            for row in rows {
                let left = not_above[row + feature] & set;
                lefts[n_cuts] = left;
                n_cuts += usize::from(left != set);
            }
            self.ends.push(n_cuts);
            let missing = sets.missing(feature, set);
            if missing != 0 {
                for row in rows {
                    // All present with all missing is the whole set.
                    let left = not_above[row + feature] & set | missing;
                    lefts[n_cuts] = left;
                    n_cuts += usize::from(left != set);
                }
            }
            self.ends.push(n_cuts);
        }
        for &(_, feature) in &self.two_valued[..self.n_two_valued] {
            lefts[n_cuts] = sets.lower(feature) & set;
            n_cuts += 1;
        }
        self.n_cuts = n_cuts;
    }

    /// Drops those with too few rows on a side.
    pub(super) fn drop_small_sides(&mut self, allowed: &Range<u32>) {
        let (mut kept, mut start) = (0, 0);
        let is_allowed = |left: Set| allowed.contains(&left.count_ones());
        for end in &mut self.ends {
            for i in start..*end {
                self.lefts[kept] = self.lefts[i];
                kept += usize::from(is_allowed(self.lefts[i]));
            }
            start = *end;
            *end = kept;
        }
        let mut n_two_valued = 0;
        for i in 0..self.n_two_valued {
            let left = self.lefts[start + i];
            self.lefts[kept] = left;
            self.two_valued[n_two_valued] = self.two_valued[i];
            kept += usize::from(is_allowed(left));
            n_two_valued += usize::from(is_allowed(left));
        }
        self.n_two_valued = n_two_valued;
        self.n_cuts = kept;
    }

    /// Rows on the left of each.
    pub(super) fn lefts(&self) -> &[Set] {
        &self.lefts[..self.n_cuts]
    }

    /// Where the reference path would meet a cut, and its feature.
    pub(super) fn turn(&self, cut: usize) -> (Turn, u32) {
        let n_left = self.lefts[cut].count_ones();
        let of_two = (cut + self.n_two_valued).checked_sub(self.n_cuts);
        let (missing_left, (draw, feature)) = match of_two {
            Some(place) => (false, self.two_valued[place]),
            None => {
                let pass = self.ends.partition_point(|&end| end <= cut);
                (pass % 2 == 1, self.many_valued[pass / 2])
            }
        };
        (Turn { draw, missing_left, n_left }, feature)
    }
}
