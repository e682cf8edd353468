//! What a deployment must say, and what it is taken to say.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    field, iso_duration,
    reply::{Answer, Refusal},
    vm_sizes,
};
use crate::serving::Probe;

/// The longest time that a request may take.
const MAX_TIMEOUT: Duration = Duration::from_secs(180);

/// The longest that a probe may wait for anything.
const MAX_PROBE: Duration = Duration::from_secs(24 * 3600);

/// The most instances that a deployment may ask for; the quota of cores ends before.
const MAX_CAPACITY: u64 = 1000;

/// The parts of a body that are what they have to be, whatever they name.
pub(super) fn check(body: &Value) -> Answer<()> {
    field::location(body)?;
    field::is_object(body, "/properties")?;
    field::optional_words(body, "/tags")?;
    field::optional_words(body, "/properties/properties")?;
    field::optional_words(body, "/properties/environmentVariables")?;
    field::optional_text(body, "/properties/description")?;
    field::optional_bool(body, "/properties/appInsightsEnabled")?;
    let kind = field::one_of(
        body,
        "/properties/endpointComputeType",
        &["Managed", "Kubernetes", "AzureMLCompute"],
    )?;
    if kind != "Managed" {
        return Err(Refusal::not_implemented(format!("deployments on {kind}")).into());
    }
    let size = field::text(body, "/properties/instanceType")?;
    if vm_sizes::find(size).is_none() {
        let message = format!("Instance type {size} is not supported.");
        return Err(Refusal::user_error(message).into());
    }
    field::optional_object(body, "/properties/scaleSettings")?;
    if let Some(kind) = field::optional_text(body, "/properties/scaleSettings/scaleType")?
        && kind != "Default"
    {
        let what = format!("scaleType {kind} (managed deployments scale by Azure Monitor)");
        return Err(Refusal::not_implemented(what).into());
    }
    let egress = "/properties/egressPublicNetworkAccess";
    if field::optional_text(body, egress)?.is_some_and(|access| access != "Enabled") {
        return Err(Refusal::not_implemented("deployments without access to the network").into());
    }
    if !body["properties"]["dataCollector"].is_null() {
        return Err(Refusal::not_implemented("collecting the data of requests").into());
    }
    Ok(())
}

/// How many instances there are to be.
pub(super) fn capacity(body: &Value) -> Result<u64, Refusal> {
    field::is_object(body, "/sku")?;
    let capacity = field::optional_whole(body, "/sku/capacity")?.unwrap_or(1);
    if (1..=MAX_CAPACITY).contains(&capacity) {
        return Ok(capacity);
    }
    Err(Refusal::user_error(format!(
        "sku.capacity is {capacity}, and must be from 1 to {MAX_CAPACITY}"
    )))
}

fn duration(body: &Value, pointer: &str, assumed: Duration) -> Result<Duration, Refusal> {
    let Some(text) = field::optional_text(body, pointer)? else { return Ok(assumed) };
    iso_duration::parse(text).ok_or_else(|| {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        Refusal::user_error(format!("{name} is {text:?}, and must be a duration such as PT5S"))
    })
}

fn at_least_one(body: &Value, pointer: &str, assumed: u64) -> Result<u64, Refusal> {
    let number = field::optional_whole(body, pointer)?.unwrap_or(assumed);
    if (1..=u64::from(u16::MAX)).contains(&number) {
        return Ok(number);
    }
    let name = pointer.rsplit('/').next().unwrap_or_default();
    Err(Refusal::user_error(format!("{name} is {number}, and must be from 1 to {}", u16::MAX)))
}

/// How long a request may take, and how many there may be at once in each instance.
pub(super) fn request_settings(body: &Value) -> Result<(Duration, u64), Refusal> {
    let at = |name: &str| format!("/properties/requestSettings/{name}");
    field::optional_object(body, "/properties/requestSettings")?;
    let timeout = duration(body, &at("requestTimeout"), Duration::from_secs(5))?;
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        let message = "requestTimeout must be more than nothing and at most PT3M";
        return Err(Refusal::user_error(message));
    }
    // Azure does not use it any more either.
    duration(body, &at("maxQueueWait"), Duration::from_millis(500))?;
    Ok((timeout, at_least_one(body, &at("maxConcurrentRequestsPerInstance"), 1)?))
}

/// `livenessProbe` or `readinessProbe`.
pub(super) fn probe(body: &Value, name: &str) -> Result<Probe, Refusal> {
    let probe = format!("/properties/{name}");
    field::optional_object(body, &probe)?;
    let at = |name: &str| format!("{probe}/{name}");
    let probe = Probe {
        initial_delay: duration(body, &at("initialDelay"), Duration::from_secs(10))?,
        period: duration(body, &at("period"), Duration::from_secs(10))?,
        timeout: duration(body, &at("timeout"), Duration::from_secs(2))?,
        failures: at_least_one(body, &at("failureThreshold"), 30)?,
        successes: at_least_one(body, &at("successThreshold"), 1)?,
    };
    let times = [probe.initial_delay, probe.period, probe.timeout];
    if probe.period.is_zero()
        || probe.timeout.is_zero()
        || times.iter().any(|time| *time > MAX_PROBE)
    {
        let message =
            format!("{name}: period and timeout must be more than nothing, and all at most a day");
        return Err(Refusal::user_error(message));
    }
    Ok(probe)
}

/// Adds what the service says of a deployment, and what it assumes.
pub(super) fn complete(body: &mut Value) {
    if body["tags"].is_null() {
        body["tags"] = json!({});
    }
    if body["sku"]["name"].is_null() {
        body["sku"]["name"] = json!("Default");
    }
    if body["sku"]["capacity"].is_null() {
        body["sku"]["capacity"] = json!(1);
    }
    let probe = json!({
        "failureThreshold": 30,
        "successThreshold": 1,
        "timeout": "PT2S",
        "period": "PT10S",
        "initialDelay": "PT10S",
    });
    let properties = &mut body["properties"];
    properties["endpointComputeType"] = json!("Managed");
    for (name, assumed) in [
        ("properties", json!({})),
        ("environmentVariables", json!({})),
        ("appInsightsEnabled", json!(false)),
        ("scaleSettings", json!({"scaleType": "Default"})),
        (
            "requestSettings",
            json!({
                "requestTimeout": "PT5S",
                "maxConcurrentRequestsPerInstance": 1,
                "maxQueueWait": "PT0.5S",
            }),
        ),
        ("livenessProbe", probe.clone()),
        ("readinessProbe", probe),
    ] {
        fill(&mut properties[name], assumed);
    }
}

/// Puts in what is missing.
pub(super) fn fill(value: &mut Value, assumed: Value) {
    match (value, assumed) {
        (Value::Object(fields), Value::Object(assumed)) => {
            for (name, assumed) in assumed {
                fill(fields.entry(name).or_insert(Value::Null), assumed);
            }
        }
        (value @ Value::Null, assumed) => *value = assumed,
        _ => {}
    }
}
