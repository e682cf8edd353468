use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The key that clients have to send, kept as its digest only.
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
        Self { digest: Sha256::digest(key).into() }
    }

    /// Tells whether a client's key is this one.
    #[must_use]
    pub fn matches(&self, guess: &str) -> bool {
        let guess: [u8; 32] = Sha256::digest(guess).into();
        self.digest.ct_eq(&guess).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}
