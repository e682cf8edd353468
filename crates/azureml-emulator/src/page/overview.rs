use super::{Html, View, base, computes, html, layout::Sheet, table, value};
use crate::{
    arm::Failure,
    store::{Resource, Runs},
};

const KINDS: [(&str, &str, &str); 7] = [
    ("jobs", "jobs", "Jobs"),
    ("models", "models", "Models"),
    ("data", "data", "Data"),
    ("environments", "environments", "Environments"),
    ("components", "components", "Components"),
    ("onlineEndpoints", "endpoints", "Endpoints"),
    ("computes", "computes", "Computes"),
];

/// All workspaces.
pub(super) fn all(view: &View<'_>) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    for workspace in view.resources().of_kind("workspaces", None)? {
        let mut row = Html::default();
        html!(row, "<td><a href=\"{}\">{}</a></td>", base(&workspace), workspace.name());
        let group = workspace.id().split('/').nth(4).unwrap_or_default().to_owned();
        value::cell(&mut row, &group);
        for (kind, _, _) in KINDS {
            html!(row, "<td class=\"number\">{}</td>", count(view, &workspace, kind)?);
        }
        value::cell(&mut row, &computes::cost(view, &workspace)?.to_string());
        rows.push(row);
    }
    let mut head = vec!["Workspace", "Resource group"];
    head.extend(KINDS.map(|(_, _, title)| title));
    head.push("Would cost");
    Ok(Sheet::new("Workspaces", table(&head, &rows, "There is no workspace.")))
}

/// How many there are of a kind. Steps are not counted beside their pipelines.
fn count(view: &View<'_>, workspace: &Resource, kind: &str) -> rusqlite::Result<usize> {
    let mut all = view.list(&format!("{}/{kind}", workspace.id()))?;
    if kind == "jobs" {
        let mut own = Vec::new();
        for job in all {
            let run = Runs(view.connection).get(job.id())?;
            if run.is_none_or(|run| run.parent.is_none()) {
                own.push(job);
            }
        }
        all = own;
    }
    Ok(all.len())
}

/// One workspace.
pub(super) fn one(view: &View<'_>, workspace: &Resource) -> Result<Sheet, Failure> {
    let mut body = Html::default();
    html!(body, "<div class=\"tiles\">");
    for (kind, path, title) in KINDS {
        let n = count(view, workspace, kind)?;
        let address = format!("{}/{path}", base(workspace));
        html!(body, "<a class=\"tile\" href=\"{}\"><b>{}</b> {}</a>", address, n, title);
    }
    html!(body, "</div>");
    html!(
        body,
        "<p>What is here would cost <b>{}</b> in Azure.</p>",
        computes::cost(view, workspace)?
    );
    let properties = &workspace.body["properties"];
    body.add(&value::facts(&[
        ("Id", workspace.id().to_owned()),
        ("Location", value::text(&workspace.body["location"])),
        ("Created", value::created(&workspace.body)),
        ("State", value::text(&properties["provisioningState"])),
        ("Storage account", value::text(&properties["storageAccount"])),
        ("Description", value::text(&properties["description"])),
    ]));
    body.add(&value::tags(&workspace.body["tags"]));
    Ok(Sheet::new(workspace.name(), body).of(workspace, ""))
}
