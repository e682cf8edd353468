//! What Azure Resource Manager does, rule by rule.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod assets;
mod computes;
mod endpoints;
mod services;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};

fn instance() -> Value {
    json!({"location": "westeurope", "properties": {"computeType": "ComputeInstance", "properties": {
        "vmSize": "Standard_DS11_v2", "idleTimeBeforeShutdown": "PT60M", "somethingNew": {"a": [1]},
    }}})
}

fn cluster() -> Value {
    json!({"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 2, "maxNodeCount": 4},
    }}})
}

fn endpoint() -> Value {
    json!({"location": "westeurope", "properties": {"authMode": "Key"}})
}
