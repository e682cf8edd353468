//! The bytes around header and sections; the crate page holds their specification.

use serde::{Deserialize, Serialize};
use spinney_preprocess::TransformParams;

use crate::{BundleMetadata, Error, Fingerprint, Result};

/// The first bytes of every bundle. The line end shows when a transfer has changed line ends.
pub const MAGIC: [u8; 16] = *b"spinney bundle\r\n";

/// The format version that this release writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// The longest header that is read: room for a few hundred thousand categories.
pub const MAX_HEADER_LEN: u64 = 64 << 20;

const CHECKSUM_LEN: usize = 32;

/// The readable part of a bundle.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) metadata: BundleMetadata,
    pub(crate) schema_hash: String,
    pub(crate) transform_params: TransformParams,
}

/// Puts a bundle together; the checksum is its fingerprint.
pub(crate) fn write(header: &Header, forest: &[u8]) -> Result<(Vec<u8>, Fingerprint)> {
    let mut json = serde_json::to_vec_pretty(header).map_err(Error::Header)?;
    json.push(b'\n');
    let mut bytes = Vec::with_capacity(MAGIC.len() + 20 + json.len() + forest.len() + CHECKSUM_LEN);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT_VERSION.to_le_bytes());
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(&json);
    bytes.extend((forest.len() as u64).to_le_bytes());
    bytes.extend(forest);
    let fingerprint = Fingerprint::of(&bytes);
    bytes.extend(fingerprint.as_bytes());
    Ok((bytes, fingerprint))
}

/// Takes a bundle apart. Lengths are checked against the bytes that are there before anything is allocated, and the checksum
/// before anything is parsed.
pub(crate) fn read(bytes: &[u8]) -> Result<(Header, &[u8], Fingerprint)> {
    let mut reader = Reader { rest: bytes };
    if !bytes.starts_with(&MAGIC) {
        let cut_off = !bytes.is_empty() && MAGIC.starts_with(bytes);
        return Err(if cut_off {
            reader.truncated("the magic", MAGIC.len() as u64)
        } else {
            Error::NotABundle
        });
    }
    reader.take(MAGIC.len() as u64, "the magic")?;
    let version = u32::from_le_bytes(reader.array("the format version")?);
    if version != FORMAT_VERSION {
        return Err(Error::UnsupportedVersion { found: version, supported: FORMAT_VERSION });
    }
    let header_len = u64::from_le_bytes(reader.array("the header's length")?);
    if header_len > MAX_HEADER_LEN {
        return Err(Error::HeaderTooLong { claimed: header_len, max: MAX_HEADER_LEN });
    }
    let header = reader.take(header_len, "the header")?;
    let forest_len = u64::from_le_bytes(reader.array("the forest's length")?);
    let forest = reader.take(forest_len, "the forest")?;
    let contents = &bytes[..bytes.len() - reader.rest.len()];
    let checksum: [u8; CHECKSUM_LEN] = reader.array("the checksum")?;
    if !reader.rest.is_empty() {
        return Err(Error::TrailingBytes { extra: reader.rest.len() });
    }
    let fingerprint = Fingerprint::of(contents);
    if fingerprint != Fingerprint::from_bytes(checksum) {
        return Err(Error::ChecksumMismatch);
    }
    let header = serde_json::from_slice(header).map_err(Error::Header)?;
    Ok((header, forest, fingerprint))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: u64, part: &'static str) -> Result<&'a [u8]> {
        let split = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let (taken, rest) = split.ok_or_else(|| self.truncated(part, len))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N]> {
        let (array, rest) =
            self.rest.split_first_chunk().ok_or_else(|| self.truncated(part, N as u64))?;
        self.rest = rest;
        Ok(*array)
    }

    fn truncated(&self, part: &'static str, needed: u64) -> Error {
        Error::Truncated { part, needed, available: self.rest.len() as u64 }
    }
}
