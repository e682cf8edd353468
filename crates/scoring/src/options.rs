use std::time::Duration;

use crate::{AnswerStyle, Key};

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
    pub(crate) answer_style: AnswerStyle,
    pub(crate) errors_in_answers: bool,
}

impl Default for ServerOptions {
    /// No key, bodies up to 32 MiB, a minute for a request, native answers.
    fn default() -> Self {
        Self {
            key: None,
            max_body_bytes: 32 << 20,
            request_timeout: Duration::from_secs(60),
            answer_style: AnswerStyle::Native,
            errors_in_answers: false,
        }
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

    /// Sets the form of answers, and with it whether what a request does not say is guessed or refused.
    #[must_use]
    pub fn answer_style(mut self, answer_style: AnswerStyle) -> Self {
        self.answer_style = answer_style;
        self
    }

    /// Answers requests that cannot be scored with 200 and a JSON string that contains `{"error": ..}`, as the workshop's
    /// first scoring script does. Clients that look at the status alone take that for an answer.
    #[must_use]
    pub fn errors_in_answers(mut self, errors_in_answers: bool) -> Self {
        self.errors_in_answers = errors_in_answers;
        self
    }
}
