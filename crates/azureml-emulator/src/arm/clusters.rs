//! The nodes of a cluster: as many as there are jobs, from the least to the most.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::iso_duration;
use crate::{
    moment::Moment,
    store::{Effect, Events, Node, Nodes, Resource, Resources, Runs},
    world::World,
};

/// How long it takes here until a node can be worked with; in Azure it is minutes.
const PREPARING: Duration = Duration::from_secs(3);

/// How long nodes are kept that have nothing to do, unless the cluster says.
const IDLE: Duration = Duration::from_secs(120);

/// How a cluster scales.
struct Scale {
    min: usize,
    max: usize,
    idle: Duration,
}

impl Scale {
    fn of(world: &World, cluster: &Resource) -> Self {
        let settings = &cluster.body["properties"]["properties"]["scaleSettings"];
        let count = |name: &str| {
            settings[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
        };
        let idle = settings["nodeIdleTimeBeforeScaleDown"].as_str().and_then(iso_duration::parse);
        Self {
            min: count("minNodeCount"),
            max: count("maxNodeCount"),
            idle: world.clock.shortened(idle.unwrap_or(IDLE)),
        }
    }
}

/// Whether jobs can run on a cluster, now or later: one that is being made will be there.
fn is_there(cluster: &Resource) -> bool {
    let properties = &cluster.body["properties"];
    properties["computeType"] == "AmlCompute"
        && ["Succeeded", "Updating"].iter().any(|state| properties["provisioningState"] == *state)
}

/// Adds nodes that are needed and removes those that have been idle for too long, as it is at that moment; the next change is
/// scheduled. It does not matter how often this is called.
pub(crate) fn settle(
    world: &World,
    connection: &Connection,
    key: &str,
    at: Moment,
) -> rusqlite::Result<()> {
    let Some(cluster) = Resources(connection).get(key)?.filter(is_there) else { return Ok(()) };
    let scale = Scale::of(world, &cluster);
    let mut nodes = Nodes(connection).of(key)?;
    let n_busy = nodes.iter().filter(|node| node.run.is_some()).count();
    let wanted =
        (n_busy + Runs(connection).count_queued(key)?).clamp(scale.min, scale.max.max(scale.min));
    let is_superfluous = |node: &Node, n_nodes: usize| {
        let is_over = !node.idle_since.plus(scale.idle).is_after(at);
        node.is_free(at) && n_nodes > wanted && (is_over || n_nodes > scale.max)
    };
    while let Some(place) = nodes.iter().position(|node| is_superfluous(node, nodes.len())) {
        Nodes(connection).remove(nodes.remove(place).id)?;
    }
    for _ in nodes.len()..wanted {
        Nodes(connection).add(key, at.plus(world.clock.shortened(PREPARING)))?;
    }
    let nodes = Nodes(connection).of(key)?;
    show(connection, cluster, &nodes, at)?;

    let preparing = nodes.iter().map(|node| node.ready).filter(|ready| ready.is_after(at));
    let idle = nodes.iter().filter(|node| node.is_free(at) && nodes.len() > wanted);
    let leaving = idle.map(|node| node.idle_since.plus(scale.idle));
    let next = preparing.chain(leaving).reduce(|a, b| if a.is_after(b) { b } else { a });
    let events = Events(connection);
    events.unschedule(key)?;
    next.map_or(Ok(()), |next| events.schedule(key, &Effect::Scale, next))
}

/// Says in the resource how many nodes there are.
fn show(
    connection: &Connection,
    mut cluster: Resource,
    nodes: &[Node],
    at: Moment,
) -> rusqlite::Result<()> {
    let before = cluster.body.clone();
    let n_busy = nodes.iter().filter(|node| node.run.is_some()).count();
    let n_idle = nodes.iter().filter(|node| node.is_free(at)).count();
    let n_preparing = nodes.len() - n_busy - n_idle;
    let machine = &mut cluster.body["properties"]["properties"];
    machine["currentNodeCount"] = json!(n_busy + n_idle);
    machine["targetNodeCount"] = json!(nodes.len());
    let counts = &mut machine["nodeStateCounts"];
    counts["preparingNodeCount"] = json!(n_preparing);
    counts["runningNodeCount"] = json!(n_busy);
    counts["idleNodeCount"] = json!(n_idle);
    let state = json!(if n_preparing == 0 { "Steady" } else { "Resizing" });
    if machine["allocationState"] != state {
        machine["allocationState"] = state;
        machine["allocationStateTransitionTime"] = json!(at.to_string());
    }
    if cluster.body != before {
        Resources(connection).update(&cluster.body)?;
    }
    Ok(())
}

/// What a cluster that is just being made says of its nodes.
pub(super) fn begin(machine: &mut Value, min: u64, now: Moment) {
    machine["allocationState"] = json!(if min == 0 { "Steady" } else { "Resizing" });
    machine["allocationStateTransitionTime"] = json!(now.to_string());
    machine["nodeStateCounts"] = json!({
        "preparingNodeCount": 0,
        "runningNodeCount": 0,
        "idleNodeCount": 0,
        "unusableNodeCount": 0,
        "leavingNodeCount": 0,
        "preemptedNodeCount": 0,
    });
    machine["currentNodeCount"] = json!(0);
    machine["targetNodeCount"] = json!(min);
}
