//! Flags, eight in a byte, the first in the lowest bit.

use super::bincode::{get, invalid, put};
use crate::Result;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    len: usize,
}

impl FromIterator<bool> for Bits {
    fn from_iter<I: IntoIterator<Item = bool>>(flags: I) -> Self {
        let mut bits = Self::default();
        flags.into_iter().for_each(|flag| bits.push(flag));
        bits
    }
}

impl Bits {
    fn push(&mut self, flag: bool) {
        if self.len.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(flag) << (self.len % 8);
        }
        self.len += 1;
    }

    pub(super) fn get(&self, i: usize) -> bool {
        self.bytes[i / 8] >> (i % 8) & 1 == 1
    }

    pub(super) fn count_ones(&self) -> usize {
        self.bytes.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<()> {
        put(bytes, &self.bytes)
    }

    /// Reads `len` flags. Bits behind the last have to be zero: one forest is written in one way only.
    pub(super) fn read(bytes: &mut &[u8], len: usize) -> Result<Self> {
        let flags: Vec<u8> = get(bytes)?;
        if flags.len() != len.div_ceil(8) {
            return Err(invalid("a field of flags has another length than it should"));
        }
        let unused = flags
            .last()
            .map_or(0, |last| if len.is_multiple_of(8) { 0 } else { last >> (len % 8) });
        if unused != 0 {
            return Err(invalid("unused bits of a field of flags are set"));
        }
        Ok(Self { bytes: flags, len })
    }
}
