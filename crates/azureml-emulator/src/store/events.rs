use rusqlite::{Connection, OptionalExtension, params, types::Type};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::moment::Moment;

/// What will happen, and the operations that clients wait for.
#[derive(Clone, Copy)]
pub(crate) struct Events<'a>(pub(crate) &'a Connection);

/// What happens to a resource when its time has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "camelCase")]
pub(crate) enum Effect {
    /// The resource is as it was asked to be.
    Provisioned,
    /// It is gone, with all that is below it.
    Removed,
    /// A compute instance is in this state, after this operation.
    Instance { state: String, operation: String, trigger: String },
    /// A cluster is as it was asked to be, and gets the nodes that it needs.
    Nodes,
    /// Nodes of a cluster are ready, or have been idle for too long.
    Scale,
    /// An endpoint's key is another.
    Key { name: String, value: String },
    /// The operation fails, and the resource with it.
    Failed { error: Value },
    /// Nothing but the end of an operation.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationState {
    Running,
    Succeeded,
    Failed,
}

impl OperationState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// A long-running operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) kind: String,
    pub(crate) state: OperationState,
    pub(crate) started: Moment,
    pub(crate) ended: Option<Moment>,
    pub(crate) error: Option<Value>,
}

/// Something whose time has come.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) due: Moment,
    pub(crate) resource: String,
    pub(crate) operation: Option<String>,
    pub(crate) effect: Effect,
}

impl Events<'_> {
    /// Begins an operation that ends with an effect, and returns its id.
    pub(crate) fn begin(
        self,
        kind: &str,
        resource: &str,
        effect: &Effect,
        now: Moment,
        due: Moment,
    ) -> rusqlite::Result<String> {
        let id = Uuid::new_v4().to_string();
        self.0
            .prepare_cached(
                "INSERT INTO operation (id, kind, resource, state, started, due) VALUES (?1, ?2, ?3, 'InProgress', ?4, ?5)",
            )?
            .execute(params![id, kind, resource.to_lowercase(), now, due])?;
        self.insert(resource, Some(&id), effect, due)?;
        Ok(id)
    }

    /// Begins an operation that ends when it is [concluded](Self::conclude), and returns its id.
    pub(crate) fn begin_open(
        self,
        kind: &str,
        resource: &str,
        now: Moment,
    ) -> rusqlite::Result<String> {
        self.begin(kind, resource, &Effect::Nothing, now, Moment::NEVER)
    }

    /// Lets the open operation on a resource end now, with this effect.
    pub(crate) fn conclude(
        self,
        resource: &str,
        effect: &Effect,
        now: Moment,
    ) -> rusqlite::Result<()> {
        let effect = serde_json::to_value(effect)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.0
            .prepare_cached(
                "UPDATE event SET due = ?3, effect = ?4 WHERE resource = ?1 AND due = ?2",
            )?
            .execute(params![resource.to_lowercase(), Moment::NEVER, now, effect])?;
        Ok(())
    }

    /// Ends the open operation on a resource as failed, without any effect.
    pub(crate) fn give_up(
        self,
        resource: &str,
        now: Moment,
        error: &Value,
    ) -> rusqlite::Result<()> {
        let key = resource.to_lowercase();
        let operation = self
            .0
            .prepare_cached(
                "DELETE FROM event WHERE resource = ?1 AND due = ?2 RETURNING operation",
            )?
            .query_row(params![key, Moment::NEVER], |row| row.get::<_, Option<String>>(0))
            .optional()?;
        match operation.flatten() {
            Some(operation) => self.end(&operation, now, Some(error)),
            None => Ok(()),
        }
    }

    /// Lets something happen that nobody waits for.
    pub(crate) fn schedule(
        self,
        resource: &str,
        effect: &Effect,
        due: Moment,
    ) -> rusqlite::Result<()> {
        self.insert(resource, None, effect, due)
    }

    fn insert(
        self,
        resource: &str,
        operation: Option<&str>,
        effect: &Effect,
        due: Moment,
    ) -> rusqlite::Result<()> {
        let effect = serde_json::to_value(effect)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.0
            .prepare_cached(
                "INSERT INTO event (due, resource, operation, effect) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![due, resource.to_lowercase(), operation, effect])?;
        Ok(())
    }

    /// Takes what nobody waits for from a resource's future.
    pub(crate) fn unschedule(self, resource: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("DELETE FROM event WHERE resource = ?1 AND operation IS NULL")?
            .execute(params![resource.to_lowercase()])?;
        Ok(())
    }

    /// When the next thing happens by itself.
    pub(crate) fn next(self) -> rusqlite::Result<Option<Moment>> {
        self.0.prepare_cached("SELECT MIN(due) FROM event")?.query_row(params![], |row| row.get(0))
    }

    /// Whether an operation on a resource is under way.
    pub(crate) fn is_busy(self, resource: &str) -> rusqlite::Result<bool> {
        self.0
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM event WHERE resource = ?1 AND operation IS NOT NULL)",
            )?
            .query_row(params![resource.to_lowercase()], |row| row.get(0))
    }

    /// Takes the earliest event whose time has come, for its effect to be applied in the same transaction.
    pub(crate) fn take_due(self, now: Moment) -> rusqlite::Result<Option<Event>> {
        let found = self
            .0
            .prepare_cached(
                "SELECT id, due, resource, operation, effect FROM event WHERE due <= ?1 ORDER BY due, id LIMIT 1",
            )?
            .query_row(params![now], |row| {
                let effect = serde_json::from_value(row.get(4)?).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(4, Type::Text, error.into())
                })?;
                let id: i64 = row.get(0)?;
                let (due, resource, operation) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok((id, Event { due, resource, operation, effect }))
            })
            .optional()?;
        let Some((id, event)) = found else { return Ok(None) };
        self.0.prepare_cached("DELETE FROM event WHERE id = ?1")?.execute(params![id])?;
        Ok(Some(event))
    }

    /// Ends an operation, well or with an error of Azure Resource Manager.
    pub(crate) fn end(self, id: &str, at: Moment, error: Option<&Value>) -> rusqlite::Result<()> {
        let state =
            if error.is_none() { OperationState::Succeeded } else { OperationState::Failed };
        self.0
            .prepare_cached(
                "UPDATE operation SET state = ?2, ended = ?3, error = ?4 WHERE id = ?1",
            )?
            .execute(params![id, state.as_str(), at, error])?;
        Ok(())
    }

    /// Ends all operations on a resource that is being removed, or on what is below it, as failed.
    pub(crate) fn abandon(self, resource: &str, at: Moment, error: &Value) -> rusqlite::Result<()> {
        let key = resource.to_lowercase();
        let (from, to) = (format!("{key}/"), format!("{key}0"));
        self.0
            .prepare_cached(
                "UPDATE operation SET state = 'Failed', ended = ?4, error = ?5
                 WHERE state = 'InProgress' AND (resource = ?1 OR (resource >= ?2 AND resource < ?3))",
            )?
            .execute(params![key, from, to, at, error])?;
        Ok(())
    }

    /// Removes the operations that ended before a time.
    pub(crate) fn forget(self, before: Moment) -> rusqlite::Result<()> {
        self.0.execute("DELETE FROM operation WHERE ended < ?1", params![before])?;
        Ok(())
    }

    pub(crate) fn operation(self, id: &str) -> rusqlite::Result<Option<Operation>> {
        self.0
            .prepare_cached(
                "SELECT kind, state, started, ended, error FROM operation WHERE id = ?1",
            )?
            .query_row(params![id], |row| {
                let state: String = row.get(1)?;
                Ok(Operation {
                    kind: row.get(0)?,
                    state: match state.as_str() {
                        "Succeeded" => OperationState::Succeeded,
                        "Failed" => OperationState::Failed,
                        _ => OperationState::Running,
                    },
                    started: row.get(2)?,
                    ended: row.get(3)?,
                    error: row.get(4)?,
                })
            })
            .optional()
    }
}
