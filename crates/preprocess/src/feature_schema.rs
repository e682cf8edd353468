use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// The features a transform makes, in order, and a hash of how it makes them.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::{InputSchema, Preprocessor, Table};
///
/// let schema = InputSchema::builder().numeric(["Area"]).categorical(["Street"]).build()?;
/// let train = Table::from_csv_reader("Area,Street\n1,Pave\n2,Grvl\n".as_bytes(), &schema)?;
/// let fitted = Preprocessor::builder(&schema).one_hot(["Street"]).build()?.fit(&train)?;
/// let features = fitted.feature_schema();
/// assert_eq!(features.names(), ["Area", "Street_Grvl", "Street_Pave"]);
/// assert_eq!(features.position("Street_Pave"), Some(2));
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSchema {
    names: Vec<String>,
    positions: BTreeMap<String, usize>,
    hash: SchemaHash,
}

impl FeatureSchema {
    pub(crate) fn new(names: Vec<String>, hash: SchemaHash) -> Self {
        let positions = names.iter().cloned().zip(0..).collect();
        Self { names, positions, hash }
    }

    /// Returns the names in order. No two are the same.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the number of features, at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Tells whether there is no feature: never, of a schema that a fit made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the place of a feature.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Returns the hash of the transform params: of the steps and all they learned, not of the
    /// names only.
    #[must_use]
    pub fn hash(&self) -> SchemaHash {
        self.hash
    }
}

/// SHA-256 of [`TransformParams`](crate::TransformParams) in canonical JSON; shown and parsed as 64
/// hexadecimal digits.
///
/// # Examples
///
/// ```
/// use spinney_preprocess::SchemaHash;
///
/// let hash = SchemaHash::from_bytes([0xab; 32]);
/// assert_eq!(hash.to_string(), "ab".repeat(32));
/// assert_eq!(hash.to_string().parse::<SchemaHash>()?, hash);
/// # Ok::<(), spinney_preprocess::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SchemaHash([u8; 32]);

impl SchemaHash {
    /// Wraps a hash, as read from a file.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SchemaHash({self})")
    }
}

impl FromStr for SchemaHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::InvalidHash)?;
        Ok(Self(bytes))
    }
}

impl Serialize for SchemaHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SchemaHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
