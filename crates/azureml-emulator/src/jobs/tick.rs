//! One look at all jobs: what happens next is written down, and what is to be done about it is returned.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::Value;

use super::{CommandPlan, Plan, pipeline, queue, scheduler::Keys};
use crate::{
    arm::future,
    moment::Moment,
    run::CommandRun,
    store::{Events, Nodes, Run, RunStatus, Runs},
    world::World,
};

/// What is known beside the database.
pub(super) struct Known {
    /// The commands that run.
    pub(super) running: Keys,
    /// How much of each pipeline's log has been written.
    pub(super) written: BTreeMap<String, usize>,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Decisions {
    pub(super) start: Vec<(String, CommandRun)>,
    /// With the reason, if nobody has asked for it.
    pub(super) stop: Vec<(String, Option<Value>)>,
    pub(super) logs: Vec<Log>,
    /// Pipelines that have not ended.
    pub(super) pipelines: Keys,
    /// When something happens by itself.
    pub(super) next: Option<Moment>,
}

/// The whole log of a pipeline.
pub(super) struct Log {
    pub(super) key: String,
    pub(super) workspace_id: String,
    pub(super) run: String,
    pub(super) text: String,
}

/// The plan of a run: only this crate writes it, so one that cannot be read means a damaged state.
pub(super) fn plan_of(run: &Run) -> rusqlite::Result<Plan> {
    serde_json::from_value(run.plan.clone()).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

/// The plan of a command as it is kept.
pub(super) fn stored(plan: CommandPlan) -> rusqlite::Result<Value> {
    serde_json::to_value(Plan::Command(Box::new(plan)))
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Takes up the runs of a process that has ended: what was running then is run again from its beginning.
pub(super) fn recover(_: &World, connection: &Connection, now: Moment) -> rusqlite::Result<()> {
    let runs = Runs(connection);
    for run in runs.active()? {
        if run.started.is_none() || !matches!(plan_of(&run)?, Plan::Command(_)) {
            continue;
        }
        Nodes(connection).release(&run.key, now)?;
        if run.cancel_requested {
            runs.set_status(&run.key, RunStatus::Canceled, now, None)?;
        } else {
            runs.queue_again(&run.key, now)?;
        }
    }
    Ok(())
}

pub(super) fn tick(
    world: &World,
    connection: &Connection,
    now: Moment,
    known: &Known,
) -> rusqlite::Result<Decisions> {
    future::settle(world, connection, now)?;
    let runs = Runs(connection);
    let mut decisions = Decisions::default();
    for run in runs.active()? {
        match plan_of(&run)? {
            Plan::Pipeline(plan) => {
                decisions.pipelines.insert(run.key.clone());
                let written = known.written.get(&run.key).copied();
                let is_written = written == Some(run.log.len());
                pipeline::advance(world, connection, &run, &plan, is_written, now)?;
                log(runs, &run.key, written, &mut decisions)?;
            }
            Plan::Command(_) if run.parent.is_none() => match run.status {
                RunStatus::Starting => runs.set_status(&run.key, RunStatus::Queued, now, None)?,
                _ if run.cancel_requested && run.started.is_none() => {
                    runs.set_status(&run.key, RunStatus::Canceled, now, None)?;
                }
                _ => {}
            },
            Plan::Command(_) => {}
        }
    }
    queue::assign(world, connection, now, &mut decisions)?;
    // Commands that nobody wants any more.
    for key in &known.running {
        match runs.get(key)? {
            Some(run) if run.cancel_requested => decisions.stop.push((key.clone(), None)),
            Some(_) => {}
            None => decisions.stop.push((key.clone(), None)),
        }
    }
    decisions.next = Events(connection).next()?;
    Ok(decisions)
}

/// Has a pipeline's log written that says more than before.
fn log(
    runs: Runs<'_>,
    key: &str,
    written: Option<usize>,
    decisions: &mut Decisions,
) -> rusqlite::Result<()> {
    if let Some(run) = runs.get(key)?
        && written != Some(run.log.len())
    {
        let (workspace_id, text) = (run.workspace_id, run.log);
        decisions.logs.push(Log { key: key.to_owned(), workspace_id, run: run.name, text });
    }
    Ok(())
}
