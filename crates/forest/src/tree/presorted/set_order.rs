//! The order of rows in [sets](super::row_sets).
//!
//! Up to [`INSERTION_LENGTH`] rows scikit-learn's sort keeps the order of equal values. A row is then behind those that are below
//! it, and behind those that are not above it and that it was behind before: two operations on sets.

use std::ops::Range;

use super::{
    contest::Turn,
    in_order::{Rows, halves_in_order, replay, scores_in_order},
    node_sums::NodeSums,
    nodes::Halves,
    real_targets::Term,
    row_sets::{MAX_ROWS, RowSets, Set, bits},
};
#[cfg(doc)]
use crate::tree::sort::INSERTION_LENGTH;
use crate::tree::sort::partition;

/// The rows of a set, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct SetOrder {
    rows: [u8; MAX_ROWS],
    n_rows: u8,
}

impl SetOrder {
    /// The order of the bits.
    pub(super) fn ascending(n_rows: usize) -> Self {
        Self { rows: std::array::from_fn(|bit| bit as u8), n_rows: n_rows as u8 }
    }

    fn rows(&self) -> &[u8] {
        &self.rows[..usize::from(self.n_rows)]
    }

    /// Parts rows as scikit-learn does; adds both sides up and returns their order too.
    pub(super) fn part(
        mut self,
        left: Set,
        terms: &[Term; MAX_ROWS],
        node: &NodeSums,
    ) -> (Halves, [Self; 2]) {
        let n_rows = usize::from(self.n_rows);
        let n_left = partition(&mut self.rows[..n_rows], |bit| left >> bit & 1 == 1);
        let term = |bit: &u8| terms[usize::from(*bit)];
        let (left, right) = self.rows[..n_rows].split_at(n_left);
        let halves = halves_in_order(node, left.iter().map(term), right.iter().map(term), n_left);
        let mut right_side = Self { n_rows: right.len() as u8, ..self };
        right_side.rows[..right.len()].copy_from_slice(right);
        self.n_rows = n_left as u8;
        (halves, [self, right_side])
    }

    fn set_before(&self) -> [Set; MAX_ROWS] {
        let mut before = [0; MAX_ROWS];
        let mut passed = 0;
        for &bit in self.rows() {
            before[bit as usize] = passed;
            passed |= 1 << bit;
        }
        before
    }
}

/// Buffers for decisions between contenders.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    contenders: Vec<(Turn, Set)>,
    turns: Vec<Turn>,
}

impl InOrder {
    /// Decides between contenders and brings the rows into the order that scikit-learn's search leaves.
    pub(super) fn decide(
        &mut self,
        sets: &RowSets,
        (set, order): (Set, &mut SetOrder),
        sums: &NodeSums,
        allowed: Range<u32>,
        last_first: &[u32],
        contenders: impl Iterator<Item = (Turn, Set)>,
    ) -> Option<(Turn, Set)> {
        self.contenders.clear();
        self.contenders.extend(contenders);
        self.contenders.sort_unstable_by_key(|(turn, _)| turn.place());
        // Ties list boundaries twice.
        self.contenders.dedup_by_key(|(turn, _)| *turn);
        self.turns.clear();
        self.turns.extend(self.contenders.iter().map(|(turn, _)| *turn));
        let mut sorting = Sorting::new(sets, (set, order), sums, allowed);
        let winner = replay(&mut sorting, last_first, &self.turns);
        *order = sorting.order();
        winner.map(|winner| self.contenders[winner])
    }
}

struct Sorting<'a> {
    sets: &'a RowSets,
    set: Set,
    /// By row, those before it; rows out of the set do not count.
    before: [Set; MAX_ROWS],
    sums: &'a NodeSums,
    allowed: Range<u32>,
}

impl<'a> Sorting<'a> {
    fn new(
        sets: &'a RowSets,
        (set, order): (Set, &SetOrder),
        sums: &'a NodeSums,
        allowed: Range<u32>,
    ) -> Self {
        Self { sets, set, before: order.set_before(), sums, allowed }
    }

    fn not_above(&self, feature: u32, bit: usize) -> Set {
        self.sets.not_above[bit * self.sets.stride + feature as usize]
    }

    fn below(&self, feature: u32, bit: usize) -> Set {
        self.sets.below[bit * self.sets.stride + feature as usize]
    }

    fn order(&self) -> SetOrder {
        let mut rows = [0; MAX_ROWS];
        for bit in bits(self.set) {
            rows[(self.before[bit] & self.set).count_ones() as usize] = bit as u8;
        }
        SetOrder { rows, n_rows: self.set.count_ones() as u8 }
    }
}

impl Rows for Sorting<'_> {
    fn has_one_order(&mut self, feature: u32) -> bool {
        self.sets.missing(feature as usize, self.set) == 0
            && bits(self.set).all(|bit| {
                let tied = self.not_above(feature, bit) & !self.below(feature, bit);
                tied & self.set == 1 << bit
            })
    }

    fn take_order(&mut self, feature: u32) {
        for bit in bits(self.set) {
            self.before[bit] = self.below(feature, bit);
        }
    }

    fn sort(&mut self, feature: u32) {
        let missing = self.sets.missing(feature as usize, self.set);
        if missing != 0 {
            let mut order = self.order();
            let (mut front, mut back) = (0, usize::from(order.n_rows));
            let is_missing = |bit: u8| missing >> bit & 1 == 1;
            while front < back {
                if is_missing(order.rows[back - 1]) {
                    back -= 1;
                    continue;
                }
                if is_missing(order.rows[front]) {
                    order.rows.swap(front, back - 1);
                    back -= 1;
                }
                front += 1;
            }
            self.before = order.set_before();
        }
        for bit in bits(self.set) {
            self.before[bit] =
                self.below(feature, bit) | self.not_above(feature, bit) & self.before[bit];
        }
    }

    fn rotate_missing(&mut self, feature: u32) {
        let missing = self.sets.missing(feature as usize, self.set);
        if missing != 0 {
            for bit in bits(self.set) {
                if missing >> bit & 1 == 1 {
                    self.before[bit] &= missing;
                } else {
                    self.before[bit] |= missing;
                }
            }
        }
    }

    fn scores(&mut self, feature: u32, missing_left: bool, last: u32, found: impl FnMut(u32, f64)) {
        let order = self.order();
        let rows = order.rows();
        let mut terms = [Term::default(); MAX_ROWS];
        for (term, &bit) in terms.iter_mut().zip(rows) {
            *term = self.sets.terms[usize::from(bit)];
        }
        let missing = self.sets.missing(feature as usize, self.set);
        let start = if missing_left { missing.count_ones() as usize } else { 0 };
        let place = |place: usize| self.not_above(feature, usize::from(rows[place])) & self.set;
        let boundaries =
            (start + 1..rows.len()).filter(|&n_left| place(n_left) != place(n_left - 1));
        let terms = &terms[..rows.len()];
        scores_in_order(self.sums, terms, boundaries, &self.allowed, last, found);
    }
}

/// Brings the rows of a set into the order that scikit-learn's search leaves.
pub(super) fn replay_order(
    sets: &RowSets,
    (set, order): (Set, &mut SetOrder),
    sums: &NodeSums,
    last_first: &[u32],
) {
    let mut sorting = Sorting::new(sets, (set, order), sums, 0..0);
    replay(&mut sorting, last_first, &[]);
    *order = sorting.order();
}
