//! Numbers as places in a table of those that differ.

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
        let mut table = values.to_vec();
        table.sort_unstable_by(f64::total_cmp);
        table.dedup_by_key(|value| value.to_bits());
        let place = |value: &f64| table.partition_point(|other| other.total_cmp(value).is_lt());
        let places: Vec<u32> = values.iter().map(|value| place(value) as u32).collect();
        Self { places: Narrow::new(&places), table }
    }

    /// The value at a place below the length that [`read`](Self::read) checked.
    #[inline]
    pub(super) fn get(&self, i: usize) -> f64 {
        self.table[self.places.get(i) as usize]
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

/// Whether values ascend, no two of them with the same bits.
pub(super) fn ascends(table: &[f64]) -> bool {
    table.is_sorted_by(|a, b| a.total_cmp(b).is_lt())
}
