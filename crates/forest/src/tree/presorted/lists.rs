//! Columns with many values: the rows of every node in the order of each column.

use std::ops::Range;

use super::{
    contest::{Contest, Turn, midway},
    packed_rows::PackedRows,
    targets::Record,
};
use crate::tree::search::FEATURE_THRESHOLD;

/// Set in an entry of a list whose value equals the one before among all rows; then it may do so in a node as well.
pub(super) const TIED: u32 = 1 << 31;

/// The row of an entry.
#[inline(always)]
pub(super) fn row_of(entry: u32) -> u32 {
    entry & !TIED
}

/// Boundaries tested at once.
const BLOCK: usize = 64;

/// For each list, the rows of the tree in the order of its column, with a mark for ties. A node owns the same range in each.
#[derive(Debug)]
pub(super) struct Lists {
    rows: Vec<u32>,
    n_rows: usize,
    /// Buffer, longer than the rows of the tree.
    moved: Vec<u32>,
}

/// Which children need lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Left,
    Right,
    Both,
}

impl Lists {
    /// Takes the rows that the tree sees from lists of all rows.
    pub(super) fn new(sorted: &[PackedRows], records: &[Record], n_rows: usize) -> Self {
        let mut rows = vec![0; sorted.len() * n_rows + 1];
        let mut end = 0;
        for list in sorted {
            for entry in list.iter() {
                rows[end] = entry;
                end += usize::from(records[row_of(entry) as usize].weight > 0);
            }
        }
        Self { rows, n_rows, moved: vec![0; n_rows + 1] }
    }

    pub(super) fn node(&self, list: usize, node: Range<usize>) -> &[u32] {
        &self.rows[list * self.n_rows..][node]
    }

    /// Parts rows that are in no list as [`part`](Self::part) does.
    pub(super) fn part_rows(&mut self, rows: &mut [u32], on_left: &[u8]) {
        part_stably(rows, on_left, &mut self.moved);
    }

    /// Parts a node's rows in one list, keeping the order on both sides.
    ///
    /// `on_left` is 1 for rows that go left. If one child needs no lists its range is left undefined.
    pub(super) fn part(&mut self, list: usize, node: Range<usize>, on_left: &[u8], needed: Needed) {
        let rows = &mut self.rows[list * self.n_rows..][node];
        match needed {
            Needed::Both => part_stably(rows, on_left, &mut self.moved),
            Needed::Left => {
                let mut left = 0;
                for i in 0..rows.len() {
                    let row = rows[i];
                    rows[left] = row;
                    left += usize::from(on_left[row_of(row) as usize]);
                }
            }
            Needed::Right => {
                let mut start = rows.len();
                for i in (0..rows.len()).rev() {
                    let row = rows[i];
                    rows[start - 1] = row;
                    start -= usize::from(on_left[row_of(row) as usize] == 0);
                    if start == 0 {
                        break;
                    }
                }
            }
        }
    }
}

/// Parts rows by a flag that is 1 for those that go left, keeping the order on both sides. `moved` is longer than `rows`.
fn part_stably(rows: &mut [u32], on_left: &[u8], moved: &mut [u32]) {
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        let goes_left = usize::from(on_left[row_of(row) as usize]);
        rows[left] = row;
        moved[right] = row;
        left += goes_left;
        right += 1 - goes_left;
    }
    rows[left..].copy_from_slice(&moved[..right]);
}

/// Sums below 2⁵¹ as `f64`, without an instruction that older processors lack.
#[inline(always)]
fn to_f64(sum: i64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    f64::from_bits(SHIFT.to_bits().wrapping_add_signed(sum)) - SHIFT
}

/// Tries every boundary of a column without missing values in the node.
pub(super) fn enter_list(
    rows: &[u32],
    column: &[f32],
    records: &[Record],
    (feature, draw): (u32, u32),
    allowed: &Range<u32>,
    contest: &mut Contest,
) {
    let (mut sum, mut weight) = (0_i64, 0_i64);
    let mut sums = [0_i64; BLOCK];
    let mut weights = [0_i64; BLOCK];
    let mut excess = [0.0_f64; BLOCK];
    for (block, chunk) in rows[..rows.len() - 1].chunks(BLOCK).enumerate() {
        for ((&row, before), weight_before) in chunk.iter().zip(&mut sums).zip(&mut weights) {
            let record = records[row_of(row) as usize];
            sum += i64::from(record.sum);
            weight += i64::from(record.weight);
            *before = sum;
            *weight_before = weight;
        }
        let mut negative = u64::MAX;
        for ((excess, &sum), &weight) in excess[..chunk.len()].iter_mut().zip(&sums).zip(&weights) {
            *excess = contest.excess(to_f64(sum), to_f64(weight));
            negative &= excess.to_bits();
        }
        if negative >> 63 == 1 {
            continue;
        }
        for i in 0..chunk.len() {
            let n_left = (block * BLOCK + i + 1) as u32;
            if excess[i] < 0.0 || !allowed.contains(&n_left) {
                continue;
            }
            let (left_sum, left_weight) = (to_f64(sums[i]), to_f64(weights[i]));
            // Again, as the best may have come from this block.
            if contest.excess(left_sum, left_weight) < 0.0 {
                continue;
            }
            let below = column[row_of(chunk[i]) as usize];
            let above = column[row_of(rows[n_left as usize]) as usize];
            if above > below + FEATURE_THRESHOLD {
                let turn = Turn { draw, missing_left: false, n_left };
                contest.offer(turn, left_sum, left_weight, || {
                    (feature, midway(below, above), n_left > rows.len() as u32 - n_left)
                });
            }
        }
    }
}

/// Tries every boundary of any column whose rows come in order, missing ones last.
pub(super) fn enter_sorted(
    rows: &[u32],
    column: &[f32],
    records: &[Record],
    (feature, draw): (u32, u32),
    allowed: &Range<u32>,
    contest: &mut Contest,
) {
    let n_rows = rows.len() as u32;
    let n_missing =
        rows.iter().rev().take_while(|&&row| column[row_of(row) as usize].is_nan()).count();
    let (present, missing) = rows.split_at(rows.len() - n_missing);
    let passes = if n_missing > 0 { 2 } else { 1 };
    for missing_left in [false, true].into_iter().take(passes) {
        let (mut sum, mut weight, mut n_left) = (0_i64, 0_i64, 0);
        let mut take = |row: u32| {
            let record = records[row_of(row) as usize];
            sum += i64::from(record.sum);
            weight += i64::from(record.weight);
            n_left += 1;
            (sum as f64, weight as f64, n_left)
        };
        if missing_left {
            missing.iter().for_each(|&row| _ = take(row));
        }
        for (i, &row) in present.iter().enumerate() {
            let (left_sum, left_weight, n_left) = take(row);
            let below = column[row_of(row) as usize];
            let threshold = match present.get(i + 1) {
                Some(&next) => {
                    let above = column[row_of(next) as usize];
                    if above <= below + FEATURE_THRESHOLD {
                        continue;
                    }
                    midway(below, above)
                }
                // All present on one side, all missing on the other; only tried this way round.
                None if n_missing > 0 && !missing_left => f64::INFINITY,
                None => continue,
            };
            if allowed.contains(&n_left) && contest.excess(left_sum, left_weight) >= 0.0 {
                let turn = Turn { draw, missing_left, n_left };
                contest.offer(turn, left_sum, left_weight, || {
                    let to_left =
                        if n_missing > 0 { missing_left } else { n_left > n_rows - n_left };
                    (feature, threshold, to_left)
                });
            }
        }
    }
}
