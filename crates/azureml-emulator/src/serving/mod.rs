//! What runs for deployments: processes that stand for containers.
//!
//! What is to run is in the database: a revision of each deployment with all that was looked up for it, and the last revision that was
//! ready. The supervisor starts what is not there and stops what is not wanted; a revision that is ready takes the place of the one
//! before, and one that does not get ready leaves that where it is.

mod dockerfile;
mod fleet;
mod folders;
mod instance;
mod log;
mod ports;
mod prepare;
mod prepared;
mod probing;
mod progress;
mod rows;
mod script;
mod spec;
mod supervisor;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::body::Body;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use self::ports::Ports;
pub(crate) use self::{
    fleet::{Fleet, Seat},
    log::{container_log, initializer_log},
    rows::Rows,
    spec::{Container, Model, Probe, Routes, Spec},
    supervisor::supervise,
};

pub(crate) type HttpClient = Client<HttpConnector, Body>;

/// What runs now.
pub(crate) struct Serving {
    lives: Mutex<BTreeMap<String, Arc<Live>>>,
    ports: Ports,
    /// Connections to the programs, which are kept.
    pub(crate) client: HttpClient,
}

/// What stands behind a deployment at the moment: nothing, or what was ready last.
#[derive(Default)]
pub(crate) struct Live(RwLock<Option<Arc<Fleet>>>);

impl Live {
    pub(crate) fn fleet(&self) -> Option<Arc<Fleet>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another fleet into the place, and returns the one that was there.
    fn replace(&self, fleet: Option<Arc<Fleet>>) -> Option<Arc<Fleet>> {
        std::mem::replace(&mut self.0.write().unwrap_or_else(PoisonError::into_inner), fleet)
    }
}

impl Default for Serving {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        // A request is one write: waiting for more to send with it would only delay it.
        connector.set_nodelay(true);
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { lives: Mutex::default(), ports: Ports::default(), client }
    }
}

impl Serving {
    /// What stands behind a deployment, by its id; for good, whatever is put there.
    pub(crate) fn live(&self, id: &str) -> Arc<Live> {
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lives.entry(id.to_lowercase()).or_default())
    }

    fn forget(&self, key: &str) {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
