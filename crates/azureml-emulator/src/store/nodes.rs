use rusqlite::{Connection, Row, params};

use crate::moment::Moment;

/// The nodes of clusters.
#[derive(Clone, Copy)]
pub(crate) struct Nodes<'a>(pub(crate) &'a Connection);

pub(super) const SCHEMA: &str = "
-- The compute and the run that a node works for are keys of theirs.
CREATE TABLE node (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    compute TEXT NOT NULL,
    ready INTEGER NOT NULL,
    idle_since INTEGER NOT NULL,
    run TEXT
);
CREATE INDEX node_compute ON node (compute);
";

/// A machine of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: i64,
    /// When it can be worked with, or could be first.
    pub(crate) ready: Moment,
    /// Since when nothing runs on it, if nothing does.
    pub(crate) idle_since: Moment,
    /// What runs on it.
    pub(crate) run: Option<String>,
}

impl Node {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, ready: row.get(1)?, idle_since: row.get(2)?, run: row.get(3)? })
    }

    /// Whether something can be run on it.
    pub(crate) fn is_free(&self, at: Moment) -> bool {
        self.run.is_none() && !self.ready.is_after(at)
    }
}

impl Nodes<'_> {
    /// The nodes of a cluster, the longest idle first.
    pub(crate) fn of(self, compute: &str) -> rusqlite::Result<Vec<Node>> {
        self.0
            .prepare_cached(
                "SELECT id, ready, idle_since, run FROM node WHERE compute = ?1 ORDER BY idle_since, id",
            )?
            .query_map(params![compute.to_lowercase()], Node::read)?
            .collect()
    }

    pub(crate) fn add(self, compute: &str, ready: Moment) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("INSERT INTO node (compute, ready, idle_since) VALUES (?1, ?2, ?2)")?
            .execute(params![compute.to_lowercase(), ready])?;
        Ok(())
    }

    pub(crate) fn remove(self, id: i64) -> rusqlite::Result<()> {
        self.0.prepare_cached("DELETE FROM node WHERE id = ?1")?.execute(params![id])?;
        Ok(())
    }

    /// Gives a node to a run.
    pub(crate) fn take(self, id: i64, run: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE node SET run = ?2 WHERE id = ?1")?
            .execute(params![id, run])?;
        Ok(())
    }

    /// Takes the node back from a run, if it had one.
    pub(crate) fn release(self, run: &str, now: Moment) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("UPDATE node SET run = NULL, idle_since = ?2 WHERE run = ?1")?
            .execute(params![run, now])?;
        Ok(())
    }
}
