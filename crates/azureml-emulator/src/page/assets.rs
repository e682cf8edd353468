use super::{Found, Html, View, base, html, html::segment, layout::Sheet, table, value};
use crate::{arm::Failure, store::Resource};

fn title(kind: &str) -> &'static str {
    match kind {
        "models" => "Models",
        "data" => "Data",
        "environments" => "Environments",
        _ => "Components",
    }
}

/// Names, each with all of its versions.
pub(super) fn list(view: &View<'_>, workspace: &Resource, kind: &str) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    for asset in view.list(&format!("{}/{kind}", workspace.id()))? {
        let versions = view.list(&format!("{}/versions", asset.id()))?;
        let mut row = Html::default();
        value::cell(&mut row, asset.name());
        html!(row, "<td>");
        for version in versions.iter().take(20) {
            let base = base(workspace);
            let (name, number) = (segment(asset.name()), segment(version.name()));
            html!(row, "<a href=\"{}/{}/{}/{}\">{}</a> ", base, kind, name, number, version.name());
        }
        if versions.len() > 20 {
            html!(row, "and {} more", versions.len() - 20);
        }
        html!(row, "</td>");
        let newest = versions.first().map(|version| version.body["properties"].clone());
        let newest = newest.unwrap_or_default();
        value::cell(&mut row, &kind_of(&newest));
        value::cell_of(&mut row, &value::tags(&newest["tags"]));
        value::cell_of_time(&mut row, &value::created(&asset.body));
        rows.push(row);
    }
    let head = ["Name", "Versions", "Kind", "Tags of the newest", "Created"];
    let none = "There are none.";
    Ok(Sheet::new(title(kind), table(&head, &rows, none)).of(workspace, format!("/{kind}")))
}

fn kind_of(properties: &serde_json::Value) -> String {
    let component = &properties["componentSpec"]["type"];
    let kinds = [&properties["modelType"], &properties["dataType"], component];
    kinds.into_iter().map(value::text).find(|kind| !kind.is_empty()).unwrap_or_default()
}

pub(super) fn one(
    view: &View<'_>,
    workspace: &Resource,
    kind: &str,
    name: &str,
    version: &str,
) -> Found {
    let id = format!("{}/{kind}/{name}/versions/{version}", workspace.id());
    let Some(asset) = view.resources().get(&id)? else { return Ok(None) };
    let properties = &asset.body["properties"];
    let mut body = value::tags(&properties["tags"]);
    body.add(&value::facts(&[
        ("Kind", kind_of(properties)),
        ("Description", value::text(&properties["description"])),
        ("Created", value::created(&asset.body)),
        ("By", value::text(&asset.body["systemData"]["createdBy"])),
        ("Archived", if properties["isArchived"] == true { "yes" } else { "" }.to_owned()),
        ("Path", value::text(&properties["modelUri"])),
        ("Path of the data", value::text(&properties["dataUri"])),
        ("Image", value::text(&properties["image"])),
        ("Id", asset.id().to_owned()),
    ]));
    let job = value::text(&properties["jobName"]);
    if !job.is_empty() {
        let address = format!("{}/jobs/{}", base(workspace), segment(&job));
        html!(body, "<p>Made by the job <a href=\"{}\">{}</a>.</p>", address, job);
    }
    body.add(&value::json("The whole resource", &asset.body));
    let title = format!("{name} {version}");
    Ok(Some(Sheet::new(title, body).of(workspace, format!("/{kind}"))))
}
