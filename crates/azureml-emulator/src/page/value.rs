//! Parts of pages that show a value of a resource.

use serde_json::Value;

use super::{Html, html};

/// A word for how something gets on, in its colour.
pub(super) fn state(word: &str) -> Html {
    let mut out = Html::default();
    html!(out, "<span class=\"state {}\">{}</span>", class(word), word);
    out
}

/// The class of a state: the same for all words that mean the same.
pub(super) fn class(word: &str) -> &'static str {
    match word {
        "Completed" | "Succeeded" | "Finished" => "good",
        "Failed" | "CreateFailed" | "Unusable" | "Unknown" => "bad",
        "Running" | "Steady" => "on",
        "Canceled" | "Stopped" | "NotStarted" | "" => "off",
        _ => "busy",
    }
}

/// Whether something is still under way.
pub(super) fn is_busy(word: &str) -> bool {
    class(word) == "busy" || word == "Running"
}

/// Text as it is; anything else as JSON; nothing for `null`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The words of a map, each with its value.
pub(super) fn tags(value: &Value) -> Html {
    let mut out = Html::default();
    for (name, value) in value.as_object().into_iter().flatten() {
        html!(out, "<span class=\"tag\"><b>{}</b> {}</span> ", name, text(value));
    }
    out
}

/// A cell of a table.
pub(super) fn cell(out: &mut Html, value: &str) {
    html!(out, "<td>{}</td>", value);
}

/// A cell with a time, in one line.
pub(super) fn cell_of_time(out: &mut Html, time: &str) {
    html!(out, "<td class=\"time\">{}</td>", time);
}

/// A cell that holds more than text.
pub(super) fn cell_of(out: &mut Html, value: &Html) {
    html!(out, "<td>");
    out.add(value);
    html!(out, "</td>");
}

/// When something was created, to the second.
pub(super) fn created(body: &Value) -> String {
    time(&text(&body["systemData"]["createdAt"]))
}

pub(super) fn time(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

/// A list of names and values.
pub(super) fn facts(facts: &[(&str, String)]) -> Html {
    let mut out = Html::default();
    html!(out, "<dl>");
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        html!(out, "<dt>{}</dt><dd>{}</dd>", name, value);
    }
    html!(out, "</dl>");
    out
}

/// JSON to read.
pub(super) fn json(title: &str, value: &Value) -> Html {
    let mut out = Html::default();
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    html!(out, "<details><summary>{}</summary><pre>{}</pre></details>", title, pretty);
    out
}
