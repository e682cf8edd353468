//! Everything that would cost something, stopped: by the same requests that a client would send.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request, Response},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{Html, View, computes, html, layout::Sheet, session, table, value};
use crate::{
    arm::{self, Failure},
    door::Door,
    front::{broken, segments},
    store::{Resources, Runs},
    world::World,
};

/// One thing to be stopped.
struct Step {
    what: &'static str,
    name: String,
    method: Method,
    /// The path, and parameters beside the version.
    address: String,
    body: Value,
}

/// All that is to be done now.
fn steps(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<Step>> {
    let resources = Resources(connection);
    let mut steps = Vec::new();
    let mut add = |what, name: &str, method, address: String, body| {
        steps.push(Step { what, name: name.to_owned(), method, address, body });
    };
    for run in Runs(connection).active()? {
        if run.parent.is_none() {
            let address = format!("{}/jobs/{}/cancel", run.workspace_id, run.name);
            add("Cancel the job", &run.name, Method::POST, address, Value::Null);
        }
    }
    for kind in ["onlineEndpoints", "batchEndpoints"] {
        for endpoint in resources.of_kind(kind, None)? {
            let address = endpoint.id().to_owned();
            add("Delete the endpoint", endpoint.name(), Method::DELETE, address, Value::Null);
        }
    }
    for compute in resources.of_kind("computes", None)? {
        let machine = &compute.body["properties"]["properties"];
        if machine["scaleSettings"]["minNodeCount"].as_u64().is_some_and(|least| least > 0) {
            let body =
                json!({"properties": {"properties": {"scaleSettings": {"minNodeCount": 0}}}});
            let address = compute.id().to_owned();
            add("Let the cluster shrink to nothing", compute.name(), Method::PATCH, address, body);
        }
        let is_instance = compute.body["properties"]["computeType"] == "ComputeInstance";
        if is_instance && computes::state(&compute.body) == "Running" {
            let address = format!("{}/stop", compute.id());
            add("Stop the compute instance", compute.name(), Method::POST, address, Value::Null);
        }
    }
    Ok(steps)
}

/// Asks whether to.
pub(super) fn ask(view: &View<'_>) -> Result<Sheet, Failure> {
    let steps = steps(view.connection)?;
    let rows: Vec<Html> = steps
        .iter()
        .map(|step| {
            let mut row = Html::default();
            value::cell(&mut row, step.what);
            value::cell(&mut row, &step.name);
            row
        })
        .collect();
    let mut body = table(&["What", "Name"], &rows, "Nothing runs that could be stopped.");
    if !steps.is_empty() {
        html!(
            body,
            "<p>Models, data and what jobs have made stay. Endpoints are gone for good.</p>"
        );
        html!(body, "<form method=\"post\" action=\"/studio/stop\">");
        html!(
            body,
            "<input type=\"hidden\" name=\"form\" value=\"{}\">",
            session::form_token(view.world)
        );
        html!(body, "<button>Stop all {}</button></form>", steps.len());
    }
    Ok(Sheet::new("Stop everything?", body))
}

/// Does it, and says how each went.
pub(super) async fn stop(world: &Arc<World>, door: Door) -> Response<Body> {
    let shared = Arc::clone(world);
    let done = tokio::task::spawn_blocking(move || {
        let now = shared.clock.now();
        let found = shared.store.transaction(|connection| {
            arm::settle(&shared, connection, now)?;
            steps(connection)
        });
        found.map(|steps| {
            let answers: Vec<_> =
                steps.into_iter().map(|step| (send(&shared, door, &step), step)).collect();
            shared.wake();
            answers
        })
    });
    let answers = match done.await {
        Ok(Ok(answers)) => answers,
        Ok(Err(error)) => {
            tracing::error!(%error, "not stopped");
            return broken();
        }
        Err(_) => return broken(),
    };
    let mut rows = Vec::new();
    for (response, step) in answers {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut row = Html::default();
        value::cell(&mut row, step.what);
        value::cell(&mut row, &step.name);
        let state = if parts.status.is_success() { "Succeeded" } else { "Failed" };
        value::cell_of(&mut row, &value::state(state));
        value::cell(&mut row, &value::text(&message["error"]["message"]));
        rows.push(row);
    }
    let mut body = table(&["What", "Name", "Asked", "Why not"], &rows, "Nothing was running.");
    html!(
        body,
        "<p>It takes a few seconds until all has stopped. <a href=\"/\">Back to the overview</a></p>"
    );
    Sheet::new("Stopped", body).into_response()
}

/// Asks Azure Resource Manager, as whoever holds the page.
fn send(world: &World, door: Door, step: &Step) -> Response<Body> {
    let client = &world.settings.client;
    let audience = "https://management.azure.com";
    let token = world.tokens.issue(audience, client, client, world.clock.now(), 60);
    let request = Request::builder()
        .method(step.method.clone())
        .uri(format!("{}?api-version=2025-12-01", step.address))
        .header("authorization", format!("Bearer {token}"))
        .body(());
    // Ids consist of what addresses consist of.
    let Ok(request) = request else { return broken() };
    let (parts, ()) = request.into_parts();
    let Some(path) = segments(&parts.uri) else { return broken() };
    let body = if step.body.is_null() { Vec::new() } else { step.body.to_string().into_bytes() };
    arm::answer(world, door, &parts, &path, &body)
}
