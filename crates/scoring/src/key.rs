use std::{
    fmt, fs,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::Error;

/// A key that clients may send, kept as its digest only.
///
/// Comparing takes the same time whatever the guess, its length included.
///
/// # Examples
///
/// ```
/// use spinney_scoring::Key;
///
/// let key = Key::new("open sesame");
/// assert!(key.matches("open sesame") && !key.matches("open"));
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// ```
#[derive(Clone)]
pub struct Key {
    digest: [u8; 32],
}

impl Key {
    /// Takes a key in plain text.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { digest: digest(key) }
    }

    /// Tells whether a client's key is this one.
    #[must_use]
    pub fn matches(&self, guess: &str) -> bool {
        self.compare(&digest(guess)).into()
    }

    fn compare(&self, guess: &[u8; 32]) -> Choice {
        self.digest.ct_eq(guess)
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The keys of an endpoint, a primary and perhaps a secondary one: with two, each can be changed while clients use the other.
///
/// Clones share the keys, so that a clone can change those of a running server.
///
/// # Examples
///
/// ```
/// use spinney_scoring::{Key, Keys};
///
/// let keys = Keys::new(Key::new("first"), Some(Key::new("second")));
/// assert!(keys.match_any("second"));
/// keys.replace(Key::new("third"), Some(Key::new("second")));
/// assert!(!keys.match_any("first") && keys.match_any("third"));
/// ```
#[derive(Debug, Clone)]
pub struct Keys {
    keys: Arc<RwLock<Vec<Key>>>,
}

impl Keys {
    /// Takes the primary and the secondary key.
    #[must_use]
    pub fn new(primary: Key, secondary: Option<Key>) -> Self {
        Self { keys: Arc::new(RwLock::new([primary].into_iter().chain(secondary).collect())) }
    }

    /// Reads keys from a file, one a line: the primary, and perhaps the secondary. White space around them and blank lines do not
    /// count.
    ///
    /// # Errors
    ///
    /// [`Error::ReadKeys`], or [`Error::CountKeys`] for none or more than two.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (primary, secondary) = read(path.as_ref())?;
        Ok(Self::new(primary, secondary))
    }

    /// Changes the keys, for all clones and from the next request on.
    pub fn replace(&self, primary: Key, secondary: Option<Key>) {
        let keys = [primary].into_iter().chain(secondary).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Reads the file again and changes the keys.
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file); the keys stay as they are.
    pub fn reload(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let (primary, secondary) = read(path.as_ref())?;
        self.replace(primary, secondary);
        Ok(())
    }

    /// Tells whether a client's key is one of them. All are compared, whichever it is.
    #[must_use]
    pub fn match_any(&self, guess: &str) -> bool {
        let guess = digest(guess);
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().fold(Choice::from(0), |found, key| found | key.compare(&guess)).into()
    }
}

fn read(path: &Path) -> Result<(Key, Option<Key>), Error> {
    let text = fs::read_to_string(path)
        .map_err(|source| Error::ReadKeys { path: path.to_owned(), source })?;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines[..] {
        [primary] => Ok((Key::new(primary), None)),
        [primary, secondary] => Ok((Key::new(primary), Some(Key::new(secondary)))),
        _ => Err(Error::CountKeys { path: path.to_owned(), found: lines.len() }),
    }
}
