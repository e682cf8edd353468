use axum::http::request::Parts;

use super::{authenticate, claims, reply::Refusal};
use crate::{door::Door, moment::Moment, token::Claims, world::World};

/// By which way a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plane {
    /// Azure Resource Manager.
    Management,
    /// The machine-learning service itself, which endpoints are parts of: it knows the jobs of batch endpoints, by the same paths.
    Learning,
}

/// Whom tokens for machine learning are issued for: by Azure's names, and by those that the SDK makes up for this cloud.
pub(crate) const LEARNING_AUDIENCES: [&str; 2] = ["https://ml.azure.com", "https://ml.azure.test"];

/// Likewise, as far as a door knows them: at the local one the SDK makes up a name of its own for the service.
pub(super) fn learning_audiences(door: Door) -> &'static [&'static str] {
    match door {
        Door::Azure => &LEARNING_AUDIENCES[..1],
        Door::Local { .. } => &LEARNING_AUDIENCES,
    }
}

impl Plane {
    /// Who asks, by a token of ours that was issued for this way.
    pub(super) fn claims(
        self,
        world: &World,
        door: Door,
        parts: &Parts,
        now: Moment,
    ) -> Result<Claims, Refusal> {
        match self {
            Self::Management => claims(world, door, parts, now),
            Self::Learning => authenticate(world, parts, now, |audience| {
                learning_audiences(door).contains(&audience)
            }),
        }
    }
}

/// `../batchEndpoints/NAME[/deployments/NAME]/jobs[/NAME]`, in lower case.
pub(super) fn is_about_batch_jobs(words: &[&str]) -> bool {
    let behind = words.get(8..).unwrap_or_default();
    matches!(
        behind,
        ["batchendpoints", _, "jobs"]
            | ["batchendpoints", _, "jobs", _]
            | ["batchendpoints", _, "deployments", _, "jobs"]
    )
}
