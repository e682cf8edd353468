//! Columns with many values: the rows of every node in the order of each column.

use std::ops::Range;

use super::{packed_rows::PackedRows, records::Records};

/// Set in an entry of a list whose value equals the one before among all rows; then it may do so in a node as well.
pub(super) const TIED: u32 = 1 << 31;

/// The row of an entry.
#[inline(always)]
pub(super) fn row_of(entry: u32) -> u32 {
    entry & !TIED
}

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
    pub(super) fn new(sorted: &[PackedRows], records: &Records, n_rows: usize) -> Self {
        let mut rows = vec![0; sorted.len() * n_rows + 1];
        let mut end = 0;
        for list in sorted {
            for entry in list.iter() {
                rows[end] = entry;
                end += usize::from(records.weight(row_of(entry)) > 0);
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
