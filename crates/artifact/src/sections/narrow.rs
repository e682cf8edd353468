//! Whole numbers in as few bytes each as the largest needs.

use super::bincode::{get, invalid, put};
use crate::Result;

#[derive(Debug, PartialEq)]
pub(super) enum Narrow {
    /// All are 0.
    Zero,
    Byte(Vec<u8>),
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Narrow {
    pub(super) fn new(numbers: &[u32]) -> Self {
        match numbers.iter().max().copied().unwrap_or(0) {
            0 => Self::Zero,
            1..=0xff => Self::Byte(numbers.iter().map(|&number| number as u8).collect()),
            0x100..=0xffff => Self::Short(numbers.iter().map(|&number| number as u16).collect()),
            _ => Self::Long(numbers.to_vec()),
        }
    }

    /// The number at a place below the length that [`read`](Self::read) checked.
    #[inline]
    pub(super) fn get(&self, i: usize) -> u32 {
        match self {
            Self::Zero => 0,
            Self::Byte(numbers) => numbers[i].into(),
            Self::Short(numbers) => numbers[i].into(),
            Self::Long(numbers) => numbers[i],
        }
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Zero => put(bytes, &0_u8),
            Self::Byte(numbers) => put(bytes, &1_u8).and_then(|()| put(bytes, numbers)),
            Self::Short(numbers) => put(bytes, &2_u8).and_then(|()| put(bytes, numbers)),
            Self::Long(numbers) => put(bytes, &4_u8).and_then(|()| put(bytes, numbers)),
        }
    }

    /// Reads `len` numbers below `bound`.
    pub(super) fn read(bytes: &mut &[u8], len: usize, bound: usize) -> Result<Self> {
        let (numbers, found, largest) = match get::<u8>(bytes)? {
            0 => (Self::Zero, len, 0),
            1 => {
                let numbers: Vec<u8> = get(bytes)?;
                let (found, most) =
                    (numbers.len(), numbers.iter().fold(0, |most, &n| n.max(most)).into());
                (Self::Byte(numbers), found, most)
            }
            2 => {
                let numbers: Vec<u16> = get(bytes)?;
                let (found, most) =
                    (numbers.len(), numbers.iter().fold(0, |most, &n| n.max(most)).into());
                (Self::Short(numbers), found, most)
            }
            4 => {
                let numbers: Vec<u32> = get(bytes)?;
                let (found, most) = (numbers.len(), numbers.iter().fold(0, |most, &n| n.max(most)));
                (Self::Long(numbers), found, most)
            }
            width => return Err(invalid(&format!("{width} is no width of a number"))),
        };
        if found != len {
            return Err(invalid(&format!("a field has {found} numbers where {len} are needed")));
        }
        if len > 0 && largest as usize >= bound {
            return Err(invalid(&format!("{largest} is not below {bound}")));
        }
        Ok(numbers)
    }
}
