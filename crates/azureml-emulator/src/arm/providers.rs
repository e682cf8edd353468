use axum::http::Method;
use serde_json::{Value, json};

use super::{
    call::Call,
    reply::{Answer, Refusal, Reply},
};

/// What the emulator stands for, and what Azure ML needs besides: all registered, as there is nobody to register them with.
const NAMESPACES: [&str; 10] = [
    "Microsoft.Authorization",
    "Microsoft.Cdn",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.PolicyInsights",
    "Microsoft.Storage",
];

pub(crate) fn answer(call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, []) => {
            let all: Vec<Value> =
                NAMESPACES.iter().map(|namespace| shown(call, namespace)).collect();
            Ok(Reply::ok(json!({"value": all})))
        }
        (&Method::GET, [name]) | (&Method::POST, [name, "register"]) => {
            let known = NAMESPACES.iter().find(|namespace| namespace.eq_ignore_ascii_case(name));
            let namespace = known.ok_or_else(|| {
                let message = format!("The resource namespace '{name}' is invalid.");
                Refusal::new(404, "InvalidResourceNamespace", message)
            })?;
            Ok(Reply::ok(shown(call, namespace)))
        }
        _ => Err(call.wrong_method().into()),
    }
}

fn shown(call: &Call<'_>, namespace: &str) -> Value {
    let settings = &call.world.settings;
    json!({
        "id": format!("/subscriptions/{}/providers/{namespace}", settings.subscription),
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered",
        "resourceTypes": [],
    })
}
