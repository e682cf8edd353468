use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{Endpoint, ServerOptions, metrics::Metrics, pool::Pool};

/// What all requests share.
pub(crate) struct App {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) options: ServerOptions,
    pub(crate) pool: Pool,
    pub(crate) metrics: Metrics,
    has_started: AtomicBool,
}

impl App {
    pub(crate) fn new(endpoint: Arc<Endpoint>, options: ServerOptions) -> Self {
        let metrics = Metrics::new(&endpoint);
        let pool = Pool::new(options.concurrency.get(), options.queue_limit);
        Self { endpoint, options, pool, metrics, has_started: AtomicBool::new(false) }
    }

    /// Whether there was a time when every deployment with traffic had its model.
    pub(crate) fn has_started(&self) -> bool {
        let has_started = self.has_started.load(Ordering::Relaxed) || self.endpoint.is_ready();
        self.has_started.store(has_started, Ordering::Relaxed);
        has_started
    }
}
