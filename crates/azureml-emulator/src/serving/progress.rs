use std::sync::Arc;

use rusqlite::Connection;

use super::rows::{Phase, Rows};
use crate::world::World;

/// Writes down how far a revision has come, for its log.
pub(super) struct Progress {
    pub(super) world: Arc<World>,
    pub(super) key: String,
    pub(super) revision: i64,
}

impl Progress {
    /// Says which phase begins. Of a revision that was ready once there is nothing to say.
    pub(super) async fn enter(&self, phase: Phase) {
        let (key, revision) = (self.key.clone(), self.revision);
        let written = with_database(&self.world, move |_, connection| {
            Rows(connection).set_phase(&key, revision, phase)
        });
        if let Err(error) = written.await {
            tracing::warn!(error, "the log of a deployment is behind");
        }
    }
}

/// Works on the database, away from the threads that serve.
pub(super) async fn with_database<T: Send + 'static>(
    world: &Arc<World>,
    work: impl FnOnce(&World, &Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, String> {
    let world = Arc::clone(world);
    let worked = tokio::task::spawn_blocking(move || {
        world.store.transaction(|connection| work(&world, connection))
    });
    worked
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error: rusqlite::Error| error.to_string())
}
