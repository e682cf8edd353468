//! Columns with few values: sums by value, so that a large child is its parent minus the small one.

use std::ops::Range;

use super::{
    columns::Kind,
    contest::{Contest, Turn, midway},
    records::Records,
};

/// Slots in a group at most.
const MAX_SLOTS: usize = 1 << 16;
/// Groups that a two-valued column is tried in.
const MAX_TRIES: usize = 64;

/// Which slots each row counts in: one for each group.
///
/// A group is a column with few values, or a bundle of two-valued ones of which no row has more than one marked (the
/// indicators of one category are), with slot 0 for rows that have none marked.
#[derive(Debug)]
pub(super) struct Groups {
    n_rows: usize,
    /// Row-major after `finish`, by group before.
    slots: Vec<u16>,
    sizes: Vec<usize>,
    is_bundle: Vec<bool>,
    /// By group, its first slot in a node's bins.
    first: Vec<u32>,
    n_slots: usize,
}

/// A number for a slot until all groups are known: its group above, its place in the group below.
fn provisional(group: usize, slot: usize) -> usize {
    group * MAX_SLOTS + slot
}

impl Groups {
    pub(super) fn new(n_rows: usize) -> Self {
        Self {
            n_rows,
            slots: Vec::new(),
            sizes: Vec::new(),
            is_bundle: Vec::new(),
            first: Vec::new(),
            n_slots: 0,
        }
    }

    /// Adds a column with `n_values` values.
    pub(super) fn add(
        &mut self,
        n_values: usize,
        ranks: impl Iterator<Item = (u32, i32)>,
    ) -> usize {
        let group = self.sizes.len();
        let start = self.slots.len();
        self.slots.resize(start + self.n_rows, 0);
        for (row, rank) in ranks {
            self.slots[start + row as usize] = rank as u16;
        }
        self.sizes.push(n_values);
        self.is_bundle.push(false);
        provisional(group, 0)
    }

    /// Adds a two-valued column by its marked rows.
    pub(super) fn mark(&mut self, marked: impl Iterator<Item = (u32, i32)> + Clone) -> usize {
        let fits = |group: &usize| {
            self.is_bundle[*group] && self.sizes[*group] < MAX_SLOTS && {
                let slots = &self.slots[group * self.n_rows..][..self.n_rows];
                marked.clone().all(|(row, _)| slots[row as usize] == 0)
            }
        };
        let group = (0..self.sizes.len()).rev().take(MAX_TRIES).find(fits).unwrap_or_else(|| {
            self.slots.resize(self.slots.len() + self.n_rows, 0);
            self.sizes.push(1);
            self.is_bundle.push(true);
            self.sizes.len() - 1
        });
        let slot = self.sizes[group];
        self.sizes[group] += 1;
        for (row, _) in marked {
            self.slots[group * self.n_rows + row as usize] = slot as u16;
        }
        provisional(group, slot)
    }

    /// Numbers the slots and arranges them by row.
    pub(super) fn finish(&mut self, kinds: &mut [Kind]) {
        let n_groups = self.sizes.len();
        for size in &self.sizes {
            self.first.push(self.n_slots as u32);
            self.n_slots += size;
        }
        let mut by_row = vec![0; self.slots.len()];
        for group in 0..n_groups {
            let slots = &self.slots[group * self.n_rows..][..self.n_rows];
            for (row, &slot) in slots.iter().enumerate() {
                by_row[row * n_groups + group] = slot;
            }
        }
        self.slots = by_row;
        for kind in kinds {
            if let Kind::Marked { slot, .. } | Kind::Few { first_slot: slot, .. } = kind {
                *slot = self.first[*slot / MAX_SLOTS] as usize + *slot % MAX_SLOTS;
            }
        }
    }

    /// The bins of a node.
    pub(super) fn count(&self, rows: &[u32], records: &Records, bins: &mut Vec<Bin>) {
        bins.clear();
        bins.resize(self.n_slots, Bin::default());
        let n_groups = self.first.len();
        for &row in rows {
            let (sum, counts) = (records.sum(row), u64::from(records.weight(row)) | ONE_ROW);
            let slots = &self.slots[row as usize * n_groups..][..n_groups];
            for (&first, &slot) in self.first.iter().zip(slots) {
                let bin = &mut bins[first as usize + usize::from(slot)];
                bin.sum += sum;
                bin.counts += counts;
            }
        }
    }

    /// The ranks, by row, of a column that was [added](Self::add): by its first slot.
    pub(super) fn ranks(&self, first_slot: usize) -> impl Fn(u32) -> usize {
        let group = self.first.partition_point(|&first| first as usize <= first_slot) - 1;
        move |row| usize::from(self.slots[row as usize * self.first.len() + group])
    }

    pub(super) fn n_slots(&self) -> usize {
        self.n_slots
    }

    pub(super) fn n_groups(&self) -> usize {
        self.first.len()
    }
}

/// One row in [`Bin::counts`].
const ONE_ROW: u64 = 1 << 32;

/// Sums over the rows of a node that count in one slot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bin {
    sum: i64,
    /// Rows in the upper half, weight in the lower.
    counts: u64,
}

impl Bin {
    pub(super) fn n_rows(self) -> u32 {
        (self.counts >> 32) as u32
    }

    fn weight(self) -> f64 {
        f64::from(self.counts as u32)
    }
}

/// Takes the bins of one child from its parent's: the other child's are left.
pub(super) fn subtract(parent: &mut [Bin], child: &[Bin]) {
    for (bin, taken) in parent.iter_mut().zip(child) {
        bin.sum -= taken.sum;
        bin.counts -= taken.counts;
    }
}

/// A two-valued column in a node: one boundary.
pub(super) struct Marked {
    pub(super) bin: Bin,
    pub(super) below: f32,
    pub(super) above: f32,
    pub(super) marked_is_above: bool,
}

impl Marked {
    pub(super) fn enter(
        &self,
        (feature, draw): (u32, u32),
        n_rows: u32,
        allowed: Range<u32>,
        contest: &mut Contest,
    ) {
        let mut left_sum = self.bin.sum as f64;
        let mut left_weight = self.bin.weight();
        let mut n_left = self.bin.n_rows();
        if self.marked_is_above {
            (left_sum, left_weight) = contest.other_side(left_sum, left_weight);
            n_left = n_rows - n_left;
        }
        if allowed.contains(&n_left) && contest.excess(left_sum, left_weight) >= 0.0 {
            let turn = Turn { draw, missing_left: false, n_left };
            contest.offer(turn, left_sum, left_weight, || {
                (feature, midway(self.below, self.above), n_left > n_rows - n_left)
            });
        }
    }
}

/// Tries every boundary of a column with few values. `bins` are its slots in the node.
pub(super) fn enter_few(
    bins: &[Bin],
    values: &[f32],
    (feature, draw): (u32, u32),
    n_rows: u32,
    allowed: Range<u32>,
    contest: &mut Contest,
) {
    let mut left = Bin::default();
    let mut below = None;
    for (&bin, &above) in bins.iter().zip(values) {
        if bin.n_rows() == 0 {
            continue;
        }
        if let Some(below) = below {
            let n_left = left.n_rows();
            let (left_sum, left_weight) = (left.sum as f64, left.weight());
            if allowed.contains(&n_left) && contest.excess(left_sum, left_weight) >= 0.0 {
                let turn = Turn { draw, missing_left: false, n_left };
                contest.offer(turn, left_sum, left_weight, || {
                    (feature, midway(below, above), n_left > n_rows - n_left)
                });
            }
        }
        left.sum += bin.sum;
        left.counts += bin.counts;
        below = Some(above);
    }
}
