//! Numbers that can be told from others but for their last bits: how many numbers of the type they are off.

use std::ops::Range;

use super::bincode::{get, invalid, put};
use crate::Result;

/// For each number its distance from what was expected, in the narrowest form that takes least room in all.
#[derive(Debug)]
pub(super) enum Residuals {
    /// All are as expected.
    Zero,
    Byte(Escaped<i8>),
    Short(Escaped<i16>),
    Long(Escaped<i32>),
    /// The numbers themselves.
    Values(Vec<f64>),
}

/// Distances; the smallest number of the type says that the number itself is the next of `values`.
#[derive(Debug)]
pub(super) struct Escaped<T> {
    distances: Vec<T>,
    values: Vec<f64>,
}

/// Bits that count as the numbers do, so that neighbours differ by one.
fn ordinal(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn from_ordinal(ordinal: i64) -> f64 {
    f64::from_bits((ordinal ^ ((ordinal >> 63) as u64 >> 1) as i64) as u64)
}

/// A number, or 0 if it is not finite: the bits of NaN vary from machine to machine.
pub(super) fn firm(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

impl<T: Copy + TryFrom<i64> + PartialEq> Escaped<T> {
    fn new(values: &[f64], distances: &[i64], escape: T) -> Self {
        let mut escaped = Vec::new();
        let narrow = |(&value, &distance): (&f64, &i64)| match T::try_from(distance) {
            Ok(distance) if distance != escape => distance,
            _ => {
                escaped.push(value);
                escape
            }
        };
        let distances = values.iter().zip(distances).map(narrow).collect();
        Self { distances, values: escaped }
    }

    fn n_bytes(&self) -> usize {
        self.distances.len() * size_of::<T>() + self.values.len() * size_of::<f64>()
    }

    fn check(&self, len: usize, escape: T) -> Result<()> {
        let n_escaped = self.distances.iter().filter(|distance| **distance == escape).count();
        if self.distances.len() == len && self.values.len() == n_escaped {
            Ok(())
        } else {
            Err(invalid("a field of distances has another length than it should"))
        }
    }
}

impl Residuals {
    pub(super) fn new(values: &[f64], expected: &[f64]) -> Self {
        let distance = |(&value, &expected): (&f64, &f64)| {
            ordinal(value).wrapping_sub(ordinal(firm(expected)))
        };
        let distances: Vec<i64> = values.iter().zip(expected).map(distance).collect();
        if distances.iter().all(|&distance| distance == 0) {
            return Self::Zero;
        }
        let byte = Escaped::new(values, &distances, i8::MIN);
        let short = Escaped::new(values, &distances, i16::MIN);
        let long = Escaped::new(values, &distances, i32::MIN);
        let whole = size_of_val(values);
        let sizes = [byte.n_bytes(), short.n_bytes(), long.n_bytes(), whole];
        match sizes.iter().min() {
            Some(&least) if least == sizes[0] => Self::Byte(byte),
            Some(&least) if least == sizes[1] => Self::Short(short),
            Some(&least) if least == sizes[2] => Self::Long(long),
            _ => Self::Values(values.to_vec()),
        }
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Zero => put(bytes, &0_u8),
            Self::Byte(Escaped { distances, values }) => {
                put(bytes, &1_u8)?;
                put(bytes, distances)?;
                put(bytes, values)
            }
            Self::Short(Escaped { distances, values }) => {
                put(bytes, &2_u8)?;
                put(bytes, distances)?;
                put(bytes, values)
            }
            Self::Long(Escaped { distances, values }) => {
                put(bytes, &4_u8)?;
                put(bytes, distances)?;
                put(bytes, values)
            }
            Self::Values(values) => {
                put(bytes, &8_u8)?;
                put(bytes, values)
            }
        }
    }

    pub(super) fn read(bytes: &mut &[u8], len: usize) -> Result<Self> {
        Ok(match get::<u8>(bytes)? {
            0 => Self::Zero,
            1 => {
                let byte = Escaped { distances: get(bytes)?, values: get(bytes)? };
                byte.check(len, i8::MIN)?;
                Self::Byte(byte)
            }
            2 => {
                let short = Escaped { distances: get(bytes)?, values: get(bytes)? };
                short.check(len, i16::MIN)?;
                Self::Short(short)
            }
            4 => {
                let long = Escaped { distances: get(bytes)?, values: get(bytes)? };
                long.check(len, i32::MIN)?;
                Self::Long(long)
            }
            8 => {
                let values: Vec<f64> = get(bytes)?;
                if values.len() != len {
                    return Err(invalid("a field of values has another length than it should"));
                }
                Self::Values(values)
            }
            width => return Err(invalid(&format!("{width} is no width of a distance"))),
        })
    }
}

/// How many numbers before a place are kept as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Escapes(usize);

impl Escapes {
    /// Goes past a range of numbers.
    pub(super) fn pass(&mut self, residuals: &Residuals, places: Range<usize>) {
        fn count<T: PartialEq>(distances: &[T], escape: &T) -> usize {
            distances.iter().filter(|distance| *distance == escape).count()
        }
        self.0 += match residuals {
            Residuals::Zero | Residuals::Values(_) => 0,
            Residuals::Byte(byte) => count(&byte.distances[places], &i8::MIN),
            Residuals::Short(short) => count(&short.distances[places], &i16::MIN),
            Residuals::Long(long) => count(&long.distances[places], &i32::MIN),
        };
    }
}

impl Residuals {
    /// The number at a place below the length that [`read`](Self::read) checked, by what is expected of it.
    #[inline]
    pub(super) fn restore(&self, place: usize, expected: f64, escapes: &mut Escapes) -> f64 {
        let (distance, values) = match self {
            Self::Zero => (Some(0), &[][..]),
            Self::Byte(Escaped { distances, values }) => {
                (Some(distances[place]).filter(|d| *d != i8::MIN).map(i64::from), &values[..])
            }
            Self::Short(Escaped { distances, values }) => {
                (Some(distances[place]).filter(|d| *d != i16::MIN).map(i64::from), &values[..])
            }
            Self::Long(Escaped { distances, values }) => {
                (Some(distances[place]).filter(|d| *d != i32::MIN).map(i64::from), &values[..])
            }
            Self::Values(values) => return values[place],
        };
        match distance {
            Some(distance) => from_ordinal(ordinal(firm(expected)).wrapping_add(distance)),
            None => {
                escapes.0 += 1;
                values[escapes.0 - 1]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn survives(values: &[f64], expected: &[f64]) -> usize {
        let residuals = Residuals::new(values, expected);
        let mut bytes = Vec::new();
        residuals.write(&mut bytes).unwrap();
        let read = Residuals::read(&mut &bytes[..], values.len()).unwrap();
        let half = values.len() / 2;
        let mut escapes = Escapes::default();
        // Also from the middle on, as trees begin.
        escapes.pass(&read, 0..half);
        for (place, (value, expected)) in values.iter().zip(expected).enumerate().skip(half) {
            let restored = read.restore(place, *expected, &mut escapes);
            assert_eq!(restored.to_bits(), value.to_bits(), "{value} from {expected}");
        }
        bytes.len()
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![any::<u64>().prop_map(f64::from_bits), -10.0..10.0, Just(0.0), Just(-0.0)]
    }

    proptest! {
        #[test]
        fn any_numbers_survive(pairs in prop::collection::vec((number(), number()), 0..50)) {
            let (values, expected): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            survives(&values, &expected);
        }

        #[test]
        fn neighbours_take_a_byte(steps in prop::collection::vec(-127_i64..128, 1..50)) {
            let expected = vec![1.5; steps.len()];
            let values: Vec<f64> =
                steps.iter().map(|step| from_ordinal(ordinal(1.5) + step)).collect();
            let most = 1 + 8 + steps.len() + 8;
            prop_assert!(survives(&values, &expected) <= most);
        }
    }

    #[test]
    fn neighbours_differ_by_one() {
        for value in [1.0_f64, -1.0, 1e300, -1e-300, 5e-324, f64::MAX] {
            assert_eq!(ordinal(value.next_up()) - ordinal(value), 1, "{value}");
            assert_eq!(from_ordinal(ordinal(value)).to_bits(), value.to_bits());
        }
        assert_eq!(ordinal(0.0) - ordinal(-0.0), 1);
    }
}
