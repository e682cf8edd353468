//! What is prepared once for all trees: ranks, sorted rows, and columns with few values.

use std::mem::replace;

use rayon::slice::ParallelSliceMut;

use super::{
    bins::Groups,
    close_values::{CloseValues, has_close},
    packed_rows::PackedRows,
    places::{PlacedColumns, Places},
};
use crate::feature_columns::FeatureColumns;

/// Columns with at most this many values, none missing, are searched by bins.
pub(super) const MAX_BINS: usize = 32;

/// How a feature is searched in large nodes.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// One value, or only missing ones.
    Constant,
    /// Two values; the rows with one of them are counted in a slot.
    Marked { slot: usize, below: f32, above: f32, marked_is_above: bool },
    /// Few values, each with a slot.
    Few { first_slot: usize, values: Box<[f32]> },
    /// A sorted list of rows. `repeats` if many values are equal, or some missing.
    List { number: usize, repeats: bool },
}

/// The training matrix, arranged for the searches of the presorted engine.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(super) places: Places,
    pub(super) kinds: Vec<Kind>,
    /// Features with more than two values, or with missing ones.
    pub(super) many_valued: Vec<u32>,
    /// Ranks by row, then feature, each row padded to the stride. Missing values rank highest.
    ///
    /// `None` if they would not fit into a near cache; values are compared then, which is as fast.
    pub(super) ranks: Option<Vec<i16>>,
    pub(super) close: CloseValues,
    /// Whether each feature has missing values.
    pub(super) has_missing: Vec<bool>,
    /// Rows in the order of each list's column, missing ones last, with a mark for ties.
    pub(super) sorted: Vec<PackedRows>,
    pub(super) groups: Groups,
}

/// Ranks of all rows and features at most. In tests few, so that small data is fitted both ways.
const MAX_RANKS: usize = if cfg!(test) { 1 << 11 } else { 1 << 18 };

/// Rank rows are padded to a multiple of this.
pub(super) const LANES: usize = 8;

impl Columns {
    pub(crate) fn new(x: &FeatureColumns) -> Self {
        let (n_rows, places) = (x.n_rows(), Places::new(x));
        let n_places = places.n_places();
        let mut kinds = vec![Kind::Constant; n_places];
        let has_ranks = n_rows <= i16::MAX as usize && n_rows * n_places <= MAX_RANKS;
        let mut ranks = has_ranks.then(|| vec![0_i16; n_rows * n_places]);
        let mut close = CloseValues::new(n_places);
        let mut has_missing = vec![false; n_places];
        let mut sorted = Vec::new();
        let mut groups = Groups::new(n_rows);
        let mut keys = Vec::with_capacity(n_rows);
        for (feature, &place) in places.in_order().iter().enumerate() {
            let (column, place) = (x.column(feature), place as usize);
            let ranked = Ranked::new(column, &mut keys);
            close.add(place, &ranked.values, ranked.ranks(&keys));
            has_missing[place] = ranked.n_missing > 0;
            if let Some(ranks) = &mut ranks {
                for (row, rank) in ranked.ranks(&keys) {
                    ranks[row as usize * n_places + place] = rank as i16;
                }
            }
            let clean = ranked.n_missing == 0 && !has_close(&ranked.values);
            kinds[place] = match ranked.values[..] {
                [] => Kind::Constant,
                [_] if clean => Kind::Constant,
                [below, above] if clean => {
                    let n_below = ranked.ranks(&keys).filter(|(_, rank)| *rank == 0).count();
                    let marked_is_above = n_below >= n_rows - n_below;
                    let slot = groups.mark(
                        ranked.ranks(&keys).filter(|(_, rank)| (*rank == 1) == marked_is_above),
                    );
                    Kind::Marked { slot, below, above, marked_is_above }
                }
                _ if clean && ranked.values.len() <= MAX_BINS => {
                    let first_slot = groups.add(ranked.values.len(), ranked.ranks(&keys));
                    Kind::Few { first_slot, values: ranked.values.clone().into() }
                }
                _ => {
                    let mut last = -1;
                    let rows = ranked.ranks(&keys);
                    let rows = rows.map(|(row, rank)| (row, rank == replace(&mut last, rank)));
                    sorted.push(PackedRows::new(rows, n_rows));
                    let repeats = ranked.n_missing > 0 || ranked.values.len() < n_rows / 2;
                    Kind::List { number: sorted.len() - 1, repeats }
                }
            };
        }
        groups.finish(&mut kinds);
        let has_many = |kind: &Kind| matches!(kind, Kind::Few { .. } | Kind::List { .. });
        let many_valued =
            (0..n_places as u32).filter(|&feature| has_many(&kinds[feature as usize])).collect();
        Self { places, many_valued, kinds, ranks, close, has_missing, sorted, groups }
    }

    pub(super) fn placed<'a>(&'a self, x: &'a FeatureColumns) -> PlacedColumns<'a> {
        PlacedColumns { x, places: &self.places }
    }
}

/// From this many rows on, sorting a column is worth sharing out.
const PARALLEL_ROWS: usize = 1 << 14;

/// One column in order.
struct Ranked {
    /// Distinct values, ascending.
    values: Vec<f32>,
    n_missing: usize,
}

impl Ranked {
    /// Sorts `column` into `keys`: value in the upper half, row in the lower.
    fn new(column: &[f32], keys: &mut Vec<u64>) -> Self {
        keys.clear();
        keys.extend(
            column
                .iter()
                .enumerate()
                .map(|(row, &value)| u64::from(order(value)) << 32 | row as u64),
        );
        if !sort_few(keys) {
            // No two keys are equal, so there is one order.
            if keys.len() >= PARALLEL_ROWS && rayon::current_num_threads() > 1 {
                keys.par_sort_unstable();
            } else {
                keys.sort_unstable();
            }
        }
        let n_missing = keys.iter().rev().take_while(|&&key| key >> 32 == MISSING).count();
        let present = &keys[..keys.len() - n_missing];
        let mut values: Vec<f32> = Vec::new();
        for &key in present {
            let value = column[key as u32 as usize];
            // Zeros of both signs are equal.
            if values.last().is_none_or(|&last| value > last) {
                values.push(value);
            }
        }
        Self { values, n_missing }
    }

    /// Rows in order, each with its rank.
    fn ranks<'a>(
        &self,
        keys: &'a [u64],
    ) -> impl ExactSizeIterator<Item = (u32, i32)> + Clone + use<'a> {
        let mut rank = 0;
        let mut last = keys.first().map_or(0, |key| key >> 32);
        keys.iter().map(move |&key| {
            rank += i32::from(key >> 32 != last);
            last = key >> 32;
            (key as u32, rank)
        })
    }
}

/// Sorts keys, which come by row, if they have few values. `false` leaves them as they are.
fn sort_few(keys: &mut Vec<u64>) -> bool {
    let mut counts: Vec<(u64, usize)> = Vec::with_capacity(MAX_BINS + 1);
    for &key in keys.iter() {
        let value = key >> 32;
        match counts.iter().position(|(counted, _)| *counted == value) {
            Some(place) => counts[place].1 += 1,
            None if counts.len() > MAX_BINS => return false,
            None => counts.push((value, 1)),
        }
    }
    counts.sort_unstable();
    let mut end = 0;
    for (_, count) in &mut counts {
        (*count, end) = (end, end + *count);
    }
    let mut sorted = vec![0; keys.len()];
    for &key in keys.iter() {
        if let Some((_, place)) = counts.iter_mut().find(|(value, _)| *value == key >> 32) {
            sorted[*place] = key;
            *place += 1;
        }
    }
    *keys = sorted;
    true
}

/// The upper half of a missing value's key: above all numbers.
const MISSING: u64 = u32::MAX as u64;

/// Bits that order as the values do.
#[inline(always)]
pub(super) fn order(value: f32) -> u32 {
    if value.is_nan() {
        return MISSING as u32;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_numbers_and_puts_missing_ones_last() {
        let values = [f32::MIN, -1.0, -1e-40, 0.0, 1e-40, 2.0, f32::MAX, f32::NAN];
        assert!(values.windows(2).all(|pair| order(pair[0]) < order(pair[1])));
        assert_eq!(order(-0.0), order(0.0));
        assert_eq!(order(-f32::NAN), order(f32::NAN));
    }

    #[test]
    fn sorts_few_values_as_many() {
        let mut keys: Vec<u64> = (0..200).map(|row| (row * 7 % 5) << 32 | row).collect();
        let mut expected = keys.clone();
        expected.sort_unstable();
        assert!(sort_few(&mut keys));
        assert_eq!(keys, expected);
        assert!(!sort_few(&mut (0..200).map(|row| row << 32 | row).collect()));
    }
}
