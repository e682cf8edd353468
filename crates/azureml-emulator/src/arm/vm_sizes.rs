use axum::http::Method;
use serde_json::{Value, json};

use super::{
    call::Call,
    reply::{Answer, Refusal, Reply},
};

/// A size of virtual machine, as Azure's documentation lists them.
pub(crate) struct VmSize {
    name: &'static str,
    family: &'static str,
    v_cpus: u64,
    memory_gb: f64,
    disk_mb: u64,
}

const fn size(
    name: &'static str,
    family: &'static str,
    v_cpus: u64,
    memory_gb: f64,
    disk_gb: u64,
) -> VmSize {
    VmSize { name, family, v_cpus, memory_gb, disk_mb: disk_gb * 1024 }
}

const SIZES: [VmSize; 17] = [
    size("Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 7),
    size("Standard_DS2_v2", "standardDSv2Family", 2, 7.0, 14),
    size("Standard_DS3_v2", "standardDSv2Family", 4, 14.0, 28),
    size("Standard_DS4_v2", "standardDSv2Family", 8, 28.0, 56),
    size("Standard_DS11_v2", "standardDSv2Family", 2, 14.0, 28),
    size("Standard_DS12_v2", "standardDSv2Family", 4, 28.0, 56),
    size("Standard_DS13_v2", "standardDSv2Family", 8, 56.0, 112),
    size("Standard_D2as_v4", "standardDASv4Family", 2, 8.0, 16),
    size("Standard_D4as_v4", "standardDASv4Family", 4, 16.0, 32),
    size("Standard_D2s_v3", "standardDSv3Family", 2, 8.0, 16),
    size("Standard_D4s_v3", "standardDSv3Family", 4, 16.0, 32),
    size("Standard_D8s_v3", "standardDSv3Family", 8, 32.0, 64),
    size("Standard_E2s_v3", "standardESv3Family", 2, 16.0, 32),
    size("Standard_E4s_v3", "standardESv3Family", 4, 32.0, 64),
    size("Standard_F2s_v2", "standardFSv2Family", 2, 4.0, 16),
    size("Standard_F4s_v2", "standardFSv2Family", 4, 8.0, 32),
    size("Standard_F8s_v2", "standardFSv2Family", 8, 16.0, 64),
];

/// The cores of a family that the subscription may use in one compute.
const QUOTA: u64 = 100;

/// A size by its name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static VmSize> {
    SIZES.iter().find(|size| size.name.eq_ignore_ascii_case(name))
}

/// What to say to a compute of so many machines that needs more cores than there are.
pub(crate) fn beyond_quota(name: &str, n_nodes: u64) -> Option<Refusal> {
    let v_cpus = find(name)?.v_cpus.saturating_mul(n_nodes);
    let message = format!(
        "The specified subscription has a total vCPU quota of {QUOTA} and cannot accomodate {n_nodes} requested managed compute nodes which translates to {v_cpus} vCPUs."
    );
    (v_cpus > QUOTA).then(|| quota_reached(message))
}

/// What is said of a quota, whether it is reached or is said to be.
pub(crate) fn quota_reached(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequest", message)
        .detail("ClusterCoreQuotaReached", "the quota of cores is reached")
}

/// Likewise for a deployment, for which Azure keeps a fifth more instances for when it is updated.
pub(crate) fn beyond_deployment_quota(name: &str, n_instances: u64) -> Option<Refusal> {
    let v_cpus = find(name)?.v_cpus.saturating_mul(with_reserve(n_instances));
    let message = format!(
        "Not enough quota available for {name}: {n_instances} instances and a fifth more for updates need {v_cpus} vCPUs of {QUOTA}. Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"
    );
    (v_cpus > QUOTA).then(|| Refusal::new(400, "OutOfQuota", message))
}

/// How many instances a deployment can have of a size.
pub(crate) fn most_instances(name: &str) -> u64 {
    let v_cpus = find(name).map_or(1, |size| size.v_cpus);
    (1..=QUOTA).take_while(|n| with_reserve(*n) * v_cpus <= QUOTA).last().unwrap_or(1)
}

fn with_reserve(n_instances: u64) -> u64 {
    n_instances.saturating_add(n_instances.div_ceil(5))
}

pub(crate) fn sizes(call: &Call<'_>, location: &str) -> Answer {
    check(call, location)?;
    let shown = |size: &VmSize| {
        json!({
            "name": size.name,
            "family": size.family,
            "vCPUs": size.v_cpus,
            "gpus": 0,
            "osVhdSizeMB": 1_047_552,
            "maxResourceVolumeMB": size.disk_mb,
            "memoryGB": size.memory_gb,
            "lowPriorityCapable": true,
            "premiumIO": true,
            "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
        })
    };
    let value: Vec<Value> = SIZES.iter().map(shown).collect();
    Ok(Reply::ok(json!({"value": value})))
}

/// The cores that run: instances that are not stopped, and nodes of clusters.
pub(crate) fn usages(call: &Call<'_>, location: &str) -> Answer {
    check(call, location)?;
    let computes = call.resources().of_kind("computes", None)?;
    let in_use = |family: &str| -> u64 {
        let of_machine = |machine: &Value| {
            let size = machine["vmSize"].as_str().and_then(find);
            let size = size.filter(|size| size.family == family)?;
            let n_nodes = match machine["state"].as_str() {
                Some("Stopped") => 0,
                Some(_) => 1,
                None => machine["currentNodeCount"].as_u64().unwrap_or(0),
            };
            Some(size.v_cpus * n_nodes)
        };
        computes
            .iter()
            .filter_map(|compute| of_machine(&compute.body["properties"]["properties"]))
            .sum()
    };
    let mut families: Vec<&str> = SIZES.iter().map(|size| size.family).collect();
    families.dedup();
    let kind = "Microsoft.MachineLearningServices/vmFamily/dedicatedCores/usages";
    let subscription = &call.world.settings.subscription;
    let base = format!(
        "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/usages"
    );
    let value: Vec<Value> = families
        .iter()
        .map(|family| {
            json!({
                "id": format!("{base}/{family}"),
                "type": kind,
                "unit": "Count",
                "currentValue": in_use(family),
                "limit": QUOTA,
                "name": {"value": family, "localizedValue": family},
            })
        })
        .collect();
    Ok(Reply::ok(json!({"value": value})))
}

fn check(call: &Call<'_>, location: &str) -> Answer<()> {
    if call.method != Method::GET {
        return Err(call.wrong_method().into());
    }
    let ours = &call.world.settings.location;
    if !location.eq_ignore_ascii_case(ours) {
        let message = format!("the emulator has one location: {ours}");
        return Err(Refusal::new(400, "LocationNotAvailable", message).into());
    }
    Ok(())
}
