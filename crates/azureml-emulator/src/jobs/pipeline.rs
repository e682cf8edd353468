//! How a pipeline goes on.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::json;

use super::{
    CommandPlan, PipelinePlan, Plan, Reuse, Source,
    command::error,
    outputs, reuse,
    tick::{plan_of, stored},
};
use crate::{
    door::Door,
    moment::Moment,
    store::{Resources, Run, RunStatus, Runs},
    world::World,
};

/// How many runs a line of the log names.
const NAMED: usize = 5;

/// Lets all steps go on that can, and ends the pipeline when none is left and its log has been written.
pub(super) fn advance(
    world: &World,
    connection: &Connection,
    pipeline: &Run,
    plan: &PipelinePlan,
    is_written: bool,
    now: Moment,
) -> rusqlite::Result<()> {
    let runs = Runs(connection);
    let key = pipeline.key.as_str();
    let is_canceled = pipeline.cancel_requested;
    if pipeline.status == RunStatus::Finalizing {
        return if is_written { end(world, connection, pipeline, plan, now) } else { Ok(()) };
    }
    if pipeline.status == RunStatus::Preparing {
        runs.set_status(key, RunStatus::Running, now, None)?;
    }
    let steps = Steps { world, connection, pipeline, now };
    // What one step does may let another go on: one whose outputs are taken has completed at once.
    let mut children = runs.children(key)?;
    loop {
        let is_stopped = is_canceled || (!plan.continue_on_step_failure && has_failed(&children));
        let mut submitted = Vec::new();
        let mut has_changed = false;
        for child in &children {
            has_changed |= if is_stopped {
                steps.stop(child)?
            } else {
                steps.advance(child, &children, &mut submitted)?
            };
        }
        if !submitted.is_empty() {
            let first: Vec<&str> = submitted.iter().take(NAMED).map(String::as_str).collect();
            let n_runs = submitted.len();
            let line = format!("Submitting {n_runs} runs, first five are: {}", first.join(","));
            runs.log(key, now, &line)?;
        }
        if !has_changed {
            break;
        }
        children = runs.children(key)?;
    }
    if children.iter().all(|child| child.status.is_terminal()) {
        let line = "Finishing experiment: no runs left and nothing to schedule.";
        runs.log(key, now, line)?;
        runs.set_status(key, RunStatus::Finalizing, now, None)?;
    }
    Ok(())
}

fn has_failed(children: &[Run]) -> bool {
    let is_lost = |run: &Run| matches!(run.status, RunStatus::Failed | RunStatus::Canceled);
    children.iter().any(is_lost)
}

struct Steps<'a> {
    world: &'a World,
    connection: &'a Connection,
    pipeline: &'a Run,
    now: Moment,
}

impl Steps<'_> {
    /// Ends a step that has not run, and asks one to end that does. Returns whether it has ended.
    fn stop(&self, child: &Run) -> rusqlite::Result<bool> {
        let runs = Runs(self.connection);
        if child.status.is_terminal() {
            return Ok(false);
        }
        if child.started.is_none() {
            runs.set_status(&child.key, RunStatus::Canceled, self.now, None)?;
            return Ok(true);
        }
        if !child.cancel_requested {
            runs.request_cancel(&child.key)?;
            runs.set_status(&child.key, RunStatus::CancelRequested, self.now, None)?;
        }
        Ok(false)
    }

    /// Lets a step go on if it can. Returns whether others might by that.
    fn advance(
        &self,
        child: &Run,
        children: &[Run],
        submitted: &mut Vec<String>,
    ) -> rusqlite::Result<bool> {
        let runs = Runs(self.connection);
        if child.cancel_requested && child.started.is_none() && !child.status.is_terminal() {
            runs.set_status(&child.key, RunStatus::Canceled, self.now, None)?;
            return Ok(true);
        }
        if child.status != RunStatus::NotStarted {
            return Ok(false);
        }
        let Plan::Command(mut plan) = plan_of(child)? else { return Ok(false) };
        let mut producers = BTreeMap::new();
        for name in plan.needs() {
            let Some(producer) = children.iter().find(|child| child.step.as_deref() == Some(name))
            else {
                continue;
            };
            match producer.status {
                RunStatus::Completed => {
                    producers.insert(name.to_owned(), producer);
                }
                status if status.is_terminal() => {
                    let message = format!("the step {name} has not completed");
                    let error = error("UserError", &message);
                    runs.set_status(&child.key, RunStatus::Canceled, self.now, Some(&error))?;
                    return Ok(true);
                }
                _ => return Ok(false),
            }
        }
        resolve(&mut plan, &producers)?;
        self.submit(child, *plan, submitted)
    }

    /// Takes the outputs of an equal run, or has the step run.
    fn submit(
        &self,
        child: &Run,
        plan: CommandPlan,
        submitted: &mut Vec<String>,
    ) -> rusqlite::Result<bool> {
        let (connection, runs) = (self.connection, Runs(self.connection));
        outputs::show_inputs(self.world, connection, child, &plan)?;
        let reuse_key = match plan.reuse {
            Reuse::Never => None,
            Reuse::Take | Reuse::Offer => Some(reuse::key(connection, child, &plan)?),
        };
        let found = match (&reuse_key, plan.reuse) {
            (Some(reuse_key), Reuse::Take) => {
                reuse::find(self.world, connection, child, reuse_key)?
            }
            _ => None,
        };
        runs.set_plan(&child.key, &stored(plan)?)?;
        runs.set_reuse(&child.key, reuse_key.as_deref(), None)?;
        if let Some(found) = found {
            if let Some(child) = runs.get(&child.key)? {
                reuse::take(connection, &child, &found, self.now)?;
            }
            let line = format!("Reusing the outputs of run {} for {}.", found.name, child.name);
            runs.log(&self.pipeline.key, self.now, &line)?;
            return Ok(true);
        }
        runs.set_status(&child.key, RunStatus::Queued, self.now, None)?;
        submitted.push(child.name.clone());
        Ok(false)
    }
}

/// Puts the places of what other steps wrote into a plan.
fn resolve(plan: &mut CommandPlan, producers: &BTreeMap<String, &Run>) -> rusqlite::Result<()> {
    for source in plan.inputs.values_mut() {
        let Source::Step { step, output, data } = source else { continue };
        let Some(producer) = producers.get(step.as_str()) else { continue };
        if let Plan::Command(producer) = plan_of(producer)?
            && let Some(output) = producer.outputs.get(output.as_str())
        {
            *source = Source::Data { place: output.place.clone(), data: data.clone() };
        }
    }
    Ok(())
}

/// Ends a pipeline whose steps have ended.
fn end(
    world: &World,
    connection: &Connection,
    pipeline: &Run,
    plan: &PipelinePlan,
    now: Moment,
) -> rusqlite::Result<()> {
    let runs = Runs(connection);
    let children = runs.children(&pipeline.key)?;
    show_outputs(world, connection, pipeline, plan, &children)?;
    let of = |status: RunStatus| {
        let found = children.iter().filter(move |child| child.status == status);
        found.filter_map(|child| child.step.as_deref()).collect::<Vec<_>>()
    };
    let failed = of(RunStatus::Failed);
    if let Some(first) = children.iter().find(|child| child.status == RunStatus::Failed)
        && !pipeline.cancel_requested
    {
        let message = format!(
            "Pipeline has failed child jobs. Failed nodes: /{}. For more details and logs, please go to the job detail page and check the child jobs.",
            failed.join(", /")
        );
        let mut error = error("UserError", &message);
        error["details"] = json!(first.error.iter().collect::<Vec<_>>());
        return runs.set_status(&pipeline.key, RunStatus::Failed, now, Some(&error));
    }
    let status = if children.iter().all(|child| child.status == RunStatus::Completed) {
        RunStatus::Completed
    } else {
        RunStatus::Canceled
    };
    runs.set_status(&pipeline.key, status, now, None)
}

/// Says in a pipeline's resource where its outputs are.
fn show_outputs(
    world: &World,
    connection: &Connection,
    pipeline: &Run,
    plan: &PipelinePlan,
    children: &[Run],
) -> rusqlite::Result<()> {
    let Some(mut job) = Resources(connection).get(&pipeline.key)? else { return Ok(()) };
    for (name, source) in &plan.outputs {
        let step = children.iter().find(|child| child.step.as_ref() == Some(&source.step));
        let Some(step) = step.filter(|step| step.status == RunStatus::Completed) else { continue };
        let Plan::Command(step) = plan_of(step)? else { continue };
        if let Some(output) = step.outputs.get(&source.output)
            && outputs::is_written(world, connection, &output.place)?
        {
            let uri = output.place.uri(world, connection, &pipeline.workspace_id, Door::Azure)?;
            job.body["properties"]["outputs"][name]["uri"] = json!(uri);
        }
    }
    Resources(connection).update(&job.body)?;
    Ok(())
}
