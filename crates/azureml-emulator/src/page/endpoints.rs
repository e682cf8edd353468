use serde_json::Value;

use super::{Found, Html, View, base, computes, html, html::segment, layout::Sheet, table, value};
use crate::{arm::Failure, store::Resource};

pub(super) fn list(view: &View<'_>, workspace: &Resource) -> Result<Sheet, Failure> {
    let mut rows = Vec::new();
    let mut is_live = false;
    for endpoint in view.list(&format!("{}/onlineEndpoints", workspace.id()))? {
        let properties = &endpoint.body["properties"];
        let state = value::text(&properties["provisioningState"]);
        is_live |= value::is_busy(&state);
        let deployments = computes::deployments(view.resources(), &endpoint)?;
        let mut row = Html::default();
        html!(
            row,
            "<td><a href=\"{}/endpoints/{}\">{}</a></td>",
            base(workspace),
            segment(endpoint.name()),
            endpoint.name()
        );
        value::cell_of(&mut row, &value::state(&state));
        value::cell(&mut row, &value::text(&properties["authMode"]));
        html!(row, "<td>");
        for deployment in &deployments {
            let state = value::text(&deployment.body["properties"]["provisioningState"]);
            is_live |= value::is_busy(&state);
            let share = share(properties, deployment.name());
            html!(row, "<span class=\"tag\"><b>{}</b> {} %</span> ", deployment.name(), share);
        }
        html!(row, "</td>");
        value::cell_of_time(&mut row, &value::created(&endpoint.body));
        value::cell_of(&mut row, &value::tags(&endpoint.body["tags"]));
        rows.push(row);
    }
    let head = ["Endpoint", "State", "Signs in by", "Deployments and traffic", "Created", "Tags"];
    let body = table(&head, &rows, "There is no online endpoint.");
    Ok(Sheet::new("Endpoints", body).of(workspace, "/endpoints").live(is_live))
}

/// The part of the traffic that a deployment gets.
fn share(endpoint: &Value, deployment: &str) -> u64 {
    let traffic = endpoint["traffic"].as_object().into_iter().flatten();
    let own = traffic.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(deployment));
    own.and_then(|(_, share)| share.as_u64()).unwrap_or(0)
}

pub(super) fn one(view: &View<'_>, workspace: &Resource, name: &str) -> Found {
    let id = format!("{}/onlineEndpoints/{name}", workspace.id());
    let Some(endpoint) = view.resources().get(&id)? else { return Ok(None) };
    let properties = &endpoint.body["properties"];
    let state = value::text(&properties["provisioningState"]);
    let mut is_live = value::is_busy(&state);
    let mut body = Html::default();
    html!(body, "<p>");
    body.add(&value::state(&state));
    html!(body, "</p>");
    body.add(&value::tags(&endpoint.body["tags"]));
    let mut rows = Vec::new();
    for deployment in computes::deployments(view.resources(), &endpoint)? {
        let of = &deployment.body["properties"];
        let state = value::text(&of["provisioningState"]);
        is_live |= value::is_busy(&state);
        let mut row = Html::default();
        value::cell(&mut row, deployment.name());
        value::cell_of(&mut row, &value::state(&state));
        html!(row, "<td class=\"number\">{} %</td>", share(properties, deployment.name()));
        value::cell(&mut row, &value::text(&of["model"]));
        value::cell(&mut row, &value::text(&of["instanceType"]));
        html!(
            row,
            "<td class=\"number\">{}</td>",
            deployment.body["sku"]["capacity"].as_u64().unwrap_or(1)
        );
        rows.push(row);
    }
    html!(body, "<h2>Deployments</h2>");
    let head = ["Deployment", "State", "Traffic", "Model", "Size", "Instances"];
    body.add(&table(&head, &rows, "There is no deployment."));
    consume(view, workspace, &endpoint, &mut body)?;
    body.add(&value::json("The whole resource", &endpoint.body));
    let sheet = Sheet::new(endpoint.name(), body).of(workspace, "/endpoints");
    // Who has just asked for the key wants to copy it.
    let shows_key = view.parameter("key").is_some();
    Ok(Some(sheet.live(is_live && !shows_key)))
}

/// How to score, ready to paste.
fn consume(
    view: &View<'_>,
    workspace: &Resource,
    endpoint: &Resource,
    body: &mut Html,
) -> Result<(), Failure> {
    let location = endpoint.body["location"].as_str().unwrap_or_default();
    let uri = format!("{}/score", view.door.endpoint(location, endpoint.name()));
    let ca = view.world.folder.join("ca.pem").display().to_string();
    html!(body, "<h2>Consume</h2>");
    body.add(&value::facts(&[("Scoring URI", uri.clone()), ("Certificate authority", ca.clone())]));
    let is_by_key = endpoint.body["properties"]["authMode"] == "Key";
    let key = match view.parameter("key") {
        Some("shown") if is_by_key => view.resources().secret(endpoint.id(), "primaryKey")?,
        _ => None,
    };
    let secret = match (&key, is_by_key) {
        (Some(key), _) => {
            html!(body, "<p>Primary key: <code>{}</code></p>", key);
            key.clone()
        }
        (None, true) => {
            let address =
                format!("{}/endpoints/{}?key=shown", base(workspace), segment(endpoint.name()));
            html!(body, "<p><a class=\"button\" href=\"{}\">Show the key</a></p>", address);
            "KEY".to_owned()
        }
        (None, false) => {
            html!(
                body,
                "<p>This endpoint takes tokens: ask for one with <code>az ml online-endpoint get-credentials</code> or a client.</p>"
            );
            "TOKEN".to_owned()
        }
    };
    let data = r#"{"input_data": {"columns": [], "index": [], "data": []}}"#;
    for (language, text) in [
        ("curl", curl(&uri, &ca, &secret, data)),
        ("Python", python(&uri, &ca, &secret, data)),
        ("Rust", rust(&uri, &ca, &secret, data)),
    ] {
        html!(body, "<h3>{}</h3><pre>{}</pre>", language, text);
    }
    Ok(())
}

fn curl(uri: &str, ca: &str, secret: &str, data: &str) -> String {
    let ca = ca.replace('\'', r"'\''");
    format!(
        "curl --cacert '{ca}' '{uri}' \\\n  --header 'Authorization: Bearer {secret}' \\\n  --header 'Content-Type: application/json' \\\n  --data '{data}'"
    )
}

fn python(uri: &str, ca: &str, secret: &str, data: &str) -> String {
    format!(
        "import requests\n\nanswer = requests.post(\n    {uri:?},\n    headers={{\"Authorization\": \"Bearer {secret}\"}},\n    json={data},\n    verify={ca:?},\n)\nprint(answer.status_code, answer.json())"
    )
}

fn rust(uri: &str, ca: &str, secret: &str, data: &str) -> String {
    format!(
        "// reqwest with its features `json` and `rustls`, and serde_json\nlet ca = reqwest::Certificate::from_pem(&std::fs::read({ca:?})?)?;\nlet client = reqwest::Client::builder().add_root_certificate(ca).build()?;\nlet answer = client\n    .post({uri:?})\n    .bearer_auth(\"{secret}\")\n    .json(&serde_json::json!({data}))\n    .send()\n    .await?;\nprintln!(\"{{}} {{}}\", answer.status(), answer.text().await?);"
    )
}
