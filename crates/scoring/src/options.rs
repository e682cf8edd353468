use std::{num::NonZeroUsize, thread, time::Duration};

use axum::http::HeaderValue;

use crate::{AnswerStyle, Key, Keys};

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
    pub(crate) keys: Option<Keys>,
    pub(crate) max_body_bytes: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) answer_style: AnswerStyle,
    pub(crate) errors_in_answers: bool,
    pub(crate) echo_values: bool,
    pub(crate) concurrency: NonZeroUsize,
    pub(crate) queue_limit: usize,
    pub(crate) cors_origins: Vec<HeaderValue>,
    pub(crate) service: Service,
    pub(crate) version_header: bool,
    pub(crate) header_timeout: Duration,
    pub(crate) max_connections: usize,
    pub(crate) connection_threads: Option<NonZeroUsize>,
    pub(crate) drain_timeout: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::Tls>,
}

/// How API documents call the service.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) path_prefix: String,
}

impl Default for ServerOptions {
    /// No key, bodies up to 32 MiB, a minute for a request, native answers; as many requests scored at once as there are
    /// processors, 128 more waiting.
    fn default() -> Self {
        Self {
            keys: None,
            max_body_bytes: 32 << 20,
            request_timeout: Duration::from_secs(60),
            answer_style: AnswerStyle::Native,
            errors_in_answers: false,
            echo_values: false,
            concurrency: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue_limit: 128,
            cors_origins: Vec::new(),
            service: Service {
                name: "ML service".to_owned(),
                version: "1.0".to_owned(),
                path_prefix: String::new(),
            },
            version_header: true,
            header_timeout: Duration::from_secs(60),
            max_connections: 20_000,
            connection_threads: None,
            drain_timeout: Duration::from_secs(30),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl ServerOptions {
    /// Sets one key that all routes but those for liveness and readiness ask for; without one anybody may score.
    #[must_use]
    pub fn key(self, key: Key) -> Self {
        self.keys(Keys::new(key, None))
    }

    /// Sets keys, likewise. A clone of them changes them while the server runs.
    #[must_use]
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Sets the length in bytes above which a body is refused; of one that is encoded, the length when it is decoded.
    #[must_use]
    pub fn max_body_bytes(mut self, max_body_bytes: usize) -> Self {
        self.max_body_bytes = max_body_bytes;
        self
    }

    /// Sets the time after which a request is given up, from its head to its answer. One that still waits is never scored.
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

    /// Repeats in a refusal the values that were refused. Values may be personal, and what a client gets may end in its logs.
    #[must_use]
    pub fn echo_values(mut self, echo_values: bool) -> Self {
        self.echo_values = echo_values;
        self
    }

    /// Sets how many requests are scored at once. Small ones that [take microseconds](crate::Scorer::is_quick) do not count.
    #[must_use]
    pub fn concurrency(mut self, concurrency: NonZeroUsize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets how many requests may wait for that; more are answered with 429. With 0 none waits.
    #[must_use]
    pub fn queue_limit(mut self, queue_limit: usize) -> Self {
        self.queue_limit = queue_limit;
        self
    }

    /// Lets pages from these origins call the server from a browser; `*` stands for all. Those that no header can hold are
    /// left out.
    #[must_use]
    pub fn cors_origins<S: AsRef<str>>(mut self, origins: impl IntoIterator<Item = S>) -> Self {
        let header = |origin: S| HeaderValue::from_str(origin.as_ref()).ok();
        self.cors_origins = origins.into_iter().filter_map(header).collect();
        self
    }

    /// Sets what `swagger.json` says about the service: its name, its version, and what stands before its paths. Routes stay where
    /// they are.
    #[must_use]
    pub fn service(
        mut self,
        name: impl Into<String>,
        version: impl Into<String>,
        path_prefix: impl Into<String>,
    ) -> Self {
        let path_prefix = path_prefix.into().trim_matches('/').to_owned();
        self.service = Service { name: name.into(), version: version.into(), path_prefix };
        self
    }

    /// Says whether answers tell which server they come from, in `x-ms-server-version`.
    #[must_use]
    pub fn version_header(mut self, version_header: bool) -> Self {
        self.version_header = version_header;
        self
    }

    /// Sets the time a connection may take for the head of a request, and may be idle for.
    #[must_use]
    pub fn header_timeout(mut self, header_timeout: Duration) -> Self {
        self.header_timeout = header_timeout;
        self
    }

    /// Sets how many connections are open at once; more wait to be accepted.
    #[must_use]
    pub fn max_connections(mut self, max_connections: usize) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// Serves connections on so many threads that the server starts for them, each with a runtime of its own, instead of the
    /// runtime that [`Server::serve`](crate::Server::serve) is called on. A connection stays on its thread.
    ///
    /// A row is scored in microseconds, less than it costs to wake another thread for it: `serve-bundle`, which has one for each
    /// processor, takes a tenth less CPU time this way. A runtime that is shared with other work balances better.
    #[must_use]
    pub fn connection_threads(mut self, n_threads: NonZeroUsize) -> Self {
        self.connection_threads = Some(n_threads);
        self
    }

    /// Sets the time that requests under way have once the server is told to stop.
    #[must_use]
    pub fn drain_timeout(mut self, drain_timeout: Duration) -> Self {
        self.drain_timeout = drain_timeout;
        self
    }

    /// Serves over TLS only.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::Tls) -> Self {
        self.tls = Some(tls);
        self
    }
}
