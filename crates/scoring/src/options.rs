use std::time::Duration;

use crate::Key;

/// How a server treats requests.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use spinney_scoring::{Key, ServerOptions};
///
/// let options = ServerOptions::default()
///     .key(Key::new("secret"))
///     .max_body_bytes(1 << 20)
///     .request_timeout(Duration::from_secs(5));
/// ```
#[derive(Debug, Clone)]
pub struct ServerOptions {
    pub(crate) key: Option<Key>,
    pub(crate) max_body_bytes: usize,
    pub(crate) request_timeout: Duration,
}

impl Default for ServerOptions {
    /// No key, bodies up to 32 MiB, a minute for a request.
    fn default() -> Self {
        Self { key: None, max_body_bytes: 32 << 20, request_timeout: Duration::from_secs(60) }
    }
}

impl ServerOptions {
    /// Sets the key that `POST /score` asks for; without one anybody may score.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the length in bytes above which a body is refused.
    #[must_use]
    pub fn max_body_bytes(mut self, max_body_bytes: usize) -> Self {
        self.max_body_bytes = max_body_bytes;
        self
    }

    /// Sets the time after which a request is given up, from its head to its answer.
    #[must_use]
    pub fn request_timeout(mut self, request_timeout: Duration) -> Self {
        self.request_timeout = request_timeout;
        self
    }
}
