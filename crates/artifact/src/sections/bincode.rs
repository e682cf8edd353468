//! Sequences in bincode's default encoding.

use wincode::{SchemaReadOwned, SchemaWrite, config::Configuration};

use crate::{Error, Result};

/// The default encoding of bincode 1. Its bound on one sequence is lifted: sequences are read from a slice, and wincode
/// checks a claimed length against what the slice holds before it allocates.
type Bincode = Configuration<true, { usize::MAX }>;

const BINCODE: Bincode = Configuration::default().disable_preallocation_size_limit();

pub(super) fn put<T: SchemaWrite<Bincode, Src = T>>(bytes: &mut Vec<u8>, value: &T) -> Result<()> {
    wincode::config::serialize_into(bytes, value, BINCODE)
        .map_err(|error| invalid(&error.to_string()))
}

pub(super) fn get<T: SchemaReadOwned<Bincode, Dst = T>>(bytes: &mut &[u8]) -> Result<T> {
    wincode::config::deserialize_from(bytes, BINCODE).map_err(|error| invalid(&error.to_string()))
}

/// The end of a section.
pub(super) fn end(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { Err(invalid("bytes follow the last field")) }
}

pub(super) fn invalid(problem: &str) -> Error {
    Error::ForestSection { problem: problem.to_owned() }
}
