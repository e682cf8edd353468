//! scikit-learn's sort by a column in which few values are equal: all other rows are where the list has them.

use std::ops::Range;

use super::{
    columns::order,
    lists::{TIED, row_of},
    sweeps::{Exchanges, Keyed, pivot, sort_by_heap},
};
use crate::tree::sort::INSERTION_LENGTH;

/// Ties are rare if one place in this many begins a run of equal values.
const RARE: usize = 16;

/// Runs of equal values, and buffers.
#[derive(Debug, Default)]
pub(super) struct RareTies {
    /// Places of equal values in the list, two at least each.
    runs: Vec<Range<usize>>,
    /// By value.
    rows: Vec<Keyed>,
    exchanges: Exchanges<Keyed>,
}

impl RareTies {
    /// Sorts a node's rows as [`sort`](crate::tree::sort::sort) does, by a column without missing values. `list` has them in
    /// order but for equal values. `false` leaves them as they are: too many values are equal.
    pub(super) fn sort(&mut self, rows: &mut [u32], list: &[u32], column: &[f32]) -> bool {
        self.find_runs(list, column);
        if self.runs.len() * RARE > list.len() {
            return false;
        }
        let key = |row: u32| order(column[row as usize]);
        self.rows.clear();
        self.rows.extend(rows.iter().map(|&row| Keyed::new(key(row), row)));
        for (row, &entry) in rows.iter_mut().zip(list) {
            *row = row_of(entry);
        }
        let key = |entry: &u32| key(row_of(*entry));
        let budget = 2 * list.len().checked_ilog2().unwrap_or(0);
        self.quick_sort(0..list.len(), 0..self.runs.len(), budget, (list, &key), rows);
        true
    }

    fn find_runs(&mut self, list: &[u32], column: &[f32]) {
        let value = |place: usize| column[row_of(list[place]) as usize];
        self.runs.clear();
        for (place, &entry) in list.iter().enumerate().skip(1) {
            if entry & TIED == 0 || value(place) > value(place - 1) {
                continue;
            }
            match self.runs.last_mut().filter(|run| run.end == place) {
                Some(run) => run.end += 1,
                None => self.runs.push(place - 1..place + 1),
            }
        }
    }

    /// Sorts a part that begins and ends where it does in the sorted order, as far as there are runs in it; `sorted` gets their
    /// rows.
    fn quick_sort(
        &mut self,
        mut part: Range<usize>,
        mut runs: Range<usize>,
        mut budget: u32,
        (list, key): (&[u32], &impl Fn(&u32) -> u32),
        sorted: &mut [u32],
    ) {
        while part.len() > INSERTION_LENGTH && !runs.is_empty() {
            let rows = &mut self.rows[part.clone()];
            if budget == 0 {
                sort_by_heap(rows);
                break;
            }
            budget -= 1;
            let pivot = pivot(rows);
            let n_smaller = list[part.clone()].partition_point(|entry| key(entry) < pivot);
            let smaller_end = part.start + n_smaller;
            let is_before = |run: &Range<usize>| run.end <= smaller_end;
            let run = runs.start + self.runs[runs.clone()].partition_point(is_before);
            let is_run = run < runs.end && self.runs[run].start == smaller_end;
            let greater = if is_run { self.runs[run].end } else { smaller_end + 1 };
            let equal = n_smaller..greater - part.start;
            self.exchanges.sweep(rows, pivot, equal.clone());
            if is_run {
                take_rows(&mut sorted[smaller_end..greater], &rows[equal]);
            }
            let smaller = part.start..smaller_end;
            self.quick_sort(smaller, runs.start..run, budget, (list, key), sorted);
            part.start = greater;
            runs.start = run + usize::from(is_run);
        }
        // What is left keeps the order of equal values.
        let rows = &self.rows[part];
        for run in &self.runs[runs] {
            let key = key(&list[run.start]);
            take_rows(&mut sorted[run.clone()], rows.iter().filter(|row| row.key() == key));
        }
    }
}

fn take_rows<'a>(sorted: &mut [u32], rows: impl IntoIterator<Item = &'a Keyed>) {
    for (sorted, row) in sorted.iter_mut().zip(rows) {
        *sorted = row.row();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::sort::sort;

    fn sorts_alike(values: &[f32]) -> bool {
        let mut list: Vec<u32> = (0..values.len() as u32).collect();
        list.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        for place in 1..list.len() {
            let [last, row] = [place - 1, place].map(|place| row_of(list[place]));
            if values[row as usize] <= values[last as usize] {
                list[place] |= TIED;
            }
        }
        let mut rows: Vec<u32> = (0..values.len() as u32).collect();
        let mut expected = rows.clone();
        if !RareTies::default().sort(&mut rows, &list, values) {
            assert_eq!(rows, expected);
            return false;
        }
        sort(&mut values.to_vec(), &mut expected);
        assert_eq!(rows, expected);
        true
    }

    proptest! {
        #[test]
        fn sorts_as_scikit_learn_does(
            mut values in prop::collection::vec(-1e6_f32..1e6, 1..600),
            copies in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40),
        ) {
            for (from, to) in &copies {
                let value = *from.get(&values);
                let to = to.index(values.len());
                values[to] = value;
            }
            let is_rare = sorts_alike(&values);
            prop_assert!(is_rare || copies.len() * RARE > values.len());
        }
    }

    /// Orders in which the middle of three is always near an end: quicksort gives up, and heap sort goes on.
    #[test]
    fn sorts_as_scikit_learn_does_when_pivots_are_bad() {
        for n in [64_usize, 200, 1000] {
            // The pivots' places by simulation: each pivot gets the lowest value that is left.
            let mut values = vec![f32::NAN; n];
            let (mut rows, mut next): (Vec<usize>, f32) = ((0..n).collect(), 0.0);
            while rows.len() > INSERTION_LENGTH {
                let ends = [rows[0], rows[rows.len() / 2]];
                for row in ends {
                    values[row] = next;
                    next += 1.0;
                }
                rows.retain(|row| !ends.contains(row));
            }
            rows.iter().zip(0..).for_each(|(&row, i)| values[row] = next + i as f32);
            values[n - 2] = values[n - 3];
            assert!(sorts_alike(&values));
        }
    }
}
