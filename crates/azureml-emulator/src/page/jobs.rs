use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Found, Html, View, base,
    dag::{self, Node},
    html,
    html::segment,
    layout::Sheet,
    table, value,
};
use crate::{
    arm::Failure,
    store::{Resource, Run, RunLogs, Runs},
};

/// The jobs that were submitted, the newest first; steps are on the pages of their pipelines.
pub(super) fn list(view: &View<'_>, workspace: &Resource) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    let mut is_live = false;
    for job in view.list(&format!("{}/jobs", workspace.id()))? {
        let run = Runs(view.connection).get(job.id())?;
        if run.as_ref().is_some_and(|run| run.parent.is_some()) {
            continue;
        }
        let properties = &job.body["properties"];
        let status = value::text(&properties["status"]);
        is_live |= value::is_busy(&status);
        let mut row = Html::default();
        html!(
            row,
            "<td><a href=\"{}/jobs/{}\">{}</a></td>",
            base(workspace),
            segment(job.name()),
            shown_name(&job)
        );
        value::cell(&mut row, &value::text(&properties["experimentName"]));
        value::cell(&mut row, &value::text(&properties["jobType"]));
        value::cell_of(&mut row, &value::state(&status));
        value::cell_of_time(&mut row, &value::created(&job.body));
        value::cell(&mut row, &run.map(|run| took(view, &run)).unwrap_or_default());
        value::cell_of(&mut row, &value::tags(&properties["tags"]));
        rows.push(row);
    }
    let head = ["Job", "Experiment", "Type", "Status", "Created", "Took", "Tags"];
    let body = table(&head, &rows, "No job was submitted.");
    Ok(Sheet::new("Jobs", body).of(workspace, "/jobs").live(is_live))
}

fn shown_name(job: &Resource) -> String {
    let shown = value::text(&job.body["properties"]["displayName"]);
    if shown.is_empty() { job.name().to_owned() } else { shown }
}

/// How long a run took, or has taken so far.
fn took(view: &View<'_>, run: &Run) -> String {
    let until = run.ended.unwrap_or_else(|| view.world.clock.now());
    run.started
        .map(|started| format!("{:.1} s", until.since(started).as_secs_f64()))
        .unwrap_or_default()
}

pub(super) fn one(view: &View<'_>, workspace: &Resource, name: &str) -> Found {
    let id = format!("{}/jobs/{name}", workspace.id());
    let Some(job) = view.resources().get(&id)? else { return Ok(None) };
    let run = Runs(view.connection).get(&id)?;
    let properties = &job.body["properties"];
    let status = value::text(&properties["status"]);
    let mut body = Html::default();
    html!(body, "<p>");
    body.add(&value::state(&status));
    if let Some(parent) = run.as_ref().and_then(|run| run.parent_name().map(str::to_owned)) {
        html!(
            body,
            " a step of <a href=\"{}/jobs/{}\">{}</a>",
            base(workspace),
            segment(&parent),
            parent
        );
    }
    html!(body, "</p>");
    if let Some(error) = run.as_ref().and_then(|run| run.error.as_ref()) {
        html!(
            body,
            "<p class=\"error\"><b>{}</b> {}</p>",
            value::text(&error["code"]),
            value::text(&error["message"])
        );
    }
    html!(body, "<div class=\"beside\">");
    if properties["jobs"].is_object() {
        body.add(&steps(view, workspace, &job, run.as_ref())?);
    }
    html!(body, "<div>");
    let reused = run.as_ref().and_then(|run| run.reused_from.clone()).unwrap_or_default();
    body.add(&value::facts(&[
        ("Name", job.name().to_owned()),
        ("Experiment", value::text(&properties["experimentName"])),
        ("Description", value::text(&properties["description"])),
        ("Created", value::created(&job.body)),
        ("Took", run.as_ref().map(|run| took(view, run)).unwrap_or_default()),
        ("Compute", value::text(&properties["computeId"])),
        ("Command", value::text(&properties["command"])),
        ("Outputs taken from", reused),
    ]));
    body.add(&value::tags(&properties["tags"]));
    html!(body, "</div></div>");
    for (title, values) in [("Inputs", &properties["inputs"]), ("Outputs", &properties["outputs"])]
    {
        let rows: Vec<Html> = values.as_object().into_iter().flatten().map(binding).collect();
        if !rows.is_empty() {
            html!(body, "<h2>{}</h2>", title);
            body.add(&table(&["Name", "Type", "Value"], &rows, ""));
        }
    }
    let logs = RunLogs(view.connection).of(&id)?;
    let progress = run.map(|run| run.log).unwrap_or_default();
    if !logs.is_empty() || !progress.is_empty() {
        html!(body, "<h2>Logs</h2><ul>");
        for file in logs {
            let base = format!("{}/jobs/{}", base(workspace), segment(name));
            html!(body, "<li><a href=\"{}/logs/{}\">{}</a></li>", base, segment(&file), file);
        }
        html!(body, "</ul>");
        if !progress.is_empty() {
            html!(body, "<pre>{}</pre>", progress);
        }
    }
    body.add(&value::json("The whole resource", &job.body));
    let sheet = Sheet::new(shown_name(&job), body).of(workspace, "/jobs");
    Ok(Some(sheet.live(value::is_busy(&status))))
}

fn binding((name, bound): (&String, &Value)) -> Html {
    let mut row = Html::default();
    value::cell(&mut row, name);
    value::cell(
        &mut row,
        &[&bound["jobInputType"], &bound["jobOutputType"]].map(value::text).concat(),
    );
    value::cell(&mut row, &[&bound["uri"], &bound["value"]].map(value::text).concat());
    row
}

/// A pipeline's steps with their runs, as a drawing.
fn steps(
    view: &View<'_>,
    workspace: &Resource,
    job: &Resource,
    run: Option<&Run>,
) -> Result<Html, Failure> {
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    if let Some(run) = run {
        for child in Runs(view.connection).children(&run.key)? {
            if let Some(step) = child.step.clone() {
                runs.insert(step, child);
            }
        }
    }
    let steps = job.body["properties"]["jobs"].as_object().into_iter().flatten();
    let nodes: Vec<Node> = steps
        .map(|(name, step)| {
            let run = runs.get(name);
            Node {
                name: name.clone(),
                status: run.map_or("NotStarted", |run| run.status.as_str()).to_owned(),
                address: run.map(|run| format!("{}/jobs/{}", base(workspace), segment(&run.name))),
                needs: needs(&step["inputs"]),
            }
        })
        .collect();
    Ok(dag::draw(&nodes))
}

/// The steps whose outputs inputs are bound to: `${{parent.jobs.STEP.outputs.NAME}}`.
fn needs(inputs: &Value) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for input in inputs.as_object().into_iter().flat_map(|inputs| inputs.values()) {
        let text = match input {
            Value::Object(fields) => ["value", "uri", "path"]
                .map(|name| fields.get(name).map(value::text).unwrap_or_default())
                .concat(),
            input => value::text(input),
        };
        for part in text.split("parent.jobs.").skip(1) {
            let step = part.split('.').next().unwrap_or_default().to_owned();
            if !step.is_empty() && !names.contains(&step) {
                names.push(step);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_step_needs_is_in_its_bindings() {
        let inputs = json!({
            "data": {"job_input_type": "literal", "value": "${{parent.jobs.split.outputs.train}}"},
            "more": "${{parent.jobs.prep_1.outputs.params}}",
            "again": {"uri": "${{parent.jobs.split.outputs.test}}"},
            "own": {"value": "${{parent.inputs.data}}"},
            "number": 3,
        });
        let mut found = needs(&inputs);
        found.sort();
        assert_eq!(found, ["prep_1", "split"]);
        assert!(needs(&json!("x")).is_empty());
    }
}
