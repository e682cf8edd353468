//! A forest as sections of a bundle; the crate page holds their specification.

mod bincode;
mod bits;
mod dictionary;
mod forest;
mod narrow;
mod packed_forest;
mod residuals;
mod statistics;

pub(crate) use self::packed_forest::{PackedForest, to_bytes};
