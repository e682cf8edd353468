//! scikit-learn's sort and partition, exchange by exchange, where it is known before which places values will have.
//!
//! Only the order of equal values is open. So parts of the sort without any are left out, and the rest moves rows without
//! waiting for one exchange before the next.

use std::ops::Range;

use super::lists::{TIED, row_of};
use crate::tree::sort::{INSERTION_LENGTH, heap_sort, median};

/// A row, and above it in the same word what it is sorted by. Two fields would be stored one by one, and loading both at once
/// would wait for that.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Keyed(u64);

impl Keyed {
    pub(super) fn new(key: u32, row: u32) -> Self {
        Self(u64::from(key) << 32 | u64::from(row))
    }

    pub(super) fn key(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn row(self) -> u32 {
        self.0 as u32
    }
}

/// Runs of equal values in sorted order, and buffers for sorting by them.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    /// Where the run that begins at a place ends.
    ends: Vec<u32>,
    /// For each place, how many up to it are not the first of their run.
    repeats: Vec<u32>,
    rows: Vec<Keyed>,
    exchanges: Exchanges<Keyed>,
}

impl Sweeps {
    fn begin(&mut self, n_rows: usize) {
        for buffer in [&mut self.ends, &mut self.repeats] {
            if buffer.len() < n_rows {
                buffer.resize(n_rows, 0);
            }
        }
    }

    /// Finds the runs of equal values in a node's list and writes where they begin, by row.
    pub(super) fn find_runs(&mut self, list: &[u32], column: &[f32], start_of_row: &mut [u32]) {
        self.begin(list.len());
        let (ends, repeats) = (&mut self.ends[..list.len()], &mut self.repeats[..list.len()]);
        let (mut start, mut n_repeats) = (0, 0);
        for (place, &entry) in list.iter().enumerate() {
            let row = row_of(entry);
            // Whether to look is easy to foresee, the answer is not.
            if entry & TIED == 0 {
                start = place;
            } else {
                let last = row_of(list[place.saturating_sub(1)]);
                let repeats_last = column[row as usize] <= column[last as usize];
                start = place ^ ((place ^ start) & usize::from(repeats_last).wrapping_neg());
                n_repeats += u32::from(repeats_last);
            }
            start_of_row[row as usize] = start as u32;
            repeats[place] = n_repeats;
            ends[start] = place as u32 + 1;
        }
    }

    /// Takes runs by their lengths, which sum to `n_rows`, and writes where they begin.
    pub(super) fn set_runs(
        &mut self,
        lengths: impl Iterator<Item = u32>,
        n_rows: usize,
        starts: &mut [u32],
    ) {
        self.begin(n_rows);
        let (mut start, mut n_repeats) = (0, 0);
        for (length, start_of_run) in lengths.zip(starts) {
            *start_of_run = start;
            let run = start as usize..(start + length) as usize;
            if !run.is_empty() {
                self.ends[run.start] = start + length;
            }
            for (repeats, n) in self.repeats[run].iter_mut().zip(n_repeats..) {
                *repeats = n;
            }
            n_repeats += length.saturating_sub(1);
            start += length;
        }
        debug_assert_eq!(start as usize, n_rows);
    }

    /// Sorts rows as [`sort`](crate::tree::sort::sort) does, once for the runs that were found. `key` says where a row's run
    /// begins.
    pub(super) fn sort(&mut self, rows: &mut [u32], key: impl Fn(u32) -> u32) {
        self.rows.clear();
        self.rows.extend(rows.iter().map(|&row| Keyed::new(key(row), row)));
        self.quick_sort(0, rows.len(), 2 * rows.len().checked_ilog2().unwrap_or(0));
        // What is left to do keeps the order of equal values, or there are none.
        for row in self.rows.iter().rev() {
            let end = &mut self.ends[row.key() as usize];
            *end -= 1;
            rows[*end as usize] = row.row();
        }
    }

    fn quick_sort(&mut self, mut start: usize, end: usize, mut budget: u32) {
        while end - start > INSERTION_LENGTH && self.repeats[start] < self.repeats[end - 1] {
            let rows = &mut self.rows[start..end];
            if budget == 0 {
                return sort_by_heap(rows);
            }
            budget -= 1;
            let pivot = pivot(rows);
            let (smaller_end, greater) = (pivot as usize, self.ends[pivot as usize] as usize);
            self.exchanges.sweep(rows, pivot, smaller_end - start..greater - start);
            self.quick_sort(start, smaller_end, budget);
            start = greater;
        }
    }
}

/// What quicksort sorts by next.
pub(super) fn pivot(rows: &[Keyed]) -> u32 {
    median(rows[0].key(), rows[rows.len() / 2].key(), rows[rows.len() - 1].key())
}

/// What quicksort does when its budget is spent.
pub(super) fn sort_by_heap(rows: &mut [Keyed]) {
    let mut keys: Vec<u32> = rows.iter().map(|row| row.key()).collect();
    heap_sort(&mut keys, rows);
}

impl Exchanges<Keyed> {
    /// A sweep of quicksort: rows with a smaller key than the pivot go to the front, those with a greater one to the end.
    /// `equal` is where the others will be.
    #[inline(always)]
    pub(super) fn sweep(&mut self, rows: &mut [Keyed], pivot: u32, equal: Range<usize>) {
        // Greater ones change with the far end until only others are left ...
        self.partition(rows, equal.end, |row| row.key() > pivot);
        // ... of which smaller ones change with the first that is equal.
        bring_forward(&mut rows[..equal.end], equal.len(), |row| row.key() < pivot);
    }
}

/// Buffers of an exchange partition: high rows that have to leave their place.
#[derive(Debug, Default)]
pub(super) struct Exchanges<T> {
    places: Vec<u32>,
    rows: Vec<T>,
}

impl<T: Copy + Default> Exchanges<T> {
    /// Moves rows that are high to the end, as [`partition`](crate::tree::sort::partition) does. `n_low` is the number of
    /// others.
    ///
    /// The partition goes forward from the front, and a high row changes places with the one at the far end, which steps
    /// back. In the end each low row of the last places has gone to the place of a high one, in turn; and each of the last
    /// places has the high row that was seen last before, from either end. No step waits for the one before, or guesses.
    pub(super) fn partition(&mut self, rows: &mut [T], n_low: usize, is_high: impl Fn(T) -> bool) {
        // As many high rows leave as low ones come. With room for one more, which is read but of no meaning.
        let most = n_low.min(rows.len() - n_low);
        if self.places.len() <= most {
            self.places.resize(most + 1, 0);
            self.rows.resize(most + 1, T::default());
        }
        let (places, leaving) = (&mut self.places[..=most], &mut self.rows[..=most]);
        let mut n_leaving = 0;
        for (place, &row) in rows[..n_low].iter().enumerate() {
            places[n_leaving] = place as u32;
            leaving[n_leaving] = row;
            n_leaving += usize::from(is_high(row));
        }
        places[n_leaving] = 0;
        let (mut end, mut n_left, mut carried) = (rows.len(), 0, leaving[0]);
        while n_left < n_leaving {
            end -= 1;
            let row = rows[end];
            rows[end] = carried;
            rows[places[n_left] as usize] = row;
            // If it is high it is carried on, and the place is written again.
            leaving[n_left] = row;
            n_left += usize::from(!is_high(row));
            carried = leaving[n_left];
        }
        // What is left is high, and changes places all the same.
        if end > n_low {
            rows[n_low..end].rotate_left(1);
        }
    }
}

/// Moves smaller rows to the front: each changes places with the first that is not. `n_equal` is the number of those.
pub(super) fn bring_forward<T: Copy>(
    rows: &mut [T],
    n_equal: usize,
    is_smaller: impl Fn(T) -> bool,
) {
    let Some(mut first) = rows.iter().position(|&row| !is_smaller(row)) else { return };
    if n_equal == 1 {
        rows[first..].rotate_left(1);
        return;
    }
    for place in first + 1..rows.len() {
        let row = rows[place];
        let is_smaller = is_smaller(row);
        // Its own place if it stays, without a branch.
        let other = place ^ ((place ^ first) & usize::from(is_smaller).wrapping_neg());
        rows[place] = rows[other];
        rows[other] = row;
        first += usize::from(is_smaller);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::sort;

    fn sorts_alike(values: &[f32]) {
        let mut expected: Vec<u32> = (0..values.len() as u32).collect();
        let (mut list, mut rows) = (expected.clone(), expected.clone());
        sort::sort(&mut values.to_vec(), &mut expected);
        list.sort_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
        // All may be tied.
        list.iter_mut().for_each(|row| *row |= TIED);
        let (mut sweeps, mut starts) = (Sweeps::default(), vec![0; values.len()]);
        sweeps.find_runs(&list, values, &mut starts);
        sweeps.sort(&mut rows, |row| starts[row as usize]);
        assert_eq!(rows, expected, "{values:?}");
    }

    /// One of these exhausts the quicksort's budget.
    #[test]
    fn sorts_scikit_learns_own_cases() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/expected/forest/sort.json");
        let text = std::fs::read_to_string(path).unwrap();
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let values: Vec<f32> = serde_json::from_value(case["keys"].clone()).unwrap();
            sorts_alike(&values);
        }
    }

    proptest! {
        #[test]
        fn sorts_as_scikit_learn_does(
            values in (1_u16..40, 1_usize..300).prop_flat_map(|(n_values, n_rows)| {
                prop::collection::vec(0..n_values * n_values, n_rows)
            }),
        ) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            sorts_alike(&values);
        }

        #[test]
        fn sorts_few_values_as_scikit_learn_does(values in prop::collection::vec(0..9_usize, 1..300)) {
            let mut expected: Vec<u32> = (0..values.len() as u32).collect();
            let mut rows = expected.clone();
            sort::sort(&mut values.clone(), &mut expected);
            let count = |value| values.iter().filter(|other| **other == value).count() as u32;
            let (mut sweeps, mut starts) = (Sweeps::default(), [0; 9]);
            sweeps.set_runs((0..9).map(count), rows.len(), &mut starts);
            sweeps.sort(&mut rows, |row| starts[values[row as usize]]);
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn partitions_as_scikit_learn_does(is_left in prop::collection::vec(any::<bool>(), 0..60)) {
            let rows: Vec<u32> = (0..is_left.len() as u32).collect();
            let goes_left = |row: u32| is_left[row as usize];
            let (mut expected, mut found) = (rows.clone(), rows);
            let n_left = sort::partition(&mut expected, goes_left);
            Exchanges::default().partition(&mut found, n_left, |row| !goes_left(row));
            prop_assert_eq!(found, expected);
        }
    }
}
