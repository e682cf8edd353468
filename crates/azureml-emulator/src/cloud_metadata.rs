use serde_json::{Value, json};

/// Azure's description of a cloud, of which this machine is one: where Azure Resource Manager, sign-in and storage are.
pub(crate) fn clouds(port: u16) -> Value {
    json!([{
        "name": "Spinney",
        "portal": "https://portal.localhost.test/",
        "resourceManager": format!("https://localhost:{port}/"),
        "authentication": {"loginEndpoint": format!("https://localhost:{port}/")},
        "suffixes": {"storage": format!("localhost:{port}")},
    }])
}
