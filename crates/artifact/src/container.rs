//! The bytes around header and sections; the crate page holds their specification.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use spinney_preprocess::TransformParams;

use crate::{BundleMetadata, Error, Fingerprint, Limits, Result};

/// The first bytes of every bundle. The line end shows when a transfer has changed line ends.
pub const MAGIC: [u8; 16] = *b"spinney bundle\r\n";

/// The format version that this release writes and reads.
pub const FORMAT_VERSION: u32 = 1;

const FINGERPRINT_LEN: usize = 32;
/// Magic, version and the length of the header.
const PREFIX_LEN: usize = MAGIC.len() + 4 + 8;

/// The sections behind the header, in their order.
const SECTIONS: [&str; 2] = ["forest", "statistics"];

/// The readable part of a bundle.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) metadata: BundleMetadata,
    pub(crate) schema_hash: String,
    pub(crate) transform_params: TransformParams,
    pub(crate) sections: [Section; SECTIONS.len()],
}

/// One section, as the header lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    name: String,
    bytes: u64,
    sha256: Fingerprint,
}

impl Section {
    /// What the section holds.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether it holds no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> Fingerprint {
        self.sha256
    }
}

/// Lists sections for a header.
pub(crate) fn list(contents: [&[u8]; SECTIONS.len()]) -> [Section; SECTIONS.len()] {
    let mut names = SECTIONS.iter();
    contents.map(|bytes| Section {
        name: names.next().map_or_else(String::new, |&name| name.to_owned()),
        bytes: bytes.len() as u64,
        sha256: Fingerprint::of(bytes),
    })
}

/// Everything before the sections; the hash of it, which covers the hashes of the sections, is the fingerprint.
pub(crate) fn write(header: &Header) -> Result<(Vec<u8>, Fingerprint)> {
    let mut json = serde_json::to_vec_pretty(header).map_err(Error::Header)?;
    json.push(b'\n');
    let mut bytes = Vec::with_capacity(PREFIX_LEN + json.len() + FINGERPRINT_LEN);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT_VERSION.to_le_bytes());
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(&json);
    let fingerprint = Fingerprint::of(&bytes);
    bytes.extend(fingerprint.as_bytes());
    Ok((bytes, fingerprint))
}

/// How many bytes there are before the sections, told from the first bytes of a file.
pub(crate) fn head_len(bytes: &[u8], limits: &Limits) -> Result<u64> {
    Ok(PREFIX_LEN as u64 + prefix(&mut Reader { rest: bytes }, limits)? + FINGERPRINT_LEN as u64)
}

/// The first bytes of a file that [`head_len`] needs.
pub(crate) const fn prefix_len() -> usize {
    PREFIX_LEN
}

/// Reads what is before the sections, whose bytes are left. The hash is checked before anything is parsed.
pub(crate) fn read_head<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(Header, Fingerprint, &'a [u8])> {
    let mut reader = Reader { rest: bytes };
    let header_len = prefix(&mut reader, limits)?;
    let header = reader.take(header_len, "the header")?;
    let contents = &bytes[..bytes.len() - reader.rest.len()];
    let claimed = Fingerprint::from_bytes(reader.array("the header's hash")?);
    let fingerprint = Fingerprint::of(contents);
    if fingerprint != claimed {
        return Err(Error::ChecksumMismatch { part: "the header".to_owned() });
    }
    let header: Header = serde_json::from_slice(header).map_err(Error::Header)?;
    for (section, expected) in header.sections.iter().zip(SECTIONS) {
        if section.name != expected {
            return Err(Error::UnknownSection { name: section.name.clone(), expected });
        }
    }
    Ok((header, fingerprint, reader.rest))
}

/// Takes the sections apart. Lengths are checked against the bytes that are there, hashes before anything is parsed.
pub(crate) fn read_sections<'a>(
    header: &Header,
    bytes: &'a [u8],
) -> Result<[&'a [u8]; SECTIONS.len()]> {
    let mut reader = Reader { rest: bytes };
    let mut sections = [&[][..]; SECTIONS.len()];
    for (contents, (section, name)) in sections.iter_mut().zip(header.sections.iter().zip(SECTIONS))
    {
        *contents = reader.take(section.bytes, name)?;
    }
    if !reader.rest.is_empty() {
        return Err(Error::TrailingBytes { extra: reader.rest.len() });
    }
    let damaged = sections
        .par_iter()
        .zip(&header.sections)
        .find_first(|(contents, section)| Fingerprint::of(contents) != section.sha256);
    match damaged {
        Some((_, section)) => {
            Err(Error::ChecksumMismatch { part: format!("section `{}`", section.name) })
        }
        None => Ok(sections),
    }
}

/// Reads magic and version and returns the length of the header.
fn prefix(reader: &mut Reader<'_>, limits: &Limits) -> Result<u64> {
    let bytes = reader.rest;
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
    limits.check_header(header_len)?;
    Ok(header_len)
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
