use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// What a deployment runs: everything that was looked up when it was put, so that nothing that is registered later changes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) model: Option<Model>,
    pub(crate) container: Container,
    pub(crate) routes: Routes,
    pub(crate) variables: BTreeMap<String, String>,
    /// How many instances there are to be.
    pub(crate) capacity: u64,
    /// Requests that each instance works on at once.
    pub(crate) concurrency: u64,
    pub(crate) timeout: Duration,
    pub(crate) liveness: Probe,
    pub(crate) readiness: Probe,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) place: Place,
    /// The folder of the container that has folders of names and versions in it.
    pub(crate) mount: String,
}

/// Which program stands for the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Container {
    /// Spinney's scoring runtime, for an image that is not there.
    Runtime { image: String },
    /// A scoring script under Azure ML's inference server.
    Script { code: Place, script: String },
    /// What a Dockerfile says.
    Build { context: Place, dockerfile: String },
}

/// The paths that the container answers at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routes {
    pub(crate) scoring: String,
    pub(crate) liveness: String,
    pub(crate) readiness: String,
    /// The port that the environment says, if it says one.
    pub(crate) port: Option<u16>,
}

/// How the health of the container is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probe {
    pub(crate) initial_delay: Duration,
    pub(crate) period: Duration,
    pub(crate) timeout: Duration,
    pub(crate) failures: u64,
    pub(crate) successes: u64,
}

impl Probe {
    /// How long after its start a container has failed that was never healthy.
    pub(crate) fn patience(&self) -> Duration {
        let failures = u32::try_from(self.failures).unwrap_or(u32::MAX);
        self.initial_delay.saturating_add(self.period.saturating_mul(failures))
    }
}

/// How many processes a deployment has at most: more instances are counted, and share them.
pub(crate) const MAX_PROCESSES: u64 = 4;

impl Spec {
    /// How many processes there are: one for each instance, up to a number that a laptop bears.
    pub(crate) fn n_processes(&self) -> u64 {
        self.capacity.clamp(1, MAX_PROCESSES)
    }

    /// How many requests are worked on at once.
    pub(crate) fn n_at_once(&self) -> u64 {
        self.concurrency.saturating_mul(self.capacity)
    }

    /// How many may be under way, those included that wait.
    pub(crate) fn n_under_way(&self) -> u64 {
        self.n_at_once().saturating_mul(2)
    }
}
