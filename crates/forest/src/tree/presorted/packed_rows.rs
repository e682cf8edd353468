//! Row numbers in as many bits as they need: lists of all rows are as large as the training matrix, and read once a tree.

use super::lists::TIED;

/// The rows in the order of a column, each with a mark for ties.
#[derive(Debug)]
pub(super) struct PackedRows {
    /// One after the other from the lowest bit on, with a word more at the end.
    words: Vec<u64>,
    /// Bits of an entry: its row above, its mark below.
    width: usize,
    n_rows: usize,
}

impl PackedRows {
    /// Packs `n_rows` rows, at least one, each less than their number.
    pub(super) fn new(rows: impl Iterator<Item = (u32, bool)>, n_rows: usize) -> Self {
        let width = (n_rows.ilog2() + 2) as usize;
        let mut words = vec![0; (n_rows * width).div_ceil(64) + 1];
        for (i, (row, is_tied)) in rows.enumerate() {
            let (word, shift) = (i * width / 64, i * width % 64);
            let entry = u64::from(row) << 1 | u64::from(is_tied);
            words[word] |= entry << shift;
            // In two steps, as no shift is by a whole word.
            words[word + 1] |= entry >> 1 >> (63 - shift);
        }
        Self { words, width, n_rows }
    }

    /// Rows with [`TIED`] if they are.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let mask = (1 << self.width) - 1;
        (0..self.n_rows).map(move |i| {
            let (word, shift) = (i * self.width / 64, i * self.width % 64);
            let entry =
                (self.words[word] >> shift | self.words[word + 1] << 1 << (63 - shift)) & mask;
            (entry >> 1) as u32 | if entry & 1 == 1 { TIED } else { 0 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_what_was_packed() {
        for n_rows in (1..70).chain([127, 128, 129, 1 << 16, (1 << 16) + 1, 100_003]) {
            let rows = || (0..n_rows as u32).rev().map(|row| (row, row % 3 == 0));
            let packed = PackedRows::new(rows(), n_rows);
            let expected = rows().map(|(row, is_tied)| row | if is_tied { TIED } else { 0 });
            assert!(packed.iter().eq(expected), "{n_rows}");
        }
    }
}
