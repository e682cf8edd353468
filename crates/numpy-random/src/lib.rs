#![doc = include_str!("../README.md")]

mod error;
mod pairwise;
mod random_state;

pub use error::Error;
pub use pairwise::pairwise_sum;
pub use random_state::RandomState;
