//! Numbers as places in a table of those that differ.

use std::{cmp::Ordering, hash::Hash};

use super::{
    bincode::{get, invalid, put},
    narrow::Narrow,
};
use crate::Result;

#[derive(Debug)]
pub(super) struct Dictionary {
    table: Vec<f64>,
    places: Narrow,
}

impl Dictionary {
    pub(super) fn new(values: &[f64]) -> Self {
        let bits = values.iter().map(|value| value.to_bits());
        let (table, places) =
            table_of(bits, |a, b| f64::from_bits(*a).total_cmp(&f64::from_bits(*b)));
        Self {
            places: Narrow::new(&places),
            table: table.into_iter().map(f64::from_bits).collect(),
        }
    }

    /// The value at a place below the length that [`read`](Self::read) checked.
    #[inline]
    pub(super) fn get(&self, i: usize) -> f64 {
        self.table[self.places.get(i) as usize]
    }

    /// Whether no value of the table is infinite or NaN.
    pub(super) fn is_finite(&self) -> bool {
        self.table.iter().all(|value| value.is_finite())
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<()> {
        put(bytes, &self.table)?;
        self.places.write(bytes)
    }

    pub(super) fn read(bytes: &mut &[u8], len: usize) -> Result<Self> {
        let table: Vec<f64> = get(bytes)?;
        if !ascends(&table) {
            return Err(invalid("a table of values does not ascend"));
        }
        let places = Narrow::read(bytes, len, table.len())?;
        Ok(Self { table, places })
    }
}

/// What differs among items, in order, and where each item is in it.
pub(super) fn table_of<T: Copy + Eq + Hash>(
    items: impl Iterator<Item = T>,
    order: impl Fn(&T, &T) -> Ordering,
) -> (Vec<T>, Vec<u32>) {
    #[expect(clippy::disallowed_types, reason = "what is taken out of it is sorted")]
    let mut seen: std::collections::HashMap<T, u32> = std::collections::HashMap::new();
    let mut places: Vec<u32> = items
        .map(|item| {
            let next = seen.len() as u32;
            *seen.entry(item).or_insert(next)
        })
        .collect();
    let mut table: Vec<(T, u32)> = seen.into_iter().collect();
    table.sort_unstable_by(|a, b| order(&a.0, &b.0));
    let mut place_of = vec![0; table.len()];
    for (place, (_, first_seen)) in (0..).zip(&table) {
        place_of[*first_seen as usize] = place;
    }
    places.iter_mut().for_each(|place| *place = place_of[*place as usize]);
    (table.into_iter().map(|(item, _)| item).collect(), places)
}

/// Whether values ascend, no two of them with the same bits.
pub(super) fn ascends(table: &[f64]) -> bool {
    table.is_sorted_by(|a, b| a.total_cmp(b).is_lt())
}
