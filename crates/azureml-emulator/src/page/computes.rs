use serde_json::Value;

use super::{Html, View, html, layout::Sheet, prices, prices::Cost, table, value};
use crate::{
    arm::Failure,
    store::{Resource, Resources},
};

/// The machines of a compute that would be billed now.
fn machines(compute: &Value) -> u64 {
    let machine = &compute["properties"]["properties"];
    match compute["properties"]["computeType"].as_str() {
        Some("AmlCompute") => machine["currentNodeCount"].as_u64().unwrap_or(0),
        Some("ComputeInstance") => u64::from(!matches!(
            machine["state"].as_str(),
            Some("Stopped" | "CreateFailed" | "Deleting")
        )),
        _ => 0,
    }
}

/// How a compute gets on, in the service's words.
pub(super) fn state(compute: &Value) -> String {
    let machine = &compute["properties"]["properties"];
    let states = [
        &machine["state"],
        &machine["allocationState"],
        &compute["properties"]["provisioningState"],
    ];
    states.into_iter().map(value::text).find(|state| !state.is_empty()).unwrap_or_default()
}

/// What all machines of a workspace would cost, those of deployments too.
pub(super) fn cost(view: &View<'_>, workspace: &Resource) -> Result<Cost, Failure> {
    let mut cost = Cost::default();
    for compute in view.list(&format!("{}/computes", workspace.id()))? {
        let size = value::text(&compute.body["properties"]["properties"]["vmSize"]);
        cost.add(&size, machines(&compute.body));
    }
    for endpoint in view.list(&format!("{}/onlineEndpoints", workspace.id()))? {
        for deployment in deployments(view.resources(), &endpoint)? {
            let size = value::text(&deployment.body["properties"]["instanceType"]);
            cost.add(&size, deployment.body["sku"]["capacity"].as_u64().unwrap_or(1));
        }
    }
    Ok(cost)
}

pub(super) fn deployments(
    resources: Resources<'_>,
    endpoint: &Resource,
) -> rusqlite::Result<Vec<Resource>> {
    let oldest = crate::store::Order::Created { newest_first: false };
    resources.list(&format!("{}/deployments", endpoint.id()), oldest, None, super::MANY)
}

pub(super) fn list(view: &View<'_>, workspace: &Resource) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    let mut is_live = false;
    for compute in view.list(&format!("{}/computes", workspace.id()))? {
        let machine = &compute.body["properties"]["properties"];
        let (size, n_machines) = (value::text(&machine["vmSize"]), machines(&compute.body));
        let state = state(&compute.body);
        is_live |= value::is_busy(&state);
        let mut row = Html::default();
        value::cell(&mut row, compute.name());
        value::cell(&mut row, &value::text(&compute.body["properties"]["computeType"]));
        value::cell(&mut row, &size);
        value::cell_of(&mut row, &value::state(&state));
        let scale = &machine["scaleSettings"];
        let nodes = if scale.is_object() {
            format!("{n_machines} ({} to {})", scale["minNodeCount"], scale["maxNodeCount"])
        } else {
            n_machines.to_string()
        };
        value::cell(&mut row, &nodes);
        let idle = [&machine["idleTimeBeforeShutdown"], &scale["nodeIdleTimeBeforeScaleDown"]];
        value::cell(&mut row, &idle.map(value::text).concat());
        let one =
            prices::per_hour(&size).map_or("unknown".to_owned(), |price| format!("{price} USD"));
        value::cell(&mut row, &one);
        value::cell(&mut row, &Cost::of(&size, n_machines).to_string());
        value::cell_of(&mut row, &value::tags(&compute.body["tags"]));
        rows.push(row);
    }
    let head = [
        "Name",
        "Type",
        "Size",
        "State",
        "Machines",
        "Idle for",
        "A machine's hour",
        "Now",
        "Tags",
    ];
    let mut body = table(&head, &rows, "There is no compute.");
    html!(
        body,
        "<p>With deployments: <b>{}</b>. Prices are {}.</p>",
        cost(view, workspace)?,
        prices::FROM
    );
    Ok(Sheet::new("Computes", body).of(workspace, "/computes").live(is_live))
}
