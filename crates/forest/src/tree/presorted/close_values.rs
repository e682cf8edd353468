//! Values that differ and yet count as equal.

use super::places::PlacedColumns;
use crate::tree::search::FEATURE_THRESHOLD;

/// By row, bits of the features in which another row's value is close to its own: not equal, but not told apart by a search.
#[derive(Debug)]
pub(super) struct CloseValues {
    words_per_row: usize,
    /// Empty if there are none.
    words: Vec<u32>,
}

impl CloseValues {
    pub(super) fn new(n_places: usize) -> Self {
        Self { words_per_row: n_places.div_ceil(u32::BITS as usize), words: Vec::new() }
    }

    /// Adds a feature: its distinct values ascending, and the place among them of each of the rows.
    pub(super) fn add(
        &mut self,
        feature: usize,
        values: &[f32],
        ranks: impl ExactSizeIterator<Item = (u32, i32)>,
    ) {
        if !has_close(values) {
            return;
        }
        self.words.resize(ranks.len() * self.words_per_row, 0);
        let bit = 1 << (feature % u32::BITS as usize);
        for (row, rank) in ranks {
            // Missing values have the rank after the last.
            let rank = rank as usize;
            let with_next = values.get(rank..rank + 2).is_some_and(is_close);
            let with_last = rank > 0 && values.get(rank - 1..=rank).is_some_and(is_close);
            if with_next || with_last {
                let word = feature / u32::BITS as usize;
                self.words[row as usize * self.words_per_row + word] |= bit;
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether these rows have close values in any feature.
    pub(super) fn are_among(&self, rows: &[u32], x: PlacedColumns<'_>) -> bool {
        !self.is_empty() && (0..self.words_per_row).any(|word| self.are_in_word(word, rows, x))
    }

    fn are_in_word(&self, word: usize, rows: &[u32], x: PlacedColumns<'_>) -> bool {
        let of_row = |row: u32| self.words[row as usize * self.words_per_row + word];
        // Features in which two rows at least have close ones, if not to each other.
        let (mut once, mut twice) = (0, 0);
        for &row in rows {
            twice |= once & of_row(row);
            once |= of_row(row);
        }
        while twice != 0 {
            let bit = twice.trailing_zeros();
            twice &= twice - 1;
            let column = x.column(word * u32::BITS as usize + bit as usize);
            let suspects = || rows.iter().filter(|&&row| of_row(row) >> bit & 1 == 1);
            let values = || suspects().map(|&row| column[row as usize]);
            if values().any(|a| values().any(|b| b > a && b <= a + FEATURE_THRESHOLD)) {
                return true;
            }
        }
        false
    }
}

fn is_close(pair: &[f32]) -> bool {
    pair[1] <= pair[0] + FEATURE_THRESHOLD
}

/// Whether any of these values, which ascend, is close to the next.
pub(super) fn has_close(values: &[f32]) -> bool {
    values.windows(2).any(is_close)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;
    use crate::{feature_columns::FeatureColumns, tree::presorted::Columns};

    proptest! {
        #[test]
        fn finds_every_pair(
            cells in prop::collection::vec((0..40_u8, 0..12_u8), 35 * 3),
            rows in prop::collection::hash_set(0..3_u32, 0..=3),
        ) {
            // Close are neighbours of one large step; some are missing.
            let value = |&(large, small): &(u8, u8)| match large {
                0 => f32::NAN,
                _ => f32::from(large) + f32::from(small) * 6e-8,
            };
            // Features beyond the first word.
            let cell = |(row, feature)| value(&cells[row * 35 + feature]) / 64.0;
            let x = Array2::from_shape_fn((3, 35), cell);
            let x = FeatureColumns::new(x.view()).unwrap();
            let columns = Columns::new(&x);
            let rows: Vec<u32> = rows.into_iter().collect();
            let expected = (0..35).any(|feature| {
                let values = || rows.iter().map(|&row| x.column(feature)[row as usize]);
                values().any(|a| values().any(|b| b > a && b <= a + FEATURE_THRESHOLD))
            });
            prop_assert_eq!(columns.close.are_among(&rows, columns.placed(&x)), expected);
        }
    }
}
