use std::sync::Arc;

use crate::{Endpoint, ServerOptions, metrics::Metrics, pool::Pool};

/// What all requests share.
pub(crate) struct App {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) options: ServerOptions,
    pub(crate) pool: Pool,
    pub(crate) metrics: Metrics,
}

impl App {
    pub(crate) fn new(endpoint: Arc<Endpoint>, options: ServerOptions) -> Self {
        let pool = Pool::new(options.concurrency.get(), options.queue_limit);
        Self { endpoint, options, pool, metrics: Metrics::default() }
    }
}
