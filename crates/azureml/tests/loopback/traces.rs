//! The recorded traffic of Microsoft's SDK in `fixtures/azureml/traces`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::{Answer, SUBSCRIPTION, Seen, Server, TOKEN, WORKSPACE};

/// A request of the SDK, and the reply that it accepted.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) request_headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    status: u16,
    headers: Vec<(String, String)>,
    reply: String,
}

/// The exchanges of a step, in their order.
pub(crate) fn step(name: &str) -> Vec<Exchange> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/azureml/traces");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_of = |path: &Path| {
        let file = path.file_name().unwrap().to_str().unwrap();
        file.get(4..)
            .is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')))
    };
    let exchanges: Vec<Exchange> =
        files.iter().filter(|path| is_of(path)).map(|path| Exchange::read(path)).collect();
    assert!(!exchanges.is_empty(), "no traces of {name}");
    exchanges
}

/// An object of texts.
fn texts(value: &Value, name_as: fn(&str) -> String) -> BTreeMap<String, String> {
    let object = value.as_object().unwrap();
    object.iter().map(|(name, value)| (name_as(name), value.as_str().unwrap().to_owned())).collect()
}

impl Exchange {
    fn read(path: &Path) -> Self {
        // The traces have words for ids; a subscription's must look like one.
        let text = fs::read_to_string(path).unwrap().replace("SUBSCRIPTION-ID", SUBSCRIPTION);
        let value: Value = serde_json::from_str(&text).unwrap();
        let (request, response) = (&value["request"], &value["response"]);
        let headers = response["headers"].as_object().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let body = &response["body"];
        // Text files are texts in the traces.
        let reply = match body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        Self {
            method: text(&request["method"]),
            path: Self::local_path(&text(&request["host"]), &text(&request["path"])),
            query: texts(&request["query"], str::to_owned).into_iter().collect(),
            request_headers: texts(&request["headers"], str::to_lowercase),
            body: request["body"].clone(),
            status: response["status"].as_u64().unwrap() as u16,
            headers: headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            reply,
        }
    }

    /// Storage accounts are folders on a local server.
    fn local_path(host: &str, path: &str) -> String {
        match host.strip_suffix(".blob.core.windows.net") {
            Some(account) => format!("/{account}{path}"),
            None => path.to_owned(),
        }
    }

    /// The reply, with every host replaced by the local one.
    pub(crate) fn answer(&self, url: &str) -> Answer {
        let local = |text: &str| {
            text.replace("https://management.azure.com", url)
                .replace("https://westeurope.api.azureml.ms", url)
                .replace("https://sklearn-endpoint.westeurope.inference.ml.azure.com", url)
                .replace(
                    "https://storageaccount.blob.core.windows.net",
                    &format!("{url}/storageaccount"),
                )
        };
        let mut answer = Answer::new(self.status).body(local(&self.reply));
        for (name, value) in &self.headers {
            // Nobody needs to wait for a recording.
            match name.to_lowercase().as_str() {
                "content-length" => {}
                "retry-after" => answer = answer.header(name, "0"),
                _ => answer = answer.header(name, local(value)),
            }
        }
        // The recording left out most replies' types.
        let is_typed =
            answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !is_typed && self.reply.starts_with(['{', '[']) {
            answer = answer.header("Content-Type", "application/json");
        }
        answer
    }

    /// Method and path within the workspace.
    pub(crate) fn short(&self) -> String {
        format!(
            "{} {}",
            self.method,
            self.path.strip_prefix(super::WORKSPACE).unwrap_or(&self.path)
        )
    }
}

/// A difference that is meant: what the SDK sends is changed like this before it is compared.
pub(crate) type Difference = fn(&mut Value);

/// Compares what the server saw, but for some first requests, with what the SDK sent, one for one.
#[track_caller]
pub(crate) fn compare<'a>(
    server: &Server,
    skip: usize,
    recorded: impl IntoIterator<Item = &'a Exchange>,
    differences: &[Difference],
) {
    let seen = &server.seen()[skip..];
    let recorded: Vec<&Exchange> = recorded.into_iter().collect();
    let short: Vec<String> = recorded.iter().map(|exchange| exchange.short()).collect();
    assert_eq!(server.seen_short()[skip..], short);
    for (seen, exchange) in seen.iter().zip(recorded) {
        if seen.path.starts_with("/storageaccount/") {
            compare_blob(seen);
            continue;
        }
        let mut expected = exchange.body.clone();
        differences.iter().for_each(|difference| difference(&mut expected));
        assert_eq!(seen.json(), expected, "{}", exchange.short());
        let authorization = seen.headers.get("authorization").map(String::as_str);
        // Anybody may ask where the services are.
        let token = (seen.path != "/discovery").then(|| format!("Bearer {TOKEN}"));
        assert_eq!(authorization, token.as_deref(), "{}", exchange.short());
        assert!(seen.headers.contains_key("x-ms-client-request-id"));
        if exchange.path.starts_with(WORKSPACE) {
            assert_eq!(seen.query("api-version"), Some("2025-12-01"));
        } else if exchange.path.starts_with("/history") {
            assert_eq!(seen.query("api-version"), Some("v1.0"));
        }
    }
}

/// The signature goes with it, and no token.
#[track_caller]
pub(crate) fn compare_blob(seen: &Seen) {
    assert!(seen.query("sig").is_some(), "{seen:?}");
    assert!(!seen.headers.contains_key("authorization"));
    // A log is read by its address alone.
    if seen.method != "GET" {
        assert_eq!(seen.headers["x-ms-version"], "2025-11-05");
    }
    if seen.method == "PUT" && seen.query("comp").is_none() {
        assert_eq!(seen.headers["x-ms-blob-type"], "BlockBlob");
        assert_eq!(seen.headers["content-type"], "application/octet-stream");
        assert_eq!(seen.headers["if-none-match"], "*");
    }
}
