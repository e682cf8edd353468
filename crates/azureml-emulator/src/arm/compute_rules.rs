//! What a compute must say.

use serde_json::Value;

use super::{
    call::Call,
    field, iso_duration,
    reply::{Answer, Refusal},
    vm_sizes,
};

/// How long an instance may be idle at least and at most.
const IDLE: std::ops::RangeInclusive<u64> = 15 * 60..=3 * 24 * 3600;

/// How many nodes a compute may have at most, each of which needs cores.
pub(super) fn check(call: &Call<'_>, body: &Value) -> Answer<u64> {
    let location = call.world.settings.location.as_str();
    field::location(body)?;
    field::optional_object(body, "/identity")?;
    field::optional_words(body, "/tags")?;
    field::is_object(body, "/properties")?;
    let kind = field::text(body, "/properties/computeType")?;
    if !["ComputeInstance", "AmlCompute"].contains(&kind) {
        return Err(Refusal::not_implemented(format!("computes of type {kind}")).into());
    }
    field::is_object(body, "/properties/properties")?;
    let size = field::text(body, "/properties/properties/vmSize")?;
    if vm_sizes::find(size).is_none() {
        let message = format!("VM size {size} is not available in {location}");
        return Err(Refusal::new(400, "InvalidVmSize", message).into());
    }
    if kind == "ComputeInstance" {
        let pointer = "/properties/properties/idleTimeBeforeShutdown";
        if let Some(idle) = field::optional_text(body, pointer)? {
            check_idle_time(idle)?;
        }
        return Ok(1);
    }
    field::is_object(body, "/properties/properties/scaleSettings")?;
    let max = field::whole(body, "/properties/properties/scaleSettings/maxNodeCount")?;
    let min = field::optional_whole(body, "/properties/properties/scaleSettings/minNodeCount")?;
    if min.unwrap_or(0) > max {
        let message = "scaleSettings.minNodeCount is greater than scaleSettings.maxNodeCount";
        return Err(Refusal::user_error(message).into());
    }
    let pointer = "/properties/properties/scaleSettings/nodeIdleTimeBeforeScaleDown";
    if let Some(idle) = field::optional_text(body, pointer)?
        && iso_duration::parse(idle).is_none()
    {
        let message =
            format!("nodeIdleTimeBeforeScaleDown is {idle:?}, and must be a duration such as PT2M");
        return Err(Refusal::user_error(message).into());
    }
    Ok(max)
}

fn check_idle_time(text: &str) -> Result<(), Refusal> {
    if iso_duration::parse(text).is_some_and(|idle| IDLE.contains(&idle.as_secs())) {
        return Ok(());
    }
    Err(Refusal::user_error(format!(
        "idleTimeBeforeShutdown is {text:?}, and must be a duration from PT15M to P3D"
    )))
}
