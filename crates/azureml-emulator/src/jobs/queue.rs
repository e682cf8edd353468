//! Which runs get nodes, and which have lost theirs.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use super::{
    Plan,
    command::{self, error},
    tick::{Decisions, plan_of},
};
use crate::{
    arm::{clusters, instances},
    moment::Moment,
    store::{Nodes, Resource, Resources, Run, RunStatus, Runs},
    world::World,
};

/// How many commands run without a compute of their own at once: as many nodes of the usual four cores as the quota allows.
const SERVERLESS: usize = 25;

/// What a compute can do for jobs.
#[derive(Debug, PartialEq)]
enum Condition {
    /// Jobs run on it when it has room.
    Works,
    /// Jobs wait for it.
    Waits,
    /// Jobs cannot run on it, for this reason.
    Lost(Value),
}

fn condition(compute: Option<&Resource>, key: &str) -> Condition {
    let name = key.rsplit('/').next().unwrap_or_default();
    let lost = |message: &str| Condition::Lost(error("ComputeNotFound", message));
    let Some(compute) = compute else {
        return lost(&format!("the compute {name} was deleted"));
    };
    let properties = &compute.body["properties"];
    match properties["provisioningState"].as_str() {
        Some("Deleting") => lost(&format!("the compute {} is being deleted", compute.name())),
        Some("Failed") => {
            let message = format!("the compute {} could not be provisioned", compute.name());
            let mut failed = error("ComputeProvisioningFailed", &message);
            if let Some(why) = properties["provisioningErrors"][0].get("error") {
                failed["details"] = serde_json::json!([why]);
            }
            Condition::Lost(failed)
        }
        Some("Creating") => Condition::Waits,
        _ if properties["computeType"] == "AmlCompute" => Condition::Works,
        _ => match properties["properties"]["state"].as_str() {
            Some("Running" | "JobRunning") => Condition::Works,
            _ => Condition::Waits,
        },
    }
}

/// Fails runs whose compute is gone, gives free nodes to those that wait, and has clusters scale.
pub(super) fn assign(
    world: &World,
    connection: &Connection,
    now: Moment,
    decisions: &mut Decisions,
) -> rusqlite::Result<()> {
    let resources = Resources(connection);
    let mut computes = BTreeMap::new();
    for run in Runs(connection).active()? {
        if let Some(key) = run.compute
            && !computes.contains_key(&key)
        {
            let compute = resources.get(&key)?;
            computes.insert(key, compute);
        }
    }
    let mut queue = Queue { world, connection, now, computes, decisions };
    queue.check()?;
    for cluster in clusters(connection)? {
        clusters::settle(world, connection, &cluster, now)?;
    }
    queue.start()?;
    for cluster in clusters(connection)? {
        clusters::settle(world, connection, &cluster, now)?;
    }
    show_instances(world, connection, now)
}

fn clusters(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let computes = Resources(connection).of_kind("computes", None)?;
    let clusters =
        computes.iter().filter(|compute| compute.body["properties"]["computeType"] == "AmlCompute");
    Ok(clusters.map(|cluster| cluster.id().to_lowercase()).collect())
}

struct Queue<'a> {
    world: &'a World,
    connection: &'a Connection,
    now: Moment,
    computes: BTreeMap<String, Option<Resource>>,
    decisions: &'a mut Decisions,
}

impl Queue<'_> {
    fn condition(&self, run: &Run) -> Condition {
        match &run.compute {
            None => Condition::Works,
            Some(key) => condition(self.computes.get(key).and_then(Option::as_ref), key),
        }
    }

    /// Ends runs that have lost their compute.
    fn check(&mut self) -> rusqlite::Result<()> {
        for run in Runs(self.connection).active()? {
            if run.compute.is_none() {
                continue;
            }
            let is_running = run.started.is_some();
            match self.condition(&run) {
                Condition::Lost(error) if is_running => {
                    self.decisions.stop.push((run.key, Some(error)));
                }
                Condition::Lost(error) if run.status == RunStatus::Queued => {
                    let failed = RunStatus::Failed;
                    Runs(self.connection).set_status(&run.key, failed, self.now, Some(&error))?;
                    // Its pipeline has to know.
                    self.world.wake();
                }
                // An instance that is no more running, while the job was.
                Condition::Waits if is_running => {
                    let message = "the compute instance was stopped while the job ran";
                    let error = error("ComputeStopped", message);
                    self.decisions.stop.push((run.key, Some(error)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Starts what waits and has room, the first submitted first.
    fn start(&mut self) -> rusqlite::Result<()> {
        let active = Runs(self.connection).active()?;
        let holds = |run: &&Run| run.started.is_some() && matches!(plan_kind(run), Kind::Command);
        let mut n_serverless =
            active.iter().filter(holds).filter(|run| run.compute.is_none()).count();
        let mut busy: BTreeSet<String> =
            active.iter().filter(holds).filter_map(|run| run.compute.clone()).collect();
        for run in active.iter().filter(|run| run.status == RunStatus::Queued) {
            if self.condition(run) != Condition::Works {
                continue;
            }
            let compute = match &run.compute {
                None if n_serverless >= SERVERLESS => continue,
                None => {
                    n_serverless += 1;
                    None
                }
                Some(key) => {
                    let Some(compute) = self.computes.get(key).cloned().flatten() else { continue };
                    if compute.body["properties"]["computeType"] == "AmlCompute" {
                        let nodes = Nodes(self.connection).of(key)?;
                        let Some(node) = nodes.iter().find(|node| node.is_free(self.now)) else {
                            continue;
                        };
                        Nodes(self.connection).take(node.id, &run.key)?;
                    } else if !busy.insert(key.clone()) {
                        continue;
                    }
                    Some(compute)
                }
            };
            let Plan::Command(plan) = plan_of(run)? else { continue };
            let command = command::of(self.connection, run, *plan, compute.as_ref())?;
            Runs(self.connection).set_status(&run.key, RunStatus::Running, self.now, None)?;
            self.decisions.start.push((run.key.clone(), command));
        }
        Ok(())
    }
}

enum Kind {
    Command,
    Pipeline,
}

fn plan_kind(run: &Run) -> Kind {
    if run.plan["kind"] == "pipeline" { Kind::Pipeline } else { Kind::Command }
}

/// Says of instances whether a job runs on them.
fn show_instances(world: &World, connection: &Connection, now: Moment) -> rusqlite::Result<()> {
    let active = Runs(connection).active()?;
    for instance in Resources(connection).of_kind("computes", None)? {
        if instance.body["properties"]["computeType"] != "ComputeInstance" {
            continue;
        }
        let key = instance.id().to_lowercase();
        let is_busy = active
            .iter()
            .any(|run| run.started.is_some() && run.compute.as_deref() == Some(key.as_str()));
        instances::set_busy(world, connection, instance, is_busy, now)?;
    }
    Ok(())
}
